import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { rootOf } from '../../src/core/merkle/tree.ts'
import type { Store, Tx } from '../../src/ports/store.ts'
import { GroupCommitWriter, TransactionMisuse, type Unit } from '../../src/store/group-commit-writer.ts'
import { leafOf, NOW_MS } from '../contract/sample-rows.ts'
import { openTestStore } from '../support/sqlite-file.ts'
import { storeTree } from '../support/stored-tree.ts'
import { tempFolder } from '../support/temp-folder.ts'

function openStore(file = join(tempFolder(), 'broker.db')): Store {
  const store = openTestStore(file, NOW_MS)
  onTestFinished(() => store.close())
  return store
}

/** A row and a leaf, so that a half-kept unit shows. */
async function keep(tx: Tx, number: number): Promise<number> {
  await tx.users.save({ id: `usr_${number}`, timeZone: 'UTC', createdAtMs: NOW_MS })
  await tx.log.append(leafOf(number, ['core']), NOW_MS)
  return number
}

/** Which of the numbers were kept: rows, leaves, parts and the root of the tree must agree on it. */
async function kept(store: Store, numbers: number[]): Promise<number[]> {
  return store.read(async (tx) => {
    const leaves = await tx.log.leaves(0, 1000)
    const found: number[] = []
    for (const number of numbers) {
      const user = await tx.users.find(`usr_${number}`)
      const parts = await tx.log.parts(`evt_${number}`)
      expect(parts.length === 1).toBe(user !== undefined)
      if (user) found.push(number)
    }
    expect(leaves.map((leaf) => leaf.eventId)).toEqual(found.map((number) => `evt_${number}`))
    const head = await store.treeHead()
    const tree = storeTree(leaves.map((leaf) => leaf.leafHash))
    expect(head).toEqual({ treeSize: leaves.length, rootHash: rootOf(tree.edge) })
    return found
  })
}

