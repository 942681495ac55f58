import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { authorizeAction } from '../../src/broker/authorize-action.ts'
import { listBudgets } from '../../src/broker/list-budgets.ts'
import { removeBudget, setBudget, setBudgetShape } from '../../src/broker/set-budget.ts'
import { setTimeZone, setTimeZoneShape, showTimeZone } from '../../src/broker/set-time-zone.ts'
import type { BudgetLimit } from '../../src/core/spending/budget-limit.ts'
import { type Granted, grantAll, order, SECRET } from '../support/granted-agent.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { createTestBroker, insertAgent, type TestBroker } from '../support/test-broker.ts'

const DAY: BudgetLimit = {
  measure: 'amount',
  currency: 'CNY',
  window: { kind: 'calendar', period: 'day' },
  limit: 1000,
}

let test: TestBroker
let alice: Granted

beforeEach(async () => {
  test = await createTestBroker()
  test.secrets.set('coffee.order /payment_token', SECRET)
  alice = await grantAll(test.broker, sampleManifest('coffee.order'))
})
afterEach(() => test.close())

const set = (limit: number, scope: Parameters<typeof setBudget>[1]['scope'] = { kind: 'user' }) =>
  setBudget(test.broker, { userId: alice.userId, scope, budget: { ...DAY, limit } })
const list = (userId = alice.userId) => listBudgets(test.broker, { userId })

async function buy(totalMinor: number): Promise<string> {
  const decided = await authorizeAction(test.broker, alice.ask('order_and_pay', order(totalMinor)))
  return decided.kind === 'denied' ? decided.refusal.code : decided.kind
}

describe('a budget of the user’s', () => {
  it.each([
    ['the user as a whole', () => ({ kind: 'user' }) as const],
    ['one agent', () => ({ kind: 'agent', agentId: alice.agent.id }) as const],
    ['one skill', () => ({ kind: 'skill', skill: 'coffee.order' }) as const],
  ])('limits %s to the last minor unit', async (_, scope) => {
    await set(1000, scope())
    expect(await buy(1001)).toBe('budget_exceeded')
    expect(await buy(1000)).toBe('permit')
    expect(await buy(1)).toBe('budget_exceeded')
  })

  it('replaces the one for the same window, and raising or lowering it starts nothing anew', async () => {
    const first = await set(1000)
    expect(await buy(900)).toBe('permit')
    const raised = await set(2000)
    expect(raised).toMatchObject({ kind: 'set', replaced: first.kind === 'set' && first.budget.id })
    expect(await list()).toMatchObject([
      { budget: { limit: 2000 }, used: { held: 900, captured: 0, left: 1100 } },
    ])
    expect(await buy(1101)).toBe('budget_exceeded')
    await set(500)
    expect(await list()).toMatchObject([{ used: { held: 900, left: 0 } }])
    expect(await buy(1)).toBe('budget_exceeded')
  })

  it('counts what was spent before it was set', async () => {
    expect(await buy(900)).toBe('permit')
    await set(1000)
    expect(await list()).toMatchObject([{ owner: 'user', used: { held: 900, left: 100 } }])
    expect(await buy(101)).toBe('budget_exceeded')
  })

  it('stands beside one for another window, currency, measure, action or scope', async () => {
    const input = { userId: alice.userId, scope: { kind: 'user' } as const }
    await set(1000)
    await setBudget(test.broker, { ...input, budget: { ...DAY, window: { kind: 'lifetime' } } })
    await setBudget(test.broker, { ...input, budget: { ...DAY, currency: 'JPY' } })
    await setBudget(test.broker, { ...input, budget: { ...DAY, action: 'order_and_pay' } })
    await setBudget(test.broker, { ...input, budget: { measure: 'count', window: DAY.window, limit: 3 } })
    await set(1000, { kind: 'skill', skill: 'coffee.order' })
    expect(await list()).toHaveLength(6)
  })

  it('removed and set again, goes on where it was', async () => {
    const made = await set(1000)
    await buy(900)
    const budgetId = made.kind === 'set' ? made.budget.id : ''
    expect(await removeBudget(test.broker, { userId: 'usr_mallory', budgetId })).toEqual({
      kind: 'not_found',
    })
    expect(await removeBudget(test.broker, { userId: alice.userId, budgetId })).toEqual({ kind: 'removed' })
    expect(await removeBudget(test.broker, { userId: alice.userId, budgetId })).toEqual({ kind: 'not_found' })
    expect(await buy(50)).toBe('permit')
    await set(1000)
    expect(await list()).toMatchObject([{ used: { held: 950 } }])
  })

  it('of an agent follows its line, and is refused for an agent of somebody else', async () => {
    await set(1000, { kind: 'agent', agentId: alice.agent.id })
    expect((await list())[0]?.scopeId).toBe(alice.agent.lineageId)
    const theirs = await insertAgent(test.broker, { userId: 'usr_mallory' })
    expect(await set(1000, { kind: 'agent', agentId: theirs.id })).toEqual({ kind: 'not_found' })
    expect(await set(1000, { kind: 'skill', skill: 'no.such' })).toEqual({ kind: 'not_found' })
    expect(await list('usr_mallory')).toEqual([])
  })

  it('is logged with the limit it had before', async () => {
    await set(1000)
    await set(2000)
    const leaf = await test.lastLeaf('budget')
    expect(await test.openPart(leaf.eventId, 'body')).toEqual({
      budget: { ...DAY, limit: 2000 },
      before: { ...DAY, limit: 1000 },
    })
  })

  it.each([
    ['a currency that is none', { ...DAY, currency: 'XQQ' }],
    ['a negative limit', { ...DAY, limit: -1 }],
    ['a fractional limit', { ...DAY, limit: 0.5 }],
    ['a limit beyond safe integers', { ...DAY, limit: 2 ** 53 }],
    ['a window nobody knows', { ...DAY, window: { kind: 'forever' } }],
  ])('is not parsed with %s', (_, budget) => {
    expect(setBudgetShape.safeParse({ scope: { kind: 'user' }, budget }).success).toBe(false)
  })
})

describe('the time zone', () => {
  it('is UTC until set, moves no one else’s, and starts no window anew', async () => {
    expect(await showTimeZone(test.broker, { userId: 'usr_new' })).toEqual({ timeZone: 'UTC' })
    await set(1000)
    await buy(900)
    await setTimeZone(test.broker, { userId: alice.userId, timeZone: 'Pacific/Kiritimati' })
    expect(await showTimeZone(test.broker, { userId: alice.userId })).toEqual({
      timeZone: 'Pacific/Kiritimati',
    })
    expect(await buy(101)).toBe('budget_exceeded')
    expect(await list()).toMatchObject([{ used: { held: 900 } }])
    expect(await test.lastLeaf('budget')).toMatchObject({ outcome: 'time_zone_set' })
  })

  it.each([
    ['Asia/Shanghai', true],
    ['UTC', true],
    ['+08:00', false],
    ['Mars/Olympus', false],
    ['', false],
  ])('%s parses: %s', (timeZone, isValid) => {
    expect(setTimeZoneShape.safeParse({ timeZone }).success).toBe(isValid)
  })
})
