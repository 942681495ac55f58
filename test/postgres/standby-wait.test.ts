import { Client } from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { migratePostgres } from '../../src/store/migrate-postgres.ts'
import { openPostgresStore } from '../../src/store/open-postgres.ts'
import { filledAction } from '../contract/sample-rows.ts'
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts'
import { POSTGRES_MIGRATIONS as migrationsFolder } from '../support/postgres-setup.ts'

let server: PostgresServer

beforeAll(async () => {
  server = await startPostgres({ settings: { synchronous_commit: 'on' } })
  const client = new Client({ connectionString: server.url('postgres') })
  await client.connect()
  await client.query('CREATE ROLE owner LOGIN; CREATE ROLE serving LOGIN')
  await client.query('CREATE DATABASE broker OWNER owner')
  await client.end()
  const ownerUrl = server.url('broker', 'owner')
  await migratePostgres({ ownerUrl, servingRole: 'serving', migrationsFolder })
})
afterAll(() => server.stop())

it('a COMMIT whose wait for the standby was ended is no success before a standby has it', async () => {
  const store = await openPostgresStore({ url: server.url('broker', 'serving'), migrationsFolder })
  const root = new Client({ connectionString: server.url('broker') })
  await root.connect()
  const wait = async (standby: string) => {
    await root.query(`ALTER SYSTEM SET synchronous_standby_names = '${standby}'`)
    await root.query('SELECT pg_reload_conf()')
  }
  const waiting = async () =>
    (await root.query(`select pid from pg_stat_activity where wait_event = 'SyncRep'`)).rows
  await wait('nobody')
  let runs = 0
  let isAcknowledged = false
  const adding = store
    .transaction(async (tx) => {
      runs += 1
      await tx.actions.insert(filledAction())
    })
    .then(() => {
      isAcknowledged = true
    })
  await expect.poll(waiting).toHaveLength(1)
  // As an administrator would: the server answers COMMIT, with warning 01000 that nobody else may have it.
  await root.query(`select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'`)
  // Now the looking waits for the standby, whose word alone counts.
  await expect.poll(waiting).toHaveLength(1)
  expect(isAcknowledged).toBe(false)
  await wait('')
  await adding
  expect(runs).toBe(1)
  expect((await root.query('select id from actions')).rows).toEqual([{ id: 'act_1' }])
  await root.end()
  await store.close()
})
