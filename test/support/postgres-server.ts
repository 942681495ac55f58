import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The least version whose behaviour the store is tested on. */
const LEAST_VERSION = 15
const START_WITHIN_MS = 30_000

/** The role that may do everything on a test server. */
export const SUPERUSER = 'root_of_tests'

export type PostgresOptions = {
  /** Whether commits reach the disk. Off unless a test is about losing power, a process or a machine. */
  fsync?: boolean
  /** Further lines of postgresql.conf. */
  settings?: Readonly<Record<string, string>>
  /** A data folder made by something else, such as a base backup; a new cluster without one. */
  dataFolder?: string
}

export type PostgresServer = {
  readonly port: number
  /** Holds the data folder (`data`), the socket and the log (`log`). */
  readonly folder: string
  /** Where to connect to as a role without a password. */
  url(database: string, role?: string): string
  /** Ends it at once, as a power cut would end the process. */
  kill(): Promise<void>
  /** Starts it again on the same port and data, after `kill` or `stop({ keep: true })`. */
  startAgain(): Promise<void>
  /** Ends it in order and removes its folder, unless it is to be kept. */
  stop(options?: { keep?: boolean }): Promise<void>
  /** Runs one of the server's own programs, such as `pg_basebackup`, as whom the server runs as. */
  program(name: string, args: readonly string[]): Promise<string>
}

/** Where PostgreSQL's programs are; undefined where there is none of version 15 or newer. */
export function findPostgres(): string | undefined {
  const packaged = '/usr/lib/postgresql'
  const versions = existsSync(packaged) ? readdirSync(packaged).map(Number) : []
  const folders = [
    ...versions.sort((a, b) => b - a).map((version) => join(packaged, String(version), 'bin')),
    ...(process.env.PATH ?? '').split(delimiter),
  ]
  return folders.find(
    (folder) =>
      existsSync(join(folder, 'initdb')) &&
      existsSync(join(folder, 'postgres')) &&
      versionIn(folder) >= LEAST_VERSION,
  )
}

/** One plain line for a machine where tests on PostgreSQL cannot run. */
export const WITHOUT_POSTGRES =
  'PostgreSQL 15 or newer was not found: every test on it was left out. To run them: apt-get install postgresql\n'

function versionIn(binFolder: string): number {
  const said = execFileSync(join(binFolder, 'postgres'), ['--version'], { encoding: 'utf8' })
  return Number(/ (\d+)/.exec(said)?.[1] ?? 0)
}

/**
 * Starts a server of its own on a free port, with its data in a new folder, in about a second. It ends with this
 * process, however that ends.
 *
 * @throws (rejects) if PostgreSQL is not there or does not start.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const found = findPostgres()
  if (found === undefined) throw new Error(WITHOUT_POSTGRES)
  const bin: string = found
  const owner = serverOwner()
  const folder = mkdtempSync(join(tmpdir(), 'countersign-pg-'))
  const sockets = join(folder, 's')
  mkdirSync(sockets)
  for (const path of [folder, sockets]) chownSync(path, owner.uid, owner.gid)
  const data = options.dataFolder ?? join(folder, 'data')
  const as = { ...owner, cwd: folder, env: { PATH: process.env.PATH ?? '', LC_ALL: 'C' } }
  if (options.dataFolder === undefined) {
    const args = ['-D', data, '-U', SUPERUSER, '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
    await run(join(bin, 'initdb'), [...args, '--no-instructions'], as)
  }
  const port = await freePort()
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: sockets,
    port: String(port),
    max_connections: '300',
    shared_buffers: '64MB',
    log_min_messages: 'fatal',
    log_min_error_statement: 'panic',
    ...(options.fsync ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
    ...options.settings,
  }
  let child: ChildProcess | undefined

  async function begin(): Promise<void> {
    const lines = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    // The shell holds the pipe from this process: when that closes, by whatever end, the server is told to stop.
    const script = `exec 3<&0; "$@" >> log 2>&1 & pid=$!; { cat <&3 >/dev/null; kill -INT $pid; } & wait $pid`
    child = spawn('/bin/sh', ['-c', script, 'sh', join(bin, 'postgres'), '-D', data, ...lines], {
      ...as,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    await ready(child, bin, as, sockets, port, folder)
  }

  async function end(signal: 'INT' | 'QUIT' | 'KILL'): Promise<void> {
    const ending = child
    child = undefined
    if (!ending || ending.exitCode !== null) return
    const over = new Promise((resolve) => ending.once('exit', resolve))
    const pid = Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0])
    process.kill(pid, `SIG${signal}`)
    ending.stdin?.end()
    await over
  }

  await begin()
  return {
    port,
    folder,
    url: (database, role = SUPERUSER) => `postgres://${role}@127.0.0.1:${port}/${database}`,
    kill: () => end('QUIT'),
    startAgain: begin,
    async stop({ keep } = {}) {
      await end('INT')
      if (!keep) rmSync(folder, { recursive: true, force: true })
    },
    async program(name, args) {
      return (await run(join(bin, name), [...args], as)).stdout
    },
  }
}

/** Never root: the server refuses to run as that, so it gets the user the package made, or nobody. */
function serverOwner(): { uid: number; gid: number } {
  const uid = process.getuid?.() ?? 0
  if (uid !== 0) return { uid, gid: process.getgid?.() ?? 0 }
  const entries = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const name of ['postgres', 'nobody']) {
    const fields = entries.find((line) => line.startsWith(`${name}:`))?.split(':')
    if (fields) return { uid: Number(fields[2]), gid: Number(fields[3]) }
  }
  throw new Error('there is no user to run PostgreSQL as')
}

async function ready(
  child: ChildProcess,
  bin: string,
  as: { uid: number; gid: number },
  sockets: string,
  port: number,
  folder: string,
): Promise<void> {
  const untilMs = performance.now() + START_WITHIN_MS
  while (performance.now() < untilMs && child.exitCode === null) {
    const answers = await run(join(bin, 'pg_isready'), ['-q', '-h', sockets, '-p', String(port)], as).then(
      () => true,
      () => false,
    )
    if (answers) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const log = existsSync(join(folder, 'log')) ? readFileSync(join(folder, 'log'), 'utf8') : ''
  throw new Error(`PostgreSQL did not start: ${log.slice(-2_000)}`)
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
