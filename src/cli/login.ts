import { setTimeout } from 'node:timers/promises'
import type { Command } from 'commander'
import { z } from 'zod'
import { visibleText } from '../core/text-rules.ts'
import { type CredentialKind, type Env, saveCredential } from './credentials-file.ts'
import { CannotRun, type Terminal } from './terminal.ts'

type Options = { broker: string; operator: boolean }

const POLL_EVERY_MS = 2_000

const loginShape = z.object({
  deviceCode: z.string(),
  userCode: z.string().max(20),
  url: z.string().max(300),
  expiresAtMs: z.number(),
})

const polledShape = z.discriminatedUnion('state', [
  z.object({ state: z.literal('waiting') }),
  z.object({ state: z.literal('refused') }),
  z.object({ state: z.literal('expired') }),
  z.object({
    state: z.literal('allowed'),
    token: z.string(),
    id: z.string().max(100),
    expiresAtMs: z.number(),
  }),
])

/** Lets a person act from this terminal: it shows a link and a code, and keeps what a yes on that page gives. */
export function addLogin(program: Command, terminal: Terminal, env: Env): void {
  program
    .command('login')
    .description('act from this terminal as who you are on the web: a user for 1 hour, an operator for 8')
    .option('--operator', 'as an operator', false)
    .option('--broker <url>', 'the broker', 'http://localhost:8787')
    .action((options: Options) => login(options, terminal, env))
}

async function login({ broker, operator }: Options, terminal: Terminal, env: Env): Promise<void> {
  if (!URL.canParse(broker)) throw new CannotRun(`${broker} is not a URL`)
  const { origin } = new URL(broker)
  const kind: CredentialKind = operator ? 'operator' : 'user'
  const begun = loginShape.parse(await post(origin, '/v1/terminal-logins', { kind }))
  terminal.out(`Open ${visibleText(begun.url)}`)
  terminal.out(`and enter the code ${terminal.paint('bold', visibleText(begun.userCode))}`)
  for (;;) {
    await setTimeout(POLL_EVERY_MS)
    const polled = polledShape.parse(
      await post(origin, '/v1/terminal-logins/poll', { deviceCode: begun.deviceCode }),
    )
    if (polled.state === 'waiting') continue
    if (polled.state !== 'allowed') {
      terminal.err(polled.state === 'refused' ? 'refused' : 'nobody answered in time')
      terminal.exitWith(1)
      return
    }
    const { token, id, expiresAtMs } = polled
    const file = saveCredential(env, origin, kind, { token, id, expiresAtMs })
    const until = new Date(expiresAtMs).toISOString()
    terminal.out(terminal.paint('green', `${kind} ${visibleText(id)} until ${until}`))
    terminal.err(terminal.paint('dim', `kept in ${file}`))
    return
  }
}

async function post(origin: string, path: string, body: object): Promise<unknown> {
  let response: Response
  try {
    response = await fetch(new URL(path, origin), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': `countersign-cli (${process.platform})` },
      body: JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.timeout(30_000),
    })
  } catch (cause) {
    throw new CannotRun(`no broker answers at ${origin}`, { cause })
  }
  if (!response.ok) throw new CannotRun(`${origin} refused (${response.status})`)
  return response.json()
}
