import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import type { Store } from '../../src/ports/store.ts'
import { filledAction, leafOf, NOW_MS } from '../contract/sample-rows.ts'
import { type CuttingProxy, openCuttingProxy } from '../support/cutting-proxy.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres-database.ts'

let database: TestDatabase
let proxy: CuttingProxy
let store: Store

beforeEach(async () => {
  database = await createTestDatabase()
  const { port } = inject('postgres')
  proxy = await openCuttingProxy(port)
  const url = database.url().replace(`:${port}/`, `:${proxy.port}/`)
  const clocks = { wallMs: () => NOW_MS, monotonicMs: () => 0 }
  store = await database.open({ url, clocks, backoff: { triesMost: 3, pauseMs: 5, random: () => 0.5 } })
})
afterEach(async () => {
  proxy.cut('none')
  await store.close()
  await proxy.close()
  await database.drop()
})

const rowsOf = (table: string) => database.query(`select * from ${table}`)

/** Adds a row and says how often it was done; with a leaf, which is what tells, or without, where a mark does. */
async function add(withLeaf: boolean): Promise<number> {
  let runs = 0
  await store.transaction(
    async (tx) => {
      runs += 1
      await tx.actions.insert(filledAction())
      if (withLeaf) await tx.log.append(leafOf(0, ['core']), NOW_MS)
    },
    { userId: 'usr_1' },
  )
  return runs
}

describe.each([
  ['with a leaf', true],
  ['without a leaf', false],
])('a unit of work %s whose COMMIT nobody answered', (_, withLeaf) => {
  it('was kept: what it came to is told, and it is not done again', async () => {
    proxy.cut('after')
    expect(await add(withLeaf)).toBe(1)
    expect(await rowsOf('actions')).toHaveLength(1)
    expect(await rowsOf('log_queue')).toHaveLength(withLeaf ? 1 : 0)
  })

  it('was lost: it is done again, once', async () => {
    proxy.cut('before')
    expect(await add(withLeaf)).toBe(2)
    expect(await rowsOf('actions')).toHaveLength(1)
    expect(await rowsOf('log_queue')).toHaveLength(withLeaf ? 1 : 0)
  })

  it('is looked up until an answer to the looking comes through as well', async () => {
    proxy.cut('after', 3)
    expect(await add(withLeaf)).toBe(1)
    expect(await rowsOf('actions')).toHaveLength(1)
  })

  it('stays unknown where nothing can be looked up any more, and is not said to be kept', async () => {
    proxy.cut('after', 10_000)
    await expect(add(withLeaf)).rejects.toMatchObject({ reason: 'unknown_commit' })
    expect(await rowsOf('actions')).toHaveLength(1)
  })
})

describe('a unit of work that was only a look', () => {
  it('is what it was, whatever became of its COMMIT', async () => {
    proxy.cut('before')
    expect(await store.transaction(async (tx) => tx.actions.find('act_1'))).toBeUndefined()
    expect(await rowsOf('commit_marks')).toEqual([])
  })
})
