import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { approveAction } from '../../src/broker/answer-approval.ts'
import type { CancelReport } from '../../src/broker/cancel-in-flight.ts'
import { resumeGrant } from '../../src/broker/change-grant.ts'
import { disconnectAgent } from '../../src/broker/disconnect-agent.ts'
import { pauseAgent, resumeAgent } from '../../src/broker/pause-agent.ts'
import { reportNotMe } from '../../src/broker/report-not-me.ts'
import {
  COFFEE,
  type CoffeeTest,
  coffeeSkill,
  coffeeTest,
  expectKind,
  refusalOf,
} from '../support/coffee-test.ts'
import { broken } from '../support/fake-skill.ts'
import { grantAll, order } from '../support/granted-agent.ts'

let t: CoffeeTest
let actionId: string
const cancelled: string[][] = []
const cancel = async (ids: readonly string[]): Promise<CancelReport[]> => {
  cancelled.push([...ids])
  return ids.map((id) => ({ actionId: id, outcome: 'cancelled' }))
}
const report = (about = {}) =>
  reportNotMe(t.test.broker, { userId: t.alice.userId, actionId, ...about }, cancel)
const grantOf = (id: string) => t.test.broker.store.read(async (tx) => tx.grants.find(id))
const agentOf = (id: string) => t.test.broker.store.read(async (tx) => tx.agents.find(id))

beforeEach(async () => {
  t = await coffeeTest()
  cancelled.length = 0
  t.test.skill.replyAlways(coffeeSkill)
  actionId = expectKind(await t.perform(t.alice.ask('order_and_pay', order(100))), 'done').view.row.id
})
afterEach(() => t.test.close())

describe('this was not me', () => {
  it('pauses the agent and its grants, and opens an incident', async () => {
    const done = await report()
    expect(done).toMatchObject({
      kind: 'reported',
      isNew: true,
      agentId: t.alice.agent.id,
      pausedGrants: [t.alice.grant.id],
      undoUntilMs: expect.any(Number),
      next: ['agent_paused', 'undo_possible', 'operator_looks'],
    })
    expect((await agentOf(t.alice.agent.id))?.status).toBe('paused')
    expect(await grantOf(t.alice.grant.id)).toMatchObject({ status: 'paused', revision: 2 })
    expect(await t.test.lastLeaf('agent')).toMatchObject({ outcome: 'paused', reason: 'not_me' })
    expect(await t.test.lastLeaf('incident')).toMatchObject({ outcome: 'opened', reason: 'reported' })
    expect(refusalOf(await t.perform(t.alice.ask('order_and_pay', order(100))))).toBe('agent_not_connected')
  })

  it('names no argument in the incident', async () => {
    const done = await report()
    if (done.kind !== 'reported') throw new Error(done.kind)
    const incident = await t.test.broker.store.read(async (tx) => tx.incidents.find(done.incidentId))
    expect(incident).toMatchObject({ kind: 'reported', actionId, stopsSpending: false })
    expect(JSON.stringify(incident)).not.toMatch(/LK-0571|Q-1/)
  })

  it('is one report however often it is said', async () => {
    const first = await report()
    expect(await report()).toMatchObject({
      isNew: false,
      incidentId: first.kind === 'reported' ? first.incidentId : '',
      pausedGrants: [],
    })
    expect((await t.test.leaves()).filter(({ type }) => type === 'incident')).toHaveLength(1)
  })

  it('cancels what the agent has under way, and nothing of other agents', async () => {
    const bob = await grantAll(t.test.broker, t.key.inManifest(COFFEE), {}, { userId: t.alice.userId })
    t.test.skill.replyAlways(broken('timed_out'))
    const mine = expectKind(await t.perform(t.alice.ask('order_and_pay', order(200))), 'in_doubt').row.id
    await t.perform(bob.ask('order_and_pay', order(300)))
    const done = await report()
    expect(cancelled).toEqual([[mine]])
    expect(done).toMatchObject({
      unsettled: [{ actionId: mine }],
      cancelled: [{ actionId: mine, outcome: 'cancelled' }],
      next: ['agent_paused', 'in_flight_cancelled', 'undo_possible', 'operator_looks'],
    })
    expect((await grantOf(bob.grant.id))?.status).toBe('active')
  })

  it('answers alike for another user’s action and an unknown one', async () => {
    expect(await report({ userId: t.test.broker.newId('user') })).toEqual({ kind: 'not_found' })
    expect(await report({ actionId: t.test.broker.newId('action') })).toEqual({ kind: 'not_found' })
    expect((await agentOf(t.alice.agent.id))?.status).toBe('connected')
  })

  it('withdraws a yes that was not used yet', async () => {
    const asking = await coffeeTest({ askFirst: [{ kind: 'always' }] })
    asking.test.skill.replyAlways(coffeeSkill)
    const asked = asking.alice.ask('order_and_pay', order(5))
    const { approval, row } = expectKind(await asking.perform(asked), 'ask')
    await approveAction(asking.test.broker, { userId: asking.alice.userId, approvalId: approval.id })
    await reportNotMe(asking.test.broker, { userId: asking.alice.userId, actionId: row.id }, cancel)
    await resumeAgent(asking.test.broker, { userId: asking.alice.userId, agentId: asking.alice.agent.id })
    await resumeGrant(asking.test.broker, { userId: asking.alice.userId, grantId: asking.alice.grant.id })
    const again = expectKind(await asking.perform(asked), 'ask')
    expect(again.approval.id).not.toBe(approval.id)
    await asking.test.close()
  })

  it('leaves a disconnected agent disconnected', async () => {
    await disconnectAgent(t.test.broker, { userId: t.alice.userId, agentId: t.alice.agent.id }, cancel)
    expect(await report()).toMatchObject({ kind: 'reported', pausedGrants: [] })
    expect((await agentOf(t.alice.agent.id))?.status).toBe('disconnected')
  })
})

describe('a paused agent', () => {
  const whose = () => ({ userId: t.alice.userId, agentId: t.alice.agent.id })

  it('may connect again when its user says so, but its grants wait for a yes each', async () => {
    await report()
    expect(await resumeAgent(t.test.broker, whose())).toMatchObject({ kind: 'resumed', isNew: true })
    expect(refusalOf(await t.perform(t.alice.ask('order_and_pay', order(100))))).toBe('consent_required')
    await resumeGrant(t.test.broker, { userId: t.alice.userId, grantId: t.alice.grant.id })
    expectKind(await t.perform(t.alice.ask('order_and_pay', order(100))), 'done')
  })

  it('is paused and resumed once, by its user only', async () => {
    expect(await pauseAgent(t.test.broker, whose())).toEqual({
      kind: 'paused',
      grants: [t.alice.grant.id],
      isNew: true,
    })
    expect(await pauseAgent(t.test.broker, whose())).toMatchObject({ kind: 'paused', isNew: false })
    const stranger = { ...whose(), userId: t.test.broker.newId('user') }
    expect(await resumeAgent(t.test.broker, stranger)).toEqual({ kind: 'not_found' })
    expect(await pauseAgent(t.test.broker, stranger)).toEqual({ kind: 'not_found' })
    await resumeAgent(t.test.broker, whose())
    expect(await resumeAgent(t.test.broker, whose())).toMatchObject({ kind: 'resumed', isNew: false })
    await disconnectAgent(t.test.broker, whose(), cancel)
    expect(await resumeAgent(t.test.broker, whose())).toEqual({ kind: 'agent_not_connected' })
  })
})