describe('a group commit', () => {
  it('undoes a unit that throws after writing, and keeps its neighbours', async () => {
    const store = openStore()
    const outcomes = await Promise.allSettled([
      store.transaction((tx) => keep(tx, 1)),
      store.transaction(async (tx) => {
        await keep(tx, 2)
        throw new Error('changed my mind')
      }),
      store.transaction((tx) => keep(tx, 3)),
    ])
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(await kept(store, [1, 2, 3])).toEqual([1, 3])
  })

  it('treats work that throws before it returns a promise like any other failure', async () => {
    const store = openStore()
    const thrown = store.transaction(() => {
      throw new Error('at once')
    })
    await expect(thrown).rejects.toThrow('at once')
    expect(await store.transaction((tx) => keep(tx, 1))).toBe(1)
  })

  const foreign: [string, (store: Store) => Promise<unknown>][] = [
    ['a timer', () => new Promise((resolve) => setTimeout(resolve, 1))],
    ['setImmediate', () => nextTurn()],
    ['crypto.subtle', () => crypto.subtle.digest('SHA-256', Buffer.alloc(1))],
    ['another transaction', (store) => store.transaction(async () => undefined)],
    ['a promise nobody settles', () => new Promise(() => {})],
  ]
  it.each(foreign)('refuses a unit that awaits %s, and keeps its neighbours', async (_, wait) => {
    const store = openStore()
    const outcomes = await Promise.allSettled([
      store.transaction((tx) => keep(tx, 1)),
      store.transaction(async (tx) => {
        await keep(tx, 2)
        await wait(store)
        await keep(tx, 3)
      }),
      store.transaction((tx) => keep(tx, 4)),
      store.transaction(async (tx) => {
        await wait(store)
        return keep(tx, 5)
      }),
      store.transaction((tx) => keep(tx, 6)),
    ])
    expect(outcomes.map((outcome) => outcome.status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
    ])
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(TransactionMisuse)
    }
    expect(await kept(store, [1, 2, 3, 4, 5, 6])).toEqual([1, 4, 6])
  })

  it('lets a unit take as many turns of its own as it likes', async () => {
    const store = openStore()
    const value = await store.transaction(async (tx) => {
      for (let i = 0; i < 5000; i++) await null
      return keep(tx, 1)
    })
    expect(value).toBe(1)
  })

  it('lets nobody write through a transaction that is over', async () => {
    const store = openStore()
    let leaked: Tx | undefined
    const late = Promise.withResolvers<unknown[]>()
    const misused = store.transaction(async (tx) => {
      leaked = tx
      await nextTurn()
      // This runs after the unit was given up, in the middle of somebody else's turn.
      const tries = [() => tx.users.find('usr_1'), () => keep(tx, 1), () => tx.log.append(leafOf(1), NOW_MS)]
      late.resolve(await Promise.all(tries.map((attempt) => thrownBy(attempt))))
    })
    await expect(misused).rejects.toBeInstanceOf(TransactionMisuse)
    for (const error of await late.promise) expect(error).toBeInstanceOf(TransactionMisuse)

    await store.transaction(async (tx) => {
      leaked = tx
    })
    expect(await thrownBy(() => leaked?.users.find('usr_1'))).toBeInstanceOf(TransactionMisuse)
    // Inside another's open transaction too: the leaked one must not write into it.
    await store.transaction(async () => {
      expect(await thrownBy(() => leaked?.log.append(leafOf(2), NOW_MS))).toBeInstanceOf(TransactionMisuse)
    })
    expect(await kept(store, [1, 2])).toEqual([])
  })

  it('has the same edge after a restart as before, over more leaves than two rows of tiles', async () => {
    const file = join(tempFolder(), 'broker.db')
    const store = openTestStore(file, NOW_MS)
    const count = 70_007
    for (let from = 0; from < count; from += 10_000) {
      await store.transaction(async (tx) => {
        for (let i = from; i < Math.min(from + 10_000, count); i++) await tx.log.append(leafOf(i), NOW_MS)
      })
    }
    const before = await store.treeHead()
    await store.close()
    const again = openStore(file)
    expect(await again.treeHead()).toEqual(before)
    const hashes = await again.read(async (tx) => tx.log.leafHashes(0, count))
    expect(before).toEqual({ treeSize: count, rootHash: rootOf(storeTree(hashes).edge) })
    await again.transaction((tx) => keep(tx, count))
    const longer = storeTree([...hashes, leafOf(count).leafHash])
    expect((await again.treeHead()).rootHash).toEqual(rootOf(longer.edge))
  })
})

/** A writer over a scratch table, with a number in memory that follows the rows. */
function openScratch(maxBatch?: number) {
  const file = join(tempFolder(), 'scratch.db')
  const db = new Database(file)
  onTestFinished(() => void db.close())
  db.pragma('journal_mode = WAL')
  db.pragma('foreign_keys = ON')
  db.exec(`CREATE TABLE parents (id INTEGER PRIMARY KEY);
    CREATE TABLE rows (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED, filling BLOB)`)
  const count = db.prepare<[], { n: number }>('SELECT count(*) AS n FROM rows')
  const insert = db.prepare('INSERT INTO rows (id, parent, filling) VALUES (?, ?, ?)')
  const memory = { load: () => count.get()?.n ?? -1, current: 0 }
  const writer = new GroupCommitWriter(db, memory, maxBatch)
  const add = (id: number, parent: number | null = null, bytes = 0) =>
    writer.run(async (unit: Unit) => {
      unit.check()
      insert.run(id, parent, Buffer.alloc(bytes))
      memory.current += 1
      await null
      return id
    })
  /** What another connection sees: only what is committed. */
  const outside = () => {
    const other = new Database(file, { readonly: true })
    const ids = other.prepare('SELECT id FROM rows ORDER BY id').pluck().all()
    other.close()
    return ids
  }
  return { db, memory, writer, add, outside }
}

