import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  fencedStore,
  LeaseLost,
  type NodeLeases,
  openLeases,
  SHARED_LEASES,
} from '../../src/broker/leases.ts'
import { createTestBroker, type TestBroker } from '../support/test-broker.ts'

let test: TestBroker
beforeEach(async () => {
  test = await createTestBroker()
})
afterEach(() => test.close())

const TTL_MS = SHARED_LEASES.ttlMs

function node(nodeId: string, isAlone = false): NodeLeases {
  const { broker, clock } = test
  return openLeases(broker.store, { ...SHARED_LEASES, nodeId, isAlone, monotonicMs: clock.nowMs })
}

describe('leases of several nodes', () => {
  it('go to one node, which keeps them for as long as it renews them', async () => {
    const [a, b] = [node('nod_a'), node('nod_b')]
    for (let i = 0; i < 5; i++) {
      await a.holdAll()
      await b.holdAll()
      expect([a.of('sequencer').fence(), b.of('sequencer').isHeld()]).toEqual([1, false])
      test.clock.advance(TTL_MS - 1)
    }
  })

  it('go to another once they have run out, with a higher fence', async () => {
    const [a, b] = [node('nod_a'), node('nod_b')]
    await a.holdAll()
    test.clock.advance(TTL_MS)
    expect(a.of('sequencer').isHeld()).toBe(false)
    await b.holdAll()
    await a.holdAll()
    expect([a.of('sequencer').isHeld(), b.of('sequencer').fence()]).toEqual([false, 2])
  })

  it('are free at once when they are given back', async () => {
    const [a, b] = [node('nod_a'), node('nod_b')]
    await a.holdAll()
    await a.stop()
    await b.holdAll()
    expect(b.of('sweeper').fence()).toBe(2)
    await a.holdAll()
    expect(a.of('sweeper').isHeld()).toBe(false)
  })

  it('let each node show that it is alive under a name of its own', async () => {
    await node('nod_a').holdAll()
    await node('nod_b').holdAll()
    const beats = await test.broker.store.read(async (tx) => tx.leases.list('node:'))
    expect(beats.map(({ holder, fence }) => [holder, fence])).toEqual([
      ['nod_a', 1],
      ['nod_b', 1],
    ])
  })

  it('are taken over at once by a process that knows to be alone', async () => {
    await node('nod_a').holdAll()
    const b = node('nod_b', true)
    await b.holdAll()
    expect(b.of('take_up').fence()).toBe(2)
  })

  it('are not lost to a node that only renews late, while nobody else wanted them', async () => {
    const a = node('nod_a')
    await a.holdAll()
    test.clock.advance(TTL_MS + 1)
    await a.holdAll()
    // Whatever was begun before is refused all the same: its fence is older.
    expect(a.of('sequencer').fence()).toBe(2)
  })
})

describe('a write under a lease', () => {
  const put = (store: TestBroker['broker']['store'], name: string) =>
    store.transaction(async (tx) => tx.keyChecks.insert({ name, value: 'v', setAtMs: tx.nowMs }))
  const names = async () =>
    (await test.broker.store.read(async (tx) => tx.keyChecks.list())).map((row) => row.name)

  it('is made while the lease is held', async () => {
    const a = node('nod_a')
    await a.holdAll()
    await put(fencedStore(test.broker.store, a.of('sweeper')), 'kept')
    expect(await names()).toEqual(['kept'])
  })

  it('of a node that was paused while another took over is refused whole', async () => {
    const [a, b] = [node('nod_a'), node('nod_b')]
    await a.holdAll()
    const fenced = fencedStore(test.broker.store, a.of('sweeper'))
    test.clock.advance(TTL_MS)
    await b.holdAll()
    await expect(put(fenced, 'lost')).rejects.toThrow(LeaseLost)
    expect(await names()).toEqual([])
  })

  it('is refused to a node that never held it', async () => {
    const fenced = fencedStore(test.broker.store, node('nod_a').of('sweeper'))
    await expect(put(fenced, 'lost')).rejects.toThrow(LeaseLost)
  })

  it('is refused to a process that took another one’s name', async () => {
    const [first, second] = [node('nod_a'), node('nod_a')]
    await first.holdAll()
    test.clock.advance(TTL_MS)
    await second.holdAll()
    await expect(put(fencedStore(test.broker.store, first.of('sweeper')), 'lost')).rejects.toThrow(LeaseLost)
  })
})
