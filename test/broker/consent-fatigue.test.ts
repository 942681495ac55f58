import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { refuseAction } from '../../src/broker/answer-approval.ts'
import { refuseConsent } from '../../src/broker/answer-consent.ts'
import { listAsking } from '../../src/broker/list-asking.ts'
import { moveConnection } from '../../src/broker/move-connection.ts'
import { requestConsent } from '../../src/broker/request-consent.ts'
import type { PublicJwk } from '../../src/core/manifest/public-key.ts'
import type { AgentRow } from '../../src/ports/rows.ts'
import {
  ALWAYS,
  COFFEE,
  type CoffeeTest,
  coffeeSkill,
  coffeeTest,
  expectKind,
  refusalOf,
} from '../support/coffee-test.ts'
import { COFFEE_WISH, connectAgent, newAgentKey } from '../support/connected-agent.ts'
import { grantAll, order } from '../support/granted-agent.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
let t: CoffeeTest
let key: PublicJwk
let agent: AgentRow

beforeEach(async () => {
  t = await coffeeTest(ALWAYS, { settings: { questionsPerDayMost: 4 } })
  t.test.skill.replyAlways(coffeeSkill)
  key = await newAgentKey()
  agent = await connectAgent(t.test.broker, t.alice.userId, { publicJwk: key })
})
afterEach(() => t.test.close())

const granted = (row: AgentRow) =>
  grantAll(t.test.broker, t.key.inManifest(COFFEE), ALWAYS, { userId: row.userId, agent: row })

async function ask(row: AgentRow, minor = 100) {
  const alice = await granted(row)
  const asked = { ...alice.ask('order_and_pay', order(minor)), deploymentId: deploymentOf(row) }
  return t.perform(asked)
}
const deploymentOf = (row: AgentRow) => (JSON.parse(row.deployments) as { id: string }[])[0]?.id ?? ''
const wish = (row: AgentRow, about = {}) =>
  requestConsent(t.test.broker, { userId: row.userId, agentId: row.id, ...COFFEE_WISH, ...about })

async function refuse(row: AgentRow): Promise<void> {
  const { approval } = expectKind(await ask(row), 'ask')
  await refuseAction(t.test.broker, { userId: row.userId, approvalId: approval.id })
}

describe('the guard against too many questions', () => {
  it('holds a no against the same program registered anew', async () => {
    await refuse(agent)
    const again = await connectAgent(t.test.broker, agent.userId, { publicJwk: key })
    expect(again.id).not.toBe(agent.id)
    expect(refusalOf(await ask(again, 7))).toBe('asked_too_often')
  })

  it('holds a no against a connection that took the place of the one that asked', async () => {
    await refuse(agent)
    const newer = await connectAgent(t.test.broker, agent.userId)
    await moveConnection(t.test.broker, { userId: agent.userId, fromAgentId: agent.id, toAgentId: newer.id })
    expect(refusalOf(await ask(newer, 7))).toBe('asked_too_often')
  })

  it('lets another program ask, and the same one for another action', async () => {
    await refuse(agent)
    expectKind(await ask(await connectAgent(t.test.broker, agent.userId)), 'ask')
    expect((await wish(agent, { actions: [{ name: 'get_menu', constraints: [] }], budgets: [] })).kind).toBe(
      'pending',
    )
  })

  it('takes a wish for the refused action as the same question in other words', async () => {
    await refuse(agent)
    const untilMs = t.test.clock.nowMs() + t.test.broker.settings.coolDownMs
    expect(await wish(agent)).toEqual({ kind: 'cooling_down', untilMs })
    t.test.clock.advance(t.test.broker.settings.coolDownMs)
    expect((await wish(agent)).kind).toBe('pending')
  })

  it('holds a no to a consent request against the same program registered anew', async () => {
    const asked = await wish(agent)
    if (asked.kind !== 'pending') throw new Error(asked.kind)
    await refuseConsent(t.test.broker, { userId: agent.userId, requestId: asked.request.id })
    const again = await connectAgent(t.test.broker, agent.userId, { publicJwk: key })
    expect((await wish(again, { purpose: 'other words' })).kind).toBe('cooling_down')
  })

  it('puts only so many questions of a day, approvals and wishes together, and one more a day after the first', async () => {
    const firstAtMs = t.test.clock.nowMs()
    expect((await wish(agent)).kind).toBe('pending')
    for (let i = 1; i <= 3; i++) {
      t.test.clock.advance(16 * MINUTE_MS)
      expectKind(await ask(agent, i), 'ask')
    }
    t.test.clock.advance(16 * MINUTE_MS)
    expect(refusalOf(await ask(agent, 4))).toBe('asked_too_often')
    expect(await wish(agent, { retentionDays: { order_history: 3 } })).toEqual({
      kind: 'cooling_down',
      untilMs: firstAtMs + DAY_MS,
    })
    const again = await connectAgent(t.test.broker, agent.userId, { publicJwk: key })
    expect(refusalOf(await ask(again, 4))).toBe('asked_too_often')
    t.test.clock.advance(firstAtMs + DAY_MS - t.test.clock.nowMs() - 1)
    expect(refusalOf(await ask(agent, 5))).toBe('asked_too_often')
    t.test.clock.advance(1)
    expectKind(await ask(agent, 6), 'ask')
  })
})

describe('who over-asks', () => {
  it('is listed by agent and skill, with what became of the questions and nothing personal', async () => {
    await refuse(agent)
    const other = await connectAgent(t.test.broker, agent.userId)
    expectKind(await ask(other), 'ask')
    t.test.clock.advance(16 * MINUTE_MS)
    const { items } = await listAsking(t.test.broker, { operatorId: 'lin.wei', sinceMs: 0 })
    expect(items).toEqual([
      {
        agentId: agent.id,
        skill: 'coffee.order',
        prompts: 1,
        approved: 0,
        refused: 1,
        expired: 0,
        advice: 'none',
      },
      {
        agentId: other.id,
        skill: 'coffee.order',
        prompts: 1,
        approved: 0,
        refused: 0,
        expired: 1,
        advice: 'none',
      },
    ])
    expect(JSON.stringify(items)).not.toContain(agent.userId)
    expect(await t.test.lastLeaf('operator')).toMatchObject({ outcome: 'looked_at', reason: 'asking' })
  })

  it('advises to stop whoever is refused again and again', async () => {
    for (let i = 0; i < 4; i++) {
      await refuse(agent)
      t.test.clock.advance(61 * MINUTE_MS)
    }
    t.test.clock.advance(DAY_MS)
    await refuse(agent)
    const { items } = await listAsking(t.test.broker, { operatorId: 'lin.wei', sinceMs: 0 })
    expect(items).toMatchObject([{ prompts: 5, refused: 5, advice: 'freeze_agent' }])
    const recent = await listAsking(t.test.broker, {
      operatorId: 'lin.wei',
      sinceMs: t.test.clock.nowMs() - DAY_MS,
    })
    expect(recent.items).toMatchObject([{ prompts: 1, refused: 1, advice: 'none' }])
  })
})
