import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Store, Tx } from '../../src/ports/store.ts'
import { migratePostgres } from '../../src/store/migrate-postgres.ts'
import { openPostgresStore, type PostgresOptions } from '../../src/store/open-postgres.ts'
import { counterRow, counterState, filledAction } from '../contract/sample-rows.ts'
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts'
import { POSTGRES_MIGRATIONS as migrationsFolder } from '../support/postgres-setup.ts'

let server: PostgresServer
let store: Store

beforeAll(async () => {
  server = await startPostgres({ fsync: true })
  const client = new Client({ connectionString: server.url('postgres') })
  await client.connect()
  await client.query('CREATE ROLE owner LOGIN; CREATE ROLE serving LOGIN')
  await client.query('CREATE DATABASE broker OWNER owner')
  await client.end()
  const ownerUrl = server.url('broker', 'owner')
  await migratePostgres({ ownerUrl, servingRole: 'serving', migrationsFolder })
})
afterAll(() => server.stop())

const open = (options: Partial<PostgresOptions> = {}) =>
  openPostgresStore({
    url: server.url('broker', 'serving'),
    migrationsFolder,
    connectionsMost: 4,
    ...options,
  })

beforeEach(async () => {
  store = await open()
})
afterEach(async () => {
  await store.close()
  await query('delete from actions; delete from counters')
})

async function query(text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: server.url('broker') })
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

const add = (id: string, userId = 'usr_1', at: Store = store) =>
  at.transaction(async (tx) => tx.actions.insert(filledAction({ id, userId })), { userId })
const find = (id: string) => store.read(async (tx) => tx.actions.find(id))

describe('a database in trouble', () => {
  it('that is gone is told as that, leaves nothing half done, and is used again when it is back', async () => {
    await add('act_1')
    const held = store.transaction(
      async (tx) => {
        await tx.actions.insert(filledAction({ id: 'act_2' }))
        await server.kill()
        await tx.actions.find('act_2')
      },
      { userId: 'usr_2' },
    )
    await expect(held).rejects.toMatchObject({ name: 'StoreUnavailable', reason: 'unreachable' })
    await expect(add('act_3')).rejects.toMatchObject({ reason: 'unreachable' })
    await expect(find('act_1')).rejects.toMatchObject({ reason: 'unreachable' })
    await expect(store.drained()).rejects.toMatchObject({ reason: 'not_drained' })
    await server.startAgain()
    await add('act_4')
    expect(await query('select id from actions order by id')).toEqual([{ id: 'act_1' }, { id: 'act_4' }])
  })

  it('that ends every connection at once is asked over new ones, and nobody hears of it', async () => {
    await add('act_1')
    await find('act_1')
    await query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'countersign'`,
    )
    await Promise.all(Array.from({ length: 8 }, (_, i) => add(`act_1${i}`, `usr_${i}`)))
    expect(await find('act_17')).toMatchObject({ userId: 'usr_7' })
  })

  it('refuses those who come when too many wait, and forgets nobody who waited', async () => {
    const small = await open({ waitingMost: 3 })
    const gate = Promise.withResolvers<void>()
    const first = small.transaction(() => gate.promise, { userId: 'usr_1' })
    const waiting = ['act_a', 'act_b', 'act_c'].map((id) => add(id, 'usr_1', small))
    await expect(add('act_d', 'usr_1', small)).rejects.toMatchObject({ reason: 'busy' })
    gate.resolve()
    await Promise.all([first, ...waiting])
    expect(await query('select id from actions order by id')).toEqual([
      { id: 'act_a' },
      { id: 'act_b' },
      { id: 'act_c' },
    ])
    await small.close()
  })

  it('ends a unit of work that stands still, and lets the next one of that user go on', async () => {
    const still = store.transaction(
      async (tx) => {
        await tx.actions.insert(filledAction({ id: 'act_still' }))
        await new Promise((resolve) => setTimeout(resolve, 2_600))
        await tx.actions.find('act_still')
      },
      { userId: 'usr_1' },
    )
    const failed = expect(still).rejects.toMatchObject({ name: 'StoreUnavailable' })
    const other = await open()
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    await add('act_next', 'usr_1', other)
    await failed
    expect(await query('select id from actions')).toEqual([{ id: 'act_next' }])
    await other.close()
  })
})

describe('units of work that meet', () => {
  const seed = () =>
    store.transaction(async (tx) => tx.counters.insert([counterRow(), counterRow({ counterId: 'cnt_2' })]))
  const hold = async (tx: Tx, amount: number) => {
    const rows = await tx.counters.covering('usr_1', 'lin_1', 'coffee.order', 'place_order', 'EUR')
    await tx.counters.move(
      'usr_1',
      rows.map((row) => ({ ...row, held: row.held + amount, ceiling: row.ceiling + amount })),
    )
  }

  it('of one user run one after another on every node: no sum is lost', async () => {
    await seed()
    const nodes = [store, await open(), await open()]
    await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        (nodes[i % 3] as Store).transaction((tx) => hold(tx, 1), { userId: 'usr_1' }),
      ),
    )
    const after = await store.read(async (tx) => tx.counters.list('usr_1'))
    const start = counterState(counterRow())
    expect(after.map(({ held }) => held)).toEqual([start.held + 60, start.held + 60])
    for (const node of nodes.slice(1)) await node.close()
  })

  it('of owners that say they are different still keep every sum: rows are locked in one order', async () => {
    await seed()
    await Promise.all(
      Array.from({ length: 40 }, (_, i) => store.transaction((tx) => hold(tx, 1), { userId: `usr_${i}` })),
    )
    const [after] = await store.read(async (tx) => tx.counters.list('usr_1'))
    expect(after?.held).toBe(counterRow().held + 40)
  })

  it('in a circle are done again, each once', async () => {
    await add('act_1')
    await add('act_2')
    let runs = 0
    const cross = (first: string, second: string, owner: string) =>
      store.transaction(
        async (tx) => {
          runs += 1
          const row = await tx.actions.find(first)
          await new Promise((resolve) => setTimeout(resolve, 100))
          const other = await tx.actions.find(second)
          if (row && other)
            await tx.actions.update({ ...other, capturedMinor: 0, overrunMinor: other.overrunMinor + 1 })
        },
        { userId: owner },
      )
    await Promise.all([cross('act_1', 'act_2', 'usr_x'), cross('act_2', 'act_1', 'usr_y')])
    expect(runs).toBe(3)
    const overrun = filledAction().overrunMinor + 1
    expect([(await find('act_1'))?.overrunMinor, (await find('act_2'))?.overrunMinor]).toEqual([
      overrun,
      overrun,
    ])
  })

  it('that add the same row at the same moment see it when they look again', async () => {
    let added = 0
    const addOnce = (owner: string) =>
      store.transaction(
        async (tx) => {
          if (await tx.actions.findByKey('usr_1', 'agt_1', 'act_1')) return
          await new Promise((resolve) => setTimeout(resolve, 50))
          await tx.actions.insert(filledAction({ id: 'act_1' }))
          added += 1
        },
        { userId: owner },
      )
    await Promise.all([addOnce('usr_x'), addOnce('usr_y')])
    expect(await query('select id from actions')).toEqual([{ id: 'act_1' }])
    expect(added).toBe(2)
  })
})
