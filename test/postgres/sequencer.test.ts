import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LeaseLost } from '../../src/broker/leases.ts'
import { hashLeaf } from '../../src/core/merkle/tree.ts'
import type { Store, Tx } from '../../src/ports/store.ts'
import { verifyLog } from '../../src/sdk/verify-log.ts'
import { appendLeaves } from '../support/append-leaves.ts'
import { servedLog } from '../support/served-log.ts'
import { type TestNode, type TestNodes, testNodes } from '../support/test-nodes.ts'

let nodes: TestNodes
let a: TestNode
let b: TestNode
beforeEach(async () => {
  nodes = await testNodes()
  a = await nodes.open('nod_a')
  b = await nodes.open('nod_b')
})
afterEach(() => nodes.close())

const queued = async () =>
  (await nodes.database.query<{ event_id: string }>('select event_id from log_queue')).map(
    (row) => row.event_id,
  )
const leaves = async () => {
  const rows = await a.broker.store.read(async (tx) => tx.log.leaves(0, 100_000))
  expect(rows.map((row) => row.leafIndex)).toEqual([...rows.keys()])
  for (const row of rows) expect(row.leafHash).toEqual(hashLeaf(row.leaf))
  return rows.map((row) => row.eventId)
}
const verdict = async (node: TestNode) => (await verifyLog(...(await servedLog(node)))).kind

describe('the sequencer of a log that several nodes write', () => {
  it('gives every leaf one place, without gaps, and the tree that is theirs', async () => {
    await a.leases.holdAll()
    const c = await nodes.open('nod_c')
    const written = await Promise.all(
      [a, b, c].flatMap((node) => [1, 2, 3, 4].map(() => appendLeaves(node.broker, 50))),
    )
    expect(await a.sequencer.run()).toBe(600)
    expect((await leaves()).toSorted()).toEqual(written.flat().toSorted())
    expect(await queued()).toEqual([])
    const [{ count } = { count: 0 }] = await nodes.database.query<{ count: string }>(
      'select count(*) from log_nodes',
    )
    expect(Number(count)).toBe(2)
    await a.publisher.publishNow()
    expect(await verdict(a)).toBe('verified')
  })

  it('goes on where another one ended, from what is stored', async () => {
    await a.leases.holdAll()
    const first = await appendLeaves(a.broker, 300)
    await a.sequencer.run()
    await nodes.endLeases()
    await b.leases.holdAll()
    const second = await appendLeaves(b.broker, 300)
    expect(await b.sequencer.run()).toBe(300)
    expect(await leaves()).toEqual([...first, ...second])
    await b.publisher.publishNow()
    expect(await verdict(b)).toBe('verified')
  })

  it('writes nothing once its lease went to another, and takes up the new tree when it has it again', async () => {
    await a.leases.holdAll()
    await appendLeaves(a.broker, 10)
    await a.sequencer.run()
    await nodes.endLeases()
    await b.leases.holdAll()
    await appendLeaves(b.broker, 10)
    // It was paused and does not know yet: its own clock says that the lease is good.
    expect(a.leases.of('sequencer').isHeld()).toBe(true)
    await expect(a.sequencer.run()).rejects.toThrow(LeaseLost)
    expect(await queued()).toHaveLength(10)
    expect(await b.sequencer.run()).toBe(10)

    await nodes.endLeases()
    await a.leases.holdAll()
    await appendLeaves(b.broker, 5)
    expect(await a.sequencer.run()).toBe(5)
    expect(await leaves()).toHaveLength(25)
    await a.publisher.publishNow()
    expect(await verdict(a)).toBe('verified')
  })

  it('that is paused in the middle of a batch keeps nothing of it, and the next one places all', async () => {
    const gate = Promise.withResolvers<void>()
    const reached = Promise.withResolvers<void>()
    const slow = await nodes.open('nod_slow', (store) => pausing(store, gate.promise, reached.resolve))
    await slow.leases.holdAll()
    const written = await appendLeaves(a.broker, 20)
    const paused = slow.sequencer.run()
    await reached.promise
    // The database ends the unit that stands still, and with it the lock that keeps everybody else out.
    await expect.poll(() => nodes.database.query(IDLE_UNITS), { timeout: 20_000 }).toEqual([])
    await nodes.endLeases()
    await b.leases.holdAll()
    expect(await b.sequencer.run()).toBe(20)
    gate.resolve()
    await expect(paused).rejects.toThrow()
    expect(await leaves()).toEqual(written)
  })

  it('makes one leaf of an event that stands in line twice, or again after it was placed', async () => {
    await a.leases.holdAll()
    const [eventId] = await appendLeaves(a.broker, 1)
    const copyTo = (userId: string) =>
      nodes.database.query(
        `insert into log_queue (event_id, user_id, leaf, leaf_hash, at_ms, queued_us)
         select event_id, $1, leaf, leaf_hash, at_ms, 1 from (
           select event_id, leaf, leaf_hash, at_ms from log_queue where event_id = $2
           union all select event_id, leaf, leaf_hash, at_ms from log_leaves where event_id = $2) as one limit 1`,
        [userId, eventId],
      )
    await copyTo('usr_twice')
    expect(await queued()).toHaveLength(2)
    expect(await a.sequencer.run()).toBe(1)
    await copyTo('usr_again')
    expect(await a.sequencer.run()).toBe(0)
    expect(await queued()).toEqual([])
    expect(await leaves()).toEqual([eventId])
  })

  it('is no other node: who does not hold the lease cannot place a leaf', async () => {
    await a.leases.holdAll()
    await b.leases.holdAll()
    await appendLeaves(b.broker, 1)
    await expect(b.sequencer.run()).rejects.toThrow(LeaseLost)
    expect(await leaves()).toEqual([])
  })
})

const IDLE_UNITS = `select pid from pg_stat_activity where state like 'idle in transaction%' and datname = current_database()`

/** A store whose sequencing stands still once its lease is checked, as a process does that is stopped. */
function pausing(store: Store, gate: Promise<void>, reached: () => void): Store {
  const paused = (tx: Tx): Tx =>
    new Proxy(tx, {
      get(target, name) {
        const found = Reflect.get(target, name, target)
        if (name !== 'logQueue') return found
        return {
          oldest: async () => {
            reached()
            await gate
            return found.oldest(10)
          },
        }
      },
    })
  return {
    transaction: (work, owner) =>
      store.transaction((tx) => work(owner?.userId === ':sequencer' ? paused(tx) : tx), owner),
    drained: () => store.drained(),
    read: (work) => store.read(work),
    treeHead: () => store.treeHead(),
    now: () => store.now(),
    confirmClock: () => store.confirmClock(),
    close: () => store.close(),
  }
}