describe('a group commit that fails as a whole', () => {
  it('rejects every unit when COMMIT is refused, and loads its memory anew', async () => {
    const { add, outside, memory } = openScratch()
    await add(1)
    const outcomes = await Promise.allSettled([add(2), add(3, 99), add(4)])
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'SQLITE_CONSTRAINT_FOREIGNKEY' } })
    }
    expect([outside(), memory.current]).toEqual([[1], 1])
    expect(await add(5)).toBe(5)
    expect([outside(), memory.current]).toEqual([[1, 5], 2])
  })

  it('rejects every unit when the engine rolls back by itself, and works again once there is room', async () => {
    const { db, add, outside, memory } = openScratch()
    await add(1)
    const pages = Number(db.pragma('page_count', { simple: true }))
    db.pragma(`max_page_count = ${pages + 2}`)
    const outcomes = await Promise.allSettled([add(2), add(3, null, 1_000_000), add(4)])
    const statuses = outcomes.map((outcome) => outcome.status)
    // Whether the engine undoes the statement or the whole transaction is its choice; memory must follow it.
    expect(statuses[1]).toBe('rejected')
    expect(memory.current).toBe(outside().length)
    expect(outside()).toEqual([1, ...outcomes.flatMap((o) => (o.status === 'fulfilled' ? [o.value] : []))])
    db.pragma('max_page_count = 1000000')
    expect(await add(5, null, 1_000_000)).toBe(5)
    expect(memory.current).toBe(outside().length)
  })

  it('rejects every unit when a statement rolled the transaction back', async () => {
    const { db, add, outside, memory } = openScratch()
    db.exec(`CREATE TRIGGER full BEFORE INSERT ON rows WHEN NEW.id = 13
      BEGIN SELECT RAISE(ROLLBACK, 'the disk is full'); END`)
    await add(1)
    const outcomes = await Promise.allSettled([add(2), add(13), add(4)])
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { message: 'the disk is full' } })
    }
    expect([outside(), memory.current]).toEqual([[1], 1])
    expect(await add(5)).toBe(5)
    expect([outside(), memory.current]).toEqual([[1, 5], 2])
  })

  it('lets no unit write on after the engine rolled back, though it swallowed the error', async () => {
    const { db, add, outside, memory, writer } = openScratch()
    db.exec(`CREATE TRIGGER full BEFORE INSERT ON rows WHEN NEW.id = 13
      BEGIN SELECT RAISE(ROLLBACK, 'the disk is full'); END`)
    const insert = db.prepare('INSERT INTO rows (id) VALUES (?)')
    const stubborn = writer.run(async (unit) => {
      for (const id of [2, 13, 14]) {
        await thrownBy(() => {
          unit.check()
          insert.run(id)
        })
      }
    })
    const outcomes = await Promise.allSettled([add(1), stubborn, add(3)])
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect([outside(), memory.current]).toEqual([[], 0])
    expect(await add(5)).toBe(5)
  })
})

describe('the outcome of a unit', () => {
  it('is told to nobody before COMMIT returned', async () => {
    const { writer, add, outside } = openScratch()
    const seen: unknown[] = []
    const told = [add(1), add(2), add(3)].map((one) => one.then(() => seen.push(outside())))
    await writer.run(async () => {
      // The three before are through by now, and still nobody knows.
      expect(seen).toEqual([])
      expect(outside()).toEqual([])
    })
    await Promise.all(told)
    expect(seen).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [1, 2, 3],
    ])
  })

  it('comes in batches of at most the size that was set', async () => {
    const { add, outside } = openScratch(4)
    const visible = new Set<number>()
    await Promise.all(Array.from({ length: 10 }, (_, i) => add(i).then(() => visible.add(outside().length))))
    expect([...visible]).toEqual([4, 8, 10])
  })

  it('is in the order in which the units were asked for', async () => {
    const { add } = openScratch(3)
    const order: number[] = []
    await Promise.all([5, 3, 9, 1, 7].map((id) => add(id).then((done) => order.push(done))))
    expect(order).toEqual([5, 3, 9, 1, 7])
  })
})

/** What an attempt throws, now or later; undefined if it does not. */
async function thrownBy(attempt: () => unknown): Promise<unknown> {
  try {
    await attempt()
    return undefined
  } catch (error) {
    return error
  }
}
