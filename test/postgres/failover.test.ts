import { join } from 'node:path'
import { Client } from 'pg'
import { expect, it, onTestFinished } from 'vitest'
import type { Store } from '../../src/ports/store.ts'
import { openFenceFile } from '../../src/store/database-fence-file.ts'
import { migratePostgres } from '../../src/store/migrate-postgres.ts'
import { openPostgresStore } from '../../src/store/open-postgres.ts'
import { connectToPrimary, raiseFence } from '../../src/store/postgres-fence.ts'
import { emptyAction, leafOf } from '../contract/sample-rows.ts'
import { type PostgresServer, SUPERUSER, startPostgres } from '../support/postgres-server.ts'
import { OWNER, POSTGRES_MIGRATIONS, SERVING } from '../support/postgres-setup.ts'
import { tempFolder } from '../support/temp-folder.ts'

const REPLICATION = { wal_level: 'replica', max_wal_senders: '4', hot_standby: 'on' }
const WRITERS = 8

async function run(url: string, ...statements: string[]): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  try {
    let rows: Record<string, unknown>[] = []
    for (const statement of statements) rows = (await client.query(statement)).rows
    return rows
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** A primary, and a standby that has everything before it is acknowledged. */
async function openPair(): Promise<{ primary: PostgresServer; standby: PostgresServer }> {
  const primary = await startPostgres({ fsync: true, settings: REPLICATION })
  onTestFinished(() => primary.stop())
  const root = primary.url('postgres')
  await run(
    root,
    `CREATE ROLE ${OWNER} LOGIN`,
    `CREATE ROLE ${SERVING} LOGIN`,
    `CREATE DATABASE broker OWNER ${OWNER}`,
  )
  await migratePostgres({
    ownerUrl: primary.url('broker', OWNER),
    servingRole: SERVING,
    migrationsFolder: POSTGRES_MIGRATIONS,
  })
  const dataFolder = join(primary.folder, 'standby')
  const from = ['-h', '127.0.0.1', '-p', String(primary.port), '-U', SUPERUSER]
  await primary.program('pg_basebackup', [...from, '-D', dataFolder, '-R', '-X', 'stream', '-c', 'fast'])
  const standby = await startPostgres({ fsync: true, settings: REPLICATION, dataFolder })
  onTestFinished(() => standby.stop())
  await run(root, "ALTER SYSTEM SET synchronous_standby_names = '*'", 'SELECT pg_reload_conf()')
  await until(async () => {
    const [row] = await run(
      root,
      "select count(*)::int as count from pg_stat_replication where sync_state = 'sync'",
    )
    return row?.count === 1
  })
  return { primary, standby }
}

async function until(is: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 60_000
  while (!(await is())) {
    if (performance.now() > endMs) throw new Error('it did not come to that within a minute')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Writes without end and remembers what was acknowledged; what fails is left and the next begun. */
function startLoad(store: Store) {
  const acknowledged: number[] = []
  let next = 0
  let running = true
  const writer = async () => {
    while (running) {
      const number = next++
      const userId = `usr_${number % WRITERS}`
      await store
        .transaction(
          async (tx) => {
            await tx.actions.insert(
              emptyAction({
                id: `act_${number}`,
                userId,
                eventId: `evt_${number}`,
                idempotencyKey: `key-${number}`,
              }),
            )
            await tx.log.append({ ...leafOf(number, ['core']), userId }, tx.nowMs)
          },
          { userId },
        )
        .then(
          () => acknowledged.push(number),
          () => new Promise((resolve) => setTimeout(resolve, 20)),
        )
    }
  }
  const writers = Array.from({ length: WRITERS }, writer)
  return {
    acknowledged,
    async end() {
      running = false
      await Promise.all(writers)
    },
  }
}

it('loses nothing acknowledged when the primary is killed under load, and goes on by itself', async () => {
  const { primary, standby } = await openPair()
  const url = `postgres://${SERVING}@127.0.0.1:${primary.port},127.0.0.1:${standby.port}/broker`
  const fenceFile = join(tempFolder(), 'database-fence.json')
  const options = { url, migrationsFolder: POSTGRES_MIGRATIONS, connectionsMost: WRITERS }
  const store = await openPostgresStore({ ...options, fence: openFenceFile(fenceFile) })
  onTestFinished(() => store.close())
  const load = startLoad(store)
  await until(async () => load.acknowledged.length >= 200)

  await primary.kill()
  const before = load.acknowledged.length
  await run(standby.url('broker'), 'SELECT pg_promote(true, 30)')
  const promoted = await connectToPrimary(standby.url('broker', SERVING))
  expect(await raiseFence(promoted)).toBe(1)
  await promoted.end()
  await until(async () => load.acknowledged.length >= before + 200)
  await load.end()

  const kept = await run(standby.url('broker'), 'select id from actions')
  const ids = new Set(kept.map(({ id }) => id))
  expect(load.acknowledged.filter((number) => !ids.has(`act_${number}`))).toEqual([])
  const leaves = await run(
    standby.url('broker'),
    'select event_id as id from log_queue union all select event_id from log_leaves',
  )
  expect(leaves.map(({ id }) => String(id).replace('evt', 'act')).sort()).toEqual([...ids].map(String).sort())

  // The old primary comes back, and the new one goes: nobody writes to it, also not a node that starts again.
  await primary.startAgain()
  await standby.kill()
  await expect(store.transaction(async (tx) => tx.users.find('usr_x'))).rejects.toThrow('unavailable')
  await expect(openPostgresStore({ ...options, fence: openFenceFile(fenceFile) })).rejects.toThrow(
    'unavailable',
  )
  await standby.startAgain()
  await until(() =>
    store
      .read(async (tx) => tx.users.find('usr_x'))
      .then(
        () => true,
        () => false,
      ),
  )
}, 180_000)

it('refuses a standby as a primary', async () => {
  const { primary, standby } = await openPair()
  const alone = { url: standby.url('broker', SERVING), migrationsFolder: POSTGRES_MIGRATIONS }
  await expect(openPostgresStore(alone)).rejects.toThrow('unavailable')
  const url = `postgres://${SERVING}@127.0.0.1:${standby.port},127.0.0.1:${primary.port}/broker`
  const store = await openPostgresStore({ ...alone, url })
  await store.close()
}, 120_000)
