import { randomBytes } from 'node:crypto'
import { closeSync, lstatSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import type { GuardTokens, TokenKeeper } from '../guard/guard-session.ts'
import { writeSecretFile } from '../keys/write-secret-file.ts'
import type { Env } from './credentials-file.ts'
import { CannotRun } from './terminal.ts'

const tokensShape = z.strictObject({
  clientId: z.string(),
  accessToken: z.string(),
  refreshToken: z.string(),
  expiresAtMs: z.number(),
})
const fileShape = z.strictObject({ origin: z.string(), tokens: tokensShape })

export type GuardFiles = {
  /** Where the connection is kept. */
  readonly connection: string
  readonly keeper: TokenKeeper
  /** Lets another guard use the connection. */
  release(): void
}

/**
 * Opens the file a guard keeps its connection in, for itself alone: two guards that renew one connection would make the
 * broker end it.
 *
 * @throws CannotRun where another guard runs with it, or where others on this machine can read it.
 */
export function openGuardFiles(env: Env, origin: string): GuardFiles {
  const connection = join(folderOf(env), `guard-${nameOf(origin)}.json`)
  mkdirSync(dirname(connection), { recursive: true, mode: 0o700 })
  const lock = takeLock(`${connection}.lock`)
  let kept: GuardTokens | undefined
  try {
    kept = readTokens(connection, origin)
  } catch (error) {
    rmSync(lock, { force: true })
    throw error
  }
  return {
    connection,
    keeper: {
      read: () => kept,
      save(tokens) {
        kept = tokens
        writeSecretFile(connection, `${JSON.stringify({ origin, tokens }, null, 2)}\n`)
      },
    },
    release: () => rmSync(lock, { force: true }),
  }
}

/** The secret Qwen Code shows its guard: given by the environment, else made once and kept in a file of its own. */
export function guardToken(env: Env): { token: string; file: string | null } {
  const given = env.QWEN_CODE_EXTERNAL_TOOL_GUARD_TOKEN?.trim()
  if (given !== undefined && given !== '') {
    if (!/^[\x21-\x7e]{16,8192}$/.test(given)) {
      throw new CannotRun('QWEN_CODE_EXTERNAL_TOOL_GUARD_TOKEN must be 16 or more visible ASCII characters')
    }
    return { token: given, file: null }
  }
  const file = join(folderOf(env), 'guard-token')
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const kept = readOwn(file)?.trim()
  if (kept !== undefined && /^[\x21-\x7e]{16,8192}$/.test(kept)) return { token: kept, file }
  const token = randomBytes(32).toString('base64url')
  writeSecretFile(file, `${token}\n`)
  return { token, file }
}

function folderOf(env: Env): string {
  return join(env.XDG_CONFIG_HOME ?? join(env.HOME ?? homedir(), '.config'), 'countersign')
}

/** One file a broker, by what stands in its address. */
function nameOf(origin: string): string {
  return new URL(origin).host.replaceAll(/[^a-z0-9.-]/gi, '_')
}

function readTokens(file: string, origin: string): GuardTokens | undefined {
  const text = readOwn(file)
  if (text === undefined) return undefined
  try {
    const kept = fileShape.parse(JSON.parse(text))
    // Two origins can share a name; a connection is good for its own.
    return kept.origin === origin ? kept.tokens : undefined
  } catch (cause) {
    throw new CannotRun(`${file} is broken: remove it and connect the guard again`, { cause })
  }
}

function readOwn(file: string): string | undefined {
  const found = lstatSync(file, { throwIfNoEntry: false })
  if (!found) return undefined
  if (!found.isFile()) throw new CannotRun(`${file} must be a regular file, not a link`)
  if (process.platform !== 'win32' && (found.mode & 0o077) !== 0) {
    throw new CannotRun(`${file} is open to other users: run chmod 600 ${file}`)
  }
  return readFileSync(file, 'utf8')
}

function takeLock(path: string): string {
  for (let tries = 0; tries < 2; tries++) {
    try {
      const file = openSync(path, 'wx', 0o600)
      writeSync(file, String(process.pid))
      closeSync(file)
      return path
    } catch {
      const pid = Number(lstatSync(path, { throwIfNoEntry: false }) ? readFileSync(path, 'utf8') : '')
      if (Number.isInteger(pid) && pid > 0 && isRunning(pid)) {
        throw new CannotRun(`another guard (process ${pid}) uses this connection`)
      }
      // Left behind by one that was killed.
      rmSync(path, { force: true })
    }
  }
  throw new CannotRun(`${path} cannot be written`)
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
