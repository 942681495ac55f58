import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { setBudget } from '../../src/broker/set-budget.ts'
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
beforeEach(async () => {
  t = await coffeeTest()
  t.test.skill.replyAlways(coffeeSkill)
})
afterEach(() => t.test.close())

const noGrant = () => t.perform({ ...t.alice.ask('order_and_pay', order(1)), skill: 'pay.transfer' })

describe('refusals', () => {
  it('that are equal are one leaf a minute, and a count', async () => {
    for (let i = 0; i < 5; i++) expect(refusalOf(await noGrant())).toBe('skill_unknown')
    expect(await t.test.leaves()).toHaveLength(1)
    expect(t.test.broker.recentRefusals.take()).toEqual({ 'equal_refusal:skill_unknown': 4 })
    t.test.clock.advance(60_000)
    await noGrant()
    expect(await t.test.leaves()).toHaveLength(2)
  })

  it('cannot be made different by names that the agent invents', async () => {
    for (let i = 0; i < 20; i++) {
      refusalOf(await t.perform({ ...t.alice.ask('order_and_pay', order(1)), skill: `made.up${i}` }))
      refusalOf(await t.perform(t.alice.ask(`made_up_${i}`, {})))
    }
    expect((await t.test.leaves()).map((leaf) => leaf.reason)).toEqual([
      'skill_unknown',
      'action_not_declared',
    ])
  })

  it('make no counter, and move no money', async () => {
    const poor = await grantAll(t.test.broker, t.key.inManifest(COFFEE), {
      budgets: [{ measure: 'amount', currency: 'CNY', window: { kind: 'rolling', ms: 60_000 }, limit: 10 }],
    })
    for (let i = 0; i < 5; i++) refusalOf(await t.perform(poor.ask('order_and_pay', order(11))))
    expectKind(await t.perform(poor.ask('order_and_pay', order(10))), 'done')
  })

  it('are the answer when deciding itself fails, and have a leaf', async () => {
    const { grant } = t.alice
    const terms = JSON.stringify({ ...JSON.parse(grant.terms), deployments: undefined })
    await t.test.broker.store.transaction(async (tx) => tx.grants.update({ ...grant, terms, revision: 2 }))
    expect(refusalOf(await t.perform(t.alice.ask('order_and_pay', order(1))))).toBe('decision_failed')
    expect(await t.test.lastLeaf('decision')).toMatchObject({ outcome: 'deny', reason: 'decision_failed' })
    expect(t.test.logged.map(({ event }) => event)).toEqual(['decision_failed'])
    expect(t.test.skill.calls).toEqual([])
  })

  it('are all there is in an empty store', async () => {
    const asked = { ...t.alice.ask('order_and_pay', order(1)), userId: 'usr_new', agentId: 'agt_new' }
    expect(refusalOf(await t.perform(asked))).toBe('agent_not_connected')
  })

  it('answer for another user’s agent as for one that is not there', async () => {
    const bob = await grantAll(t.test.broker, t.key.inManifest(COFFEE))
    const asked = { ...bob.ask('order_and_pay', order(1)), userId: t.alice.userId }
    expect(refusalOf(await t.perform(asked))).toBe('agent_not_connected')
  })
})

describe('a one-time grant', () => {
  it('is used up by its permit, whatever the skill then does', async () => {
    const bob = await grantAll(t.test.broker, t.key.inManifest(COFFEE), { oneTime: true })
    t.test.skill.replyNext(broken('cut'))
    expectKind(await t.perform(bob.ask('order_and_pay', order(1))), 'in_doubt')
    expect(refusalOf(await t.perform(bob.ask('order_and_pay', order(1))))).toBe('consent_required')
  })

  it('is used once by many at once', async () => {
    const bob = await grantAll(t.test.broker, t.key.inManifest(COFFEE), { oneTime: true })
    const performed = await Promise.all(
      Array.from({ length: 10 }, () => t.perform(bob.ask('order_and_pay', order(1)))),
    )
    expect(performed.filter(({ kind }) => kind === 'done')).toHaveLength(1)
    expect(t.test.skill.calls).toHaveLength(1)
  })

  it('is not used up by a refusal', async () => {
    const bob = await grantAll(t.test.broker, t.key.inManifest(COFFEE), { oneTime: true })
    refusalOf(await t.perform(bob.ask('order_and_pay', order(50_001))))
    const { view } = expectKind(await t.perform(bob.ask('order_and_pay', order(1))), 'done')
    expect(view.result).toMatchObject({ order_id: 'O-1' })
  })

  it('is spared while a standing grant allows the same', async () => {
    const manifest = t.key.inManifest(COFFEE)
    const about = { userId: t.alice.userId, agent: t.alice.agent }
    const once = await grantAll(t.test.broker, manifest, { oneTime: true }, about)
    const { view } = expectKind(await t.perform(t.alice.ask('order_and_pay', order(1))), 'done')
    expect(view.row.grantId).toBe(t.alice.grant.id)
    expect(view.row.grantId).not.toBe(once.grant.id)
  })
})

describe('budgets in several currencies', () => {
  it('keep what is used in one while another is spent', async () => {
    const { userId } = t.alice
    const limit = (currency: string, most: number) =>
      setBudget(t.test.broker, {
        userId,
        scope: { kind: 'user' },
        budget: { measure: 'amount', currency, window: { kind: 'calendar', period: 'month' }, limit: most },
      })
    await limit('CNY', 1000)
    await limit('USD', 1000)
    expectKind(await t.perform(t.alice.ask('order_and_pay', order(600))), 'done')
    const counters = await t.test.broker.store.read(async (tx) => tx.counters.list(userId))
    // A counter of a currency that nobody has spent yet would only be made anew each time.
    expect(counters.filter(({ counterId }) => counterId.includes('USD'))).toEqual([])
    expectKind(await t.perform(t.alice.ask('order_and_pay', order(400))), 'done')
    expect(refusalOf(await t.perform(t.alice.ask('order_and_pay', order(1))))).toBe('budget_exceeded')
  })

  it('go on in the user’s zone while no limit is set, so that a limit set again finds the same month', async () => {
    const { userId, grant } = t.alice
    await t.test.broker.store.transaction(async (tx) =>
      tx.users.save({ id: userId, timeZone: 'Asia/Shanghai', createdAtMs: grant.createdAtMs }),
    )
    const month = {
      measure: 'amount',
      currency: 'CNY',
      window: { kind: 'calendar', period: 'month' },
    } as const
    const set = await setBudget(t.test.broker, {
      userId,
      scope: { kind: 'user' },
      budget: { ...month, limit: 1000 },
    })
    await t.perform(t.alice.ask('order_and_pay', order(1)))
    if (set.kind !== 'set') throw new Error(set.kind)
    await t.test.broker.store.transaction(async (tx) => tx.budgets.remove(set.budget.id))

    // 2026-11-30 16:30 UTC is already December in Shanghai.
    t.test.clock.advance(Date.UTC(2026, 10, 30, 16, 30) - t.test.clock.nowMs())
    expectKind(await t.perform(t.alice.ask('order_and_pay', order(900))), 'done')
    t.test.clock.advance(86_400_000)
    await setBudget(t.test.broker, { userId, scope: { kind: 'user' }, budget: { ...month, limit: 1000 } })
    expect(refusalOf(await t.perform(t.alice.ask('order_and_pay', order(101))))).toBe('budget_exceeded')
    expectKind(await t.perform(t.alice.ask('order_and_pay', order(100))), 'done')
  })
})
