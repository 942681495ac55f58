import { type Command, Option } from 'commander'
import { z } from 'zod'
import { visibleText } from '../core/text-rules.ts'
import { KEY_PURPOSES } from '../ports/signer.ts'
import { type Env, tokenFor } from './credentials-file.ts'
import { CannotRun, type Terminal } from './terminal.ts'

type Options = { purpose: string; reason: string; tokenFile?: string; broker: string; kid?: string }

const rotatedShape = z.object({ kid: z.string(), previousKid: z.string() })
const epochShape = z.object({ epoch: z.number() })
const problemShape = z.object({ code: z.string(), detail: z.string() })

/** Changes of the broker's own keys go through its API, so that each is a leaf under an operator's name. */
export function addKeysRotate(keys: Command, terminal: Terminal, env: Env): void {
  command(
    keys,
    'rotate',
    "replace one of the broker's own keys; what the old one signed still verifies",
  ).action(async (options: Options) => {
    const path = `/v1/operator/keys/${options.purpose}/rotate`
    const answer = rotatedShape.safeParse(await post(path, options, terminal, env))
    if (!answer.success) return
    const { kid, previousKid } = answer.data
    terminal.out(terminal.paint('green', `${options.purpose} key ${kid} signs now`))
    terminal.out(`the old one is still published; if it leaked, retire it: --kid ${previousKid}`)
  })
  command(keys, 'retire', 'stop publishing a key that was rotated out: what it signed no longer verifies')
    .requiredOption('--kid <thumbprint>', 'which one')
    .action(async (options: Options) => {
      const path = `/v1/operator/keys/${options.purpose}/${encodeURIComponent(options.kid ?? '')}/retire`
      const answer = await post(path, options, terminal, env)
      if (answer !== undefined)
        terminal.out(terminal.paint('green', `${options.purpose} key ${options.kid} is retired`))
    })
}

/** Changes the key-encryption key before its time; the broker does it by itself every 30 days. */
export function addKeysRotateEpoch(keys: Command, terminal: Terminal, env: Env): void {
  const epoch = keys
    .command('rotate-epoch')
    .description('change the key-encryption key before its time: older backups of keys open nothing any more')
  asOperator(epoch).action(async (options: Options) => {
    const answer = epochShape.safeParse(await post('/v1/operator/key-epoch/turn', options, terminal, env))
    if (!answer.success) return
    terminal.out(
      terminal.paint('green', `epoch ${answer.data.epoch} gives way to the next one within seconds`),
    )
    terminal.out('then take new backups: keys and personal data of older ones cannot be opened any more')
  })
}

function command(keys: Command, name: string, description: string): Command {
  const purpose = new Option('--purpose <purpose>', 'what the key is for').choices(KEY_PURPOSES)
  return asOperator(keys.command(name).description(description).addOption(purpose.makeOptionMandatory()))
}

function asOperator(command: Command): Command {
  return command
    .requiredOption('--reason <text>', 'why, as the log will say')
    .option('--token-file <file>', "an operator's token (default: what countersign login --operator stored)")
    .option('--broker <url>', 'the broker', 'http://localhost:8787')
}

/** Returns the answer's JSON, or prints why it was refused and returns undefined. */
async function post(path: string, options: Options, terminal: Terminal, env: Env): Promise<unknown> {
  if (!URL.canParse(path, options.broker)) throw new CannotRun(`${options.broker} is not a URL`)
  const token = tokenFor(env, options.broker, 'operator', options.tokenFile)
  if (token === undefined) {
    throw new CannotRun(
      `run countersign login --operator --broker ${options.broker} first, or give --token-file`,
    )
  }
  const response = await fetch(new URL(path, options.broker), {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ reason: options.reason }),
    redirect: 'error',
    signal: AbortSignal.timeout(30_000),
  }).catch((cause: unknown) => {
    throw new CannotRun(`no broker answers at ${options.broker}`, { cause })
  })
  const text = await response.text()
  if (response.ok) return text === '' ? {} : JSON.parse(text)
  const problem = problemShape.safeParse(jsonOrUndefined(text))
  terminal.out(
    `${terminal.paint('red', `refused (${response.status})`)} ${visibleText(problem.data?.code ?? '')}`,
  )
  if (problem.success) terminal.out(`    ${visibleText(problem.data.detail)}`)
  terminal.exitWith(1)
  return undefined
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
