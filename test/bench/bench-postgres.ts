import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { migratePostgres } from '../../src/store/migrate-postgres.ts'
import { startPostgres } from '../support/postgres-server.ts'

const MIGRATIONS = fileURLToPath(new URL('../../migrations/postgres', import.meta.url))
const OWNER = 'bench_owner'
const SERVING = 'bench'
/** Of the kernel's clock, which /proc counts in. */
const MICROSECONDS_PER_TICK = 10_000

/** A server of the bench's own. Its commits reach the disk, as they would in earnest. */
export type BenchPostgres = {
  readonly version: string
  /** Holds its data; figures are about the disk that this is on. */
  readonly folder: string
  /** Makes a migrated database, and an empty one for keys. */
  makeDatabases(name: string): Promise<{ databaseUrl: string; keyStoreUrl: string; adminUrl: string }>
  /** Bytes of its write-ahead log so far. */
  walBytes(): Promise<number>
  /** Processor time of all its processes so far, in microseconds; 0 where it cannot be read. */
  cpuMicroseconds(): number
  stop(): Promise<void>
}

/** @throws (rejects) if PostgreSQL is not there or does not start. */
export async function openBenchPostgres(): Promise<BenchPostgres> {
  const server = await startPostgres({ fsync: true, settings: { shared_buffers: '256MB' } })
  const admin = new Client({ connectionString: server.url('postgres') })
  try {
    await admin.connect()
    await admin.query(`CREATE ROLE ${OWNER} LOGIN; CREATE ROLE ${SERVING} LOGIN`)
  } catch (error) {
    await server.stop()
    throw error
  }
  const ask = async (text: string): Promise<string> =>
    String(Object.values((await admin.query(text)).rows[0] ?? {})[0])
  return {
    version: await ask('show server_version'),
    folder: server.folder,
    async makeDatabases(name) {
      for (const each of [name, `${name}_keys`]) await admin.query(`CREATE DATABASE ${each} OWNER ${OWNER}`)
      const ownerUrl = server.url(name, OWNER)
      await migratePostgres({ ownerUrl, servingRole: SERVING, migrationsFolder: MIGRATIONS })
      return {
        databaseUrl: server.url(name, SERVING),
        keyStoreUrl: server.url(`${name}_keys`, OWNER),
        adminUrl: server.url(name),
      }
    },
    walBytes: async () => Number(await ask("select pg_current_wal_insert_lsn() - '0/0'::pg_lsn")),
    cpuMicroseconds: () => treeMicroseconds(postmasterOf(server.folder)),
    async stop() {
      await admin.end()
      await server.stop()
    },
  }
}

function postmasterOf(folder: string): number {
  return Number(readFileSync(join(folder, 'data', 'postmaster.pid'), 'utf8').split('\n')[0])
}

/** Of a process with its children, those that ended included. */
function treeMicroseconds(pid: number): number {
  if (process.platform !== 'linux') return 0
  let ticks = 0
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const fields = statOf(entry)
    const isOwn = Number(entry) === pid
    if (!isOwn && Number(fields[1]) !== pid) continue
    // After the name: state, parent, …; user and system time are the 12th and 13th, those of ended children follow.
    const times = isOwn ? fields.slice(11, 15) : fields.slice(11, 13)
    for (const time of times) ticks += Number(time)
  }
  return ticks * MICROSECONDS_PER_TICK
}

/** The fields behind a process's name, which may hold anything; none if it has just ended. */
function statOf(pid: string): string[] {
  try {
    const text = readFileSync(join('/proc', pid, 'stat'), 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return []
  }
}
