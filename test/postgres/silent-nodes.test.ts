import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { authorizeAction } from '../../src/broker/authorize-action.ts'
import type { Broker } from '../../src/broker/broker.ts'
import { executeAction } from '../../src/broker/execute-action.ts'
import { fencedStore, LeaseLost } from '../../src/broker/leases.ts'
import { performAction } from '../../src/broker/perform-action.ts'
import { resolveInDoubt } from '../../src/broker/resolve-in-doubt.ts'
import { takeUpFromSilentNodes } from '../../src/broker/take-up-unsettled.ts'
import type { ActionRow } from '../../src/ports/rows.ts'
import { COFFEE, paid } from '../support/coffee-test.ts'
import { answered } from '../support/fake-skill.ts'
import { type Granted, grantAll, order, SECRET } from '../support/granted-agent.ts'
import { createSkillKey } from '../support/skill-key.ts'
import { type TestNode, type TestNodes, testNodes } from '../support/test-nodes.ts'

let nodes: TestNodes
let a: TestNode
let b: TestNode
let alice: Granted
const key = createSkillKey()

beforeEach(async () => {
  nodes = await testNodes()
  a = await nodes.open('nod_a')
  b = await nodes.open('nod_b')
  nodes.shared.secrets.set('coffee.order /payment_token', SECRET)
  for (const node of [a, b]) {
    await node.leases.holdAll()
    await node.watch.look()
  }
  alice = await grantAll(a.broker, key.inManifest(COFFEE))
  nodes.shared.skill.replyAlways(paid(100))
})
afterEach(() => nodes.close())

const sweeping = (node: TestNode): Broker => ({
  ...node.broker,
  store: fencedStore(node.broker.store, node.leases.of('take_up')),
})

async function row(id: string): Promise<ActionRow> {
  const found = await b.broker.store.read(async (tx) => tx.actions.find(id))
  if (!found) throw new Error('no action')
  return found
}

async function permitted(node: TestNode) {
  const authorization = await authorizeAction(node.broker, alice.ask('order_and_pay', order(100)))
  if (authorization.kind !== 'permit') throw new Error(authorization.kind)
  return authorization.permit
}

/** Time passes at the database while a node stands still. */
async function silence(node: TestNode): Promise<void> {
  await nodes.database.query('update leases set expires_at_ms = 0 where holder = $1', [node.id])
  for (const other of [a, b]) if (other !== node) await other.leases.holdAll()
}

