import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { deploymentsOf } from '../../src/broker/agent-deployments.ts'
import { disconnectAgent } from '../../src/broker/disconnect-agent.ts'
import { moveConnection } from '../../src/broker/move-connection.ts'
import { performAction } from '../../src/broker/perform-action.ts'
import { requestConsent } from '../../src/broker/request-consent.ts'
import type { AgentRow, GrantRow } from '../../src/ports/rows.ts'
import { coffeeSkill } from '../support/coffee-test.ts'
import { COFFEE_WISH, connectAgent, giveConsent } from '../support/connected-agent.ts'
import { grantAll, order, SECRET } from '../support/granted-agent.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { createTestBroker, registerSkill, type TestBroker } from '../support/test-broker.ts'

let test: TestBroker
let older: AgentRow
let newer: AgentRow
let grant: GrantRow
let userId: string
let keys = 0

const move = (about: Partial<{ userId: string; fromAgentId: string; toAgentId: string }> = {}) =>
  moveConnection(test.broker, { userId, fromAgentId: older.id, toAgentId: newer.id, ...about })

const spend = (agent: AgentRow, totalMinor: number) => {
  keys += 1
  return performAction(test.broker, {
    userId: agent.userId,
    agentId: agent.id,
    sessionId: `ses_${agent.id}`,
    skill: 'coffee.order',
    action: 'order_and_pay',
    arguments: order(totalMinor),
    deploymentId: deploymentsOf(agent)[0]?.id ?? '',
    idempotencyKey: `move-${keys}`,
  })
}

describe('moving what an older connection has to a new one', () => {
  beforeEach(async () => {
    test = await createTestBroker()
    test.secrets.set('coffee.order /payment_token', SECRET)
    test.skill.replyAlways(coffeeSkill)
    userId = test.broker.newId('user')
    await registerSkill(test.broker, sampleManifest('coffee.order'))
    older = await connectAgent(test.broker, userId)
    newer = await connectAgent(test.broker, userId)
    grant = await giveConsent(test.broker, older)
  })
  afterEach(() => test.close())

  it('gives the new one the grants, and ends the old one', async () => {
    expect(await move()).toMatchObject({
      kind: 'moved',
      agent: { id: newer.id, lineageId: older.lineageId },
      grants: [grant.id],
    })
    const [from, to, moved] = await test.broker.store.read(async (tx) => [
      await tx.agents.find(older.id),
      await tx.agents.find(newer.id),
      await tx.grants.find(grant.id),
    ])
    expect(from?.status).toBe('disconnected')
    expect(to).toMatchObject({ status: 'connected', lineageId: older.lineageId })
    expect(moved).toMatchObject({
      agentId: newer.id,
      lineageId: older.lineageId,
      revision: 2,
      status: 'active',
    })
    expect(await test.lastLeaf('agent')).toMatchObject({ outcome: 'moved', reason: 'by_user' })
  })

  it('leaves the old one without any authority', async () => {
    await move()
    expect(await spend(older, 100)).toMatchObject({
      kind: 'denied',
      refusal: { code: 'agent_not_connected' },
    })
  })

  it('starts no window anew', async () => {
    const first = await connectAgent(test.broker, userId)
    const alice = await grantAll(
      test.broker,
      sampleManifest('coffee.order'),
      { budgets: [{ measure: 'amount', currency: 'CNY', window: { kind: 'lifetime' }, limit: 3000 }] },
      { userId, agent: first },
    )
    expect(await spend(first, 2000)).toMatchObject({ kind: 'done', view: { row: { status: 'succeeded' } } })
    const next = await connectAgent(test.broker, userId)
    expect(await move({ fromAgentId: first.id, toAgentId: next.id })).toMatchObject({
      grants: [alice.grant.id],
    })
    expect(await spend(next, 1500)).toMatchObject({ kind: 'denied', refusal: { code: 'budget_exceeded' } })
    expect(await spend(next, 1000)).toMatchObject({ kind: 'done', view: { row: { status: 'succeeded' } } })
  })

  it('withdraws what the old one still asks, without cooling the new one down', async () => {
    const asked = await requestConsent(test.broker, { userId, agentId: older.id, ...COFFEE_WISH })
    if (asked.kind !== 'pending') throw new Error(asked.kind)
    await move()
    const request = await test.broker.store.read(async (tx) => tx.consentRequests.find(asked.request.id))
    expect(request?.status).toBe('withdrawn')
    expect(await requestConsent(test.broker, { userId, agentId: newer.id, ...COFFEE_WISH })).toMatchObject({
      kind: 'pending',
    })
  })

  it('keeps a paused grant paused', async () => {
    await test.broker.store.transaction(async (tx) => tx.grants.update({ ...grant, status: 'paused' }))
    await move()
    const moved = await test.broker.store.read(async (tx) => tx.grants.find(grant.id))
    expect(moved).toMatchObject({ agentId: newer.id, status: 'paused' })
  })

  it('answers alike for another user, an unknown connection, and one of each', async () => {
    const stranger = test.broker.newId('user')
    const theirs = await connectAgent(test.broker, stranger)
    expect(await move({ userId: stranger })).toEqual({ kind: 'not_found' })
    expect(await move({ toAgentId: theirs.id })).toEqual({ kind: 'not_found' })
    expect(await move({ fromAgentId: theirs.id })).toEqual({ kind: 'not_found' })
    expect(await move({ toAgentId: test.broker.newId('agent') })).toEqual({ kind: 'not_found' })
  })

  it('moves nothing twice, to itself, or to what has ended', async () => {
    expect(await move({ toAgentId: older.id })).toEqual({ kind: 'same_agent' })
    await disconnectAgent(test.broker, { userId, agentId: newer.id }, async () => [])
    expect(await move()).toEqual({ kind: 'not_connected' })
    const third = await connectAgent(test.broker, userId)
    expect(await move({ toAgentId: third.id })).toMatchObject({ kind: 'moved' })
    expect(await move({ toAgentId: third.id })).toEqual({ kind: 'not_connected' })
  })

  it('refuses a connection that has authority of its own', async () => {
    await giveConsent(test.broker, newer)
    expect(await move()).toEqual({ kind: 'lineage_conflict' })
    const kept = await test.broker.store.read(async (tx) => tx.grants.find(grant.id))
    expect(kept?.agentId).toBe(older.id)
  })
})
