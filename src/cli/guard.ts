import { hostname } from 'node:os'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { checkText, visibleText } from '../core/text-rules.ts'
import { askBroker } from '../guard/broker-answer.ts'
import { connectGuard } from '../guard/connect-guard.ts'
import { decideTool } from '../guard/decide-tool.ts'
import { WAITS_MS } from '../guard/guard-contract.ts'
import { startGuardServer } from '../guard/guard-server.ts'
import { openGuardSession, SignedOut } from '../guard/guard-session.ts'
import { canLimitTo, codingWish, LISTED_CHARACTERS_MOST, LISTED_MOST } from '../guard/guard-wish.ts'
import type { Env } from './credentials-file.ts'
import { type GuardFiles, guardToken, openGuardFiles } from './guard-files.ts'
import { CannotRun, type Terminal } from './terminal.ts'

type Options = {
  broker: string
  port: string
  workspace: string
  allowCommand: string[]
  waitMs: string
  deployment: string
}

/** Answers have to be there before Qwen Code stops waiting, in milliseconds. */
const MARGIN_MS = 500
const KEEP_FRESH_EVERY_MS = 30_000

/** Governs Qwen Code on this machine: answers its tool guard requests by asking the broker. */
export function addGuard(program: Command, terminal: Terminal, env: Env): void {
  program
    .command('guard')
    .description(
      "govern Qwen Code's own tools on this machine: qwen serve asks this process, it asks the broker",
    )
    .option('--broker <url>', 'the broker', 'http://localhost:8787')
    .option('--port <port>', 'where qwen serve asks, on 127.0.0.1', '8788')
    .option('--workspace <folder>', 'the folder qwen serve works in', '.')
    .option(
      '--allow-command <command>',
      'a command to ask consent for word for word, so that it runs unasked; can be repeated',
      (command: string, before: string[]) => [...before, command],
      [] as string[],
    )
    .option(
      '--wait-ms <ms>',
      'what --external-tool-guard-timeout-ms of qwen serve says',
      String(WAITS_MS.usual),
    )
    .option('--deployment <id>', 'the registered model deployment that runs', '')
    .action((options: Options) => guard(options, terminal, env))
}

async function guard(options: Options, terminal: Terminal, env: Env): Promise<void> {
  const origin = originOf(options.broker)
  const workspace = workspaceOf(options.workspace)
  const listed = listedOf(options.allowCommand)
  const waitMs = whole('--wait-ms', options.waitMs, 1_000, WAITS_MS.most)
  const port = whole('--port', options.port, 0, 65_535)
  const secret = guardToken(env)
  const files = openGuardFiles(env, origin)
  try {
    const wish = codingWish(workspace, listed)
    if (!(await connected(origin, files, wish, terminal))) return terminal.exitWith(1)
    const session = openGuardSession(origin, files.keeper)
    const deps = {
      origin,
      ask: askBroker(origin),
      session,
      mapping: { workspace, listed },
      wish,
      deployment: options.deployment,
      answerWithinMs: waitMs - MARGIN_MS,
    }
    const server = await listen(port, secret.token, deps, terminal)
    tellHowToStart(terminal, server.origin, waitMs, secret.file)
    await untilStopped(async () => void (await session.token().catch(() => undefined)))
    await server.stop()
  } finally {
    files.release()
  }
}

async function listen(
  port: number,
  token: string,
  deps: Parameters<typeof decideTool>[0],
  terminal: Terminal,
): ReturnType<typeof startGuardServer> {
  try {
    return await startGuardServer({
      port,
      token,
      decide: (prepare) => decideTool(deps, prepare),
      onAnswer(toolName, verdict) {
        const told = verdict.allowed ? terminal.paint('green', 'allowed') : `refused: ${verdict.reason}`
        terminal.out(
          `${new Date().toISOString().slice(11, 19)} ${visibleText(toolName.slice(0, 100))} ${told}`,
        )
      },
    })
  } catch (cause) {
    throw new CannotRun(`127.0.0.1:${port} cannot be listened on`, { cause })
  }
}

/** Uses the connection there is, or has the user make one. @returns false where they said no, or nothing. */
async function connected(
  origin: string,
  files: GuardFiles,
  wish: ReturnType<typeof codingWish>,
  terminal: Terminal,
): Promise<boolean> {
  try {
    const session = openGuardSession(origin, files.keeper)
    // Renewed at once: a connection that has ended meanwhile shows now, and not in the middle of work.
    session.refused(files.keeper.read()?.accessToken ?? '')
    await session.token()
    return true
  } catch (error) {
    if (!(error instanceof SignedOut)) throw new CannotRun(`no broker answers at ${origin}`, { cause: error })
  }
  const answer = await connectGuard(origin, {
    name: `Qwen Code guard on ${hostName()}`,
    wish,
    show({ url, userCode }) {
      terminal.out(`Open ${visibleText(url)}`)
      terminal.out(`and enter the code ${terminal.paint('bold', visibleText(userCode))}`)
    },
  }).catch((cause: unknown) => {
    throw new CannotRun(`${origin} does not connect a guard`, { cause })
  })
  if (answer.kind !== 'connected') {
    terminal.err(answer.kind === 'refused' ? 'refused' : 'nobody answered in time')
    return false
  }
  files.keeper.save(answer.tokens)
  terminal.err(terminal.paint('dim', `connected; kept in ${files.connection}`))
  return true
}

function tellHowToStart(terminal: Terminal, origin: string, waitMs: number, file: string | null): void {
  if (file !== null) terminal.out(`export QWEN_CODE_EXTERNAL_TOOL_GUARD_TOKEN="$(cat ${file})"`)
  terminal.out(
    `qwen serve --external-tool-guard-mode=required --external-tool-guard-endpoint=${origin} --external-tool-guard-timeout-ms=${waitMs}`,
  )
}

function untilStopped(keepFresh: () => Promise<void>): Promise<void> {
  return new Promise((resolveStop) => {
    const timer = setInterval(() => void keepFresh(), KEEP_FRESH_EVERY_MS)
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        clearInterval(timer)
        resolveStop()
      })
    }
  })
}

function originOf(broker: string): string {
  if (!URL.canParse(broker)) throw new CannotRun(`${broker} is not a URL`)
  const url = new URL(broker)
  const isLoopback = ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback)) {
    throw new CannotRun('a broker on another machine is reached by https')
  }
  return url.origin
}

function workspaceOf(folder: string): string {
  const workspace = resolve(folder)
  if (!canLimitTo(workspace)) {
    throw new CannotRun(
      `${workspace} cannot be a limit: its name has blanks, backslashes, "?", "#" or the like`,
    )
  }
  return workspace
}

function listedOf(commands: readonly string[]): ReadonlySet<string> {
  if (commands.length > LISTED_MOST) throw new CannotRun(`at most ${LISTED_MOST} commands can be listed`)
  for (const command of commands) {
    if (command.length > LISTED_CHARACTERS_MOST || command.trim() === '' || checkText(command, 'plain')) {
      throw new CannotRun(
        `${JSON.stringify(command.slice(0, 80))} cannot be listed: one short line of plain text can`,
      )
    }
  }
  return new Set(commands)
}

function whole(name: string, text: string, least: number, most: number): number {
  const number = Number(text)
  if (!/^\d+$/.test(text) || number < least || number > most) {
    throw new CannotRun(`${name} is a whole number from ${least} to ${most}`)
  }
  return number
}

function hostName(): string {
  const name = hostname().slice(0, 40)
  return checkText(name, 'plain') === undefined && name !== '' ? name : 'this computer'
}