describe('what a node had dispatched', () => {
  it('is left alone while its heartbeat goes on', async () => {
    const permit = await permitted(b)
    expect(await takeUpFromSilentNodes(sweeping(a))).toBe(0)
    expect(await row(permit.row.id)).toMatchObject({ status: 'dispatched', nodeId: 'nod_b' })
  })

  it('is in doubt once its heartbeat has ended, and nobody else’s is', async () => {
    const [dead, alive] = [await permitted(b), await permitted(a)]
    await silence(b)
    expect(await takeUpFromSilentNodes(sweeping(a))).toBe(1)
    expect(await row(dead.row.id)).toMatchObject({ status: 'in_doubt', reason: 'restarted' })
    expect(await row(alive.row.id)).toMatchObject({ status: 'dispatched' })
    expect(await takeUpFromSilentNodes(sweeping(a))).toBe(0)
  })

  it('is not sent by a node that was paused before its first byte and taken up meanwhile', async () => {
    const permit = await permitted(b)
    await silence(b)
    await takeUpFromSilentNodes(sweeping(a))
    const told = await executeAction(b.broker, permit)
    expect(nodes.shared.skill.calls).toEqual([])
    // It does not call it settled either: whoever took it up may have sent it again by now.
    expect(told).toMatchObject({ id: permit.row.id, status: 'in_doubt', heldMinor: 100 })
  })

  it('is still settled by the answer to a call that a node taken for dead had sent', async () => {
    const gate = Promise.withResolvers<void>()
    const sent = Promise.withResolvers<void>()
    nodes.shared.skill.replyNext(async () => {
      sent.resolve()
      await gate.promise
      return paid(100)
    })
    const permit = await permitted(b)
    const running = executeAction(b.broker, permit)
    await sent.promise
    await silence(b)
    expect(await takeUpFromSilentNodes(sweeping(a))).toBe(1)
    gate.resolve()
    expect(await running).toMatchObject({ status: 'succeeded', heldMinor: 0, capturedMinor: 100 })
    expect(nodes.shared.skill.calls).toHaveLength(1)
  })

  it('is not given back by a node that only says of itself that it sent nothing', async () => {
    const permit = await permitted(b)
    nodes.shared.skill.replyNext(async () => {
      await silence(b)
      await takeUpFromSilentNodes(sweeping(a))
      return { kind: 'not_sent', code: 'connect_failed' }
    })
    expect(await executeAction(b.broker, permit)).toMatchObject({ status: 'in_doubt', heldMinor: 100 })
  })

  it('is not released by "never had it" from before the paused node’s token is dead', async () => {
    const permit = await permitted(b)
    await silence(b)
    await takeUpFromSilentNodes(sweeping(a))
    nodes.shared.skill.replyAlways((call) =>
      answered({
        state: 'not_found',
        receipt: key.receipt(call, { status: 'not_found' }, Date.now(), { executionId: permit.row.id }),
      }),
    )
    expect(await resolveInDoubt(a.broker, permit.row.id)).toMatchObject({ status: 'in_doubt' })
  })

  it('is not taken up by a node that lost the work to another while it was paused', async () => {
    const permit = await permitted(b)
    await silence(b)
    const paused = sweeping(a)
    await nodes.endLeases()
    const c = await nodes.open('nod_c')
    await c.leases.holdAll()
    await expect(takeUpFromSilentNodes(paused)).rejects.toThrow(LeaseLost)
    expect(await row(permit.row.id)).toMatchObject({ status: 'dispatched' })
    expect(await takeUpFromSilentNodes(sweeping(c))).toBe(1)
  })
})

describe('a node', () => {
  it('decides nothing after its heartbeat has lapsed, until it shows itself again', async () => {
    b.monotonic.nowMs += 3_000
    await b.watch.look()
    const asked = alice.ask('order_and_pay', order(100))
    await expect(performAction(b.broker, asked)).rejects.toMatchObject({ reason: 'node_lapsed' })
    await b.leases.holdAll()
    expect(await performAction(b.broker, asked)).toMatchObject({ kind: 'done' })
  })

  it('decides nothing while it has not looked at the log for too long', async () => {
    b.monotonic.nowMs += 5_001
    await b.leases.holdAll()
    const asked = alice.ask('order_and_pay', order(100))
    await expect(performAction(b.broker, asked)).rejects.toMatchObject({ reason: 'log_behind' })
    await b.watch.look()
    expect(await performAction(b.broker, asked)).toMatchObject({ kind: 'done' })
  })

  it('decides nothing while the oldest leaf in line is older than half of the promised time', async () => {
    await performAction(a.broker, alice.ask('order_and_pay', order(100)))
    const asked = alice.ask('order_and_pay', order(100))
    const half = a.broker.settings.mergeWithinMs / 2
    await nodes.database.query('update log_queue set at_ms = at_ms - $1', [half + 1])
    await b.watch.look()
    await expect(performAction(b.broker, asked)).rejects.toMatchObject({ reason: 'log_behind' })
    expect(b.watch.lag()).toMatchObject({ alarms: true, stops: true })
    expect(nodes.shared.logged.filter(({ event }) => event === 'log_behind')).toHaveLength(1)
    // In the tree is not enough: it is a checkpoint that was promised.
    await a.sequencer.run()
    await b.watch.look()
    await expect(performAction(b.broker, asked)).rejects.toMatchObject({ reason: 'log_behind' })
    await a.publisher.publishNow()
    await b.watch.look()
    expect(await performAction(b.broker, asked)).toMatchObject({ kind: 'done' })
    expect(nodes.shared.logged.filter(({ event }) => event === 'log_caught_up')).toHaveLength(1)
  })
})
