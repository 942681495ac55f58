import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkRegister } from '../../src/broker/check-register.ts'
import { LeaseLost } from '../../src/broker/leases.ts'
import {
  NothingPublished,
  openCheckpointPublisher,
  RegisterConflict,
} from '../../src/broker/publish-checkpoint.ts'
import type { CheckpointRegister } from '../../src/ports/checkpoint-register.ts'
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
  await a.leases.holdAll()
})
afterEach(() => nodes.close())

async function grow(node: TestNode, count: number): Promise<void> {
  await appendLeaves(node.broker, count)
  await node.sequencer.run()
}

async function takeOver(node: TestNode): Promise<void> {
  await nodes.endLeases()
  await node.leases.holdAll()
}

const stored = async () =>
  (await nodes.database.query<{ tree_size: string }>('select tree_size from log_checkpoints order by 1')).map(
    (row) => Number(row.tree_size),
  )

describe('the checkpoints of a log that several nodes serve', () => {
  it('are signed by the node that sequences, and served by all', async () => {
    await expect(b.publisher.publishNow()).rejects.toThrow(NothingPublished)
    await grow(a, 7)
    const signed = await a.publisher.publishNow()
    expect((await b.publisher.publishNow()).note).toBe(signed.note)
    await grow(a, 1)
    expect(await b.publisher.publishNow()).toMatchObject({ treeSize: 7 })
    expect(await stored()).toEqual([7])
    expect((await verifyLog(...(await servedLog(b)))).kind).toBe('verified')
  })

  it('go on at the next node after one that ended between its leaves and their checkpoint', async () => {
    await grow(a, 5)
    await a.publisher.publishNow()
    await grow(a, 4)
    await takeOver(b)
    expect(await checkRegister(b.broker, nodes.register)).toEqual({ kind: 'ok' })
    expect(await b.publisher.publishNow()).toMatchObject({ treeSize: 9 })
    expect(await nodes.register.read()).toMatchObject({ treeSize: 9 })
    expect(await stored()).toEqual([5, 9])
  })

  it('go on after one that ended between the register and the signature', async () => {
    await grow(a, 5)
    const head = await a.broker.store.treeHead()
    await nodes.register.advance(undefined, { origin: a.broker.settings.logOrigin, ...head })
    await takeOver(b)
    expect(await b.publisher.publishNow()).toMatchObject({ treeSize: 5 })
  })

  it('are not stored by a node that was paused before it could, which then goes on as a follower', async () => {
    await grow(a, 5)
    const gate = Promise.withResolvers<void>()
    const slow = withPause(nodes.register, gate.promise)
    const paused = openCheckpointPublisher(a.broker, slow.register, a.leases.of('sequencer'))
    const late = paused.publishNow()
    await slow.reached
    await takeOver(b)
    await grow(b, 5)
    expect(await b.publisher.publishNow()).toMatchObject({ treeSize: 10 })
    gate.resolve()
    await expect(late).rejects.toThrow(LeaseLost)
    expect([paused.isHealthy(), await stored()]).toEqual([true, [10]])
    expect(await paused.publishNow()).toMatchObject({ treeSize: 10 })
  })

  it('end when the register was moved by somebody who had no lease, and nothing of it is a reason to go on', async () => {
    await grow(a, 5)
    await a.publisher.publishNow()
    const entry = await nodes.register.read()
    await nodes.register.advance(entry, {
      origin: a.broker.settings.logOrigin,
      treeSize: 6,
      rootHash: Buffer.alloc(32, 1),
    })
    await grow(a, 1)
    await expect(a.publisher.publishNow()).rejects.toThrow(RegisterConflict)
    await expect(a.publisher.publishNow()).rejects.toThrow(RegisterConflict)
    expect([a.publisher.isHealthy(), b.publisher.isHealthy()]).toEqual([false, true])
    expect(nodes.shared.logged.filter(({ event }) => event === 'register_conflict')).toHaveLength(1)
    await takeOver(b)
    await expect(b.publisher.publishNow()).rejects.toThrow(RegisterConflict)
    expect(await stored()).toEqual([5])
    expect(await checkRegister(b.broker, nodes.register)).toMatchObject({ kind: 'log_forked' })
  })

  it('are one for one size, whoever signs at the same time', async () => {
    await grow(a, 5)
    const again = openCheckpointPublisher(a.broker, nodes.register, a.leases.of('sequencer'))
    const both = await Promise.allSettled([a.publisher.publishNow(), again.publishNow()])
    expect(both.some(({ status }) => status === 'fulfilled')).toBe(true)
    expect(await stored()).toEqual([5])
    expect(await nodes.register.read()).toMatchObject({ treeSize: 5 })
  })
})

/** A register whose first look takes until the gate opens: what was read is old by then. */
function withPause(register: CheckpointRegister, gate: Promise<void>) {
  const reached = Promise.withResolvers<void>()
  return {
    reached: reached.promise,
    register: {
      async read() {
        const entry = await register.read()
        reached.resolve()
        await gate
        return entry
      },
      advance: register.advance,
    } satisfies CheckpointRegister,
  }
}
