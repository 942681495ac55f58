import type { Command } from 'commander'
import { z } from 'zod'
import { visibleText } from '../core/text-rules.ts'
import { readManifest, readText, signatureFileBeside } from './read-input.ts'
import { CannotRun, type Terminal } from './terminal.ts'

type Options = { broker: string; jws?: string; json: boolean }

/** What a broker says when it refuses a version (RFC 9457), as far as it is printed here. */
const problemShape = z.looseObject({
  title: z.string().optional(),
  detail: z.string().optional(),
  code: z.string().optional(),
  reasons: z
    .array(
      z.looseObject({
        pointer: z.string(),
        code: z.string(),
        message: z.string(),
        mend: z.string().optional(),
      }),
    )
    .optional(),
})

export function addManifestRegister(manifest: Command, terminal: Terminal): void {
  manifest
    .command('register')
    .description('submit a signed manifest to a broker, where operators approve it')
    .argument('<file>', 'manifest.json')
    .option('--jws <file>', 'the signature (default: manifest.jws beside the manifest)')
    .option('--broker <url>', 'the broker', 'http://localhost:8787')
    .option('--json', "print the broker's answer as it is", false)
    .action(async (file: string, options: Options) => {
      const signature = readText(options.jws ?? signatureFileBeside(file)).trim()
      const parsed = readManifest(file, terminal)
      if (!parsed) return
      const response = await post(
        options.broker,
        `{"manifest":${parsed.canonical},"signature":${JSON.stringify(signature)}}`,
      )
      const body = await response.text()
      if (options.json) terminal.out(visibleText(body, 'keep'))
      else if (response.ok) {
        const { skill, version } = parsed.manifest
        terminal.out(terminal.paint('green', `${skill} version ${version} was submitted`))
        terminal.out(`digest ${parsed.digest}`)
      } else reportRefusal(response.status, body, terminal)
      terminal.exitWith(response.ok ? 0 : 1)
    })
}

async function post(broker: string, body: string): Promise<Response> {
  if (!URL.canParse('/v1/manifests', broker)) throw new CannotRun(`${broker} is not a URL`)
  try {
    return await fetch(new URL('/v1/manifests', broker), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(30_000),
    })
  } catch (cause) {
    throw new CannotRun(`no broker answers at ${broker}`, { cause })
  }
}

function reportRefusal(status: number, body: string, terminal: Terminal): void {
  const problem = problemShape.safeParse(jsonOrUndefined(body))
  const { title, detail, code, reasons } = problem.data ?? {}
  terminal.out(
    `${terminal.paint('red', `refused (${status})`)} ${visibleText(code ?? title ?? 'without a reason')}`,
  )
  if (detail) terminal.out(`    ${visibleText(detail)}`)
  for (const reason of reasons ?? []) {
    terminal.out(`    ${visibleText(`${reason.pointer} ${reason.code}: ${reason.message}`)}`)
    if (reason.mend) terminal.out(`        ${terminal.paint('dim', 'mend:')} ${visibleText(reason.mend)}`)
  }
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
