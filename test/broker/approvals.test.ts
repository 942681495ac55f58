import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { approveAction, refuseAction } from '../../src/broker/answer-approval.ts'
import { previewDecision } from '../../src/broker/authorize-action.ts'
import { showApproval } from '../../src/broker/show-approval.ts'
import {
  ALWAYS,
  COFFEE,
  type CoffeeTest,
  coffeeSkill,
  coffeeTest,
  expectKind,
  refusalOf,
} from '../support/coffee-test.ts'
import { grantAll, order } from '../support/granted-agent.ts'
import { registerSkill } from '../support/test-broker.ts'

const MINUTE_MS = 60_000
let t: CoffeeTest
beforeEach(async () => {
  t = await coffeeTest(ALWAYS)
  t.test.skill.replyAlways(coffeeSkill)
})
afterEach(() => t.test.close())

const orders = () => t.test.skill.calls.filter((call) => call.endpoint.endsWith('/orders/paid')).length
const ask = async (minor = 100, key?: string) => {
  const asked = t.alice.ask('order_and_pay', order(minor), key)
  const { approval, row } = expectKind(await t.perform(asked), 'ask')
  return { asked, approval, row }
}
const yes = (approvalId: string, userId = t.alice.userId) =>
  approveAction(t.test.broker, { userId, approvalId })
const no = (approvalId: string) => refuseAction(t.test.broker, { userId: t.alice.userId, approvalId })

describe('an approval (P8)', () => {
  it('is good for one execution, however many calls come at once', async () => {
    const { asked, approval } = await ask()
    await yes(approval.id)
    const performed = await Promise.all(Array.from({ length: 12 }, () => t.perform(asked)))
    expect(orders()).toBe(1)
    expect(performed.every(({ kind }) => kind === 'done' || kind === 'in_flight')).toBe(true)
    expect((await t.approvals())[0]?.status).toBe('used')
  })

  it('is not good for a changed price, which is a new question', async () => {
    const { approval } = await ask(100)
    await yes(approval.id)
    const other = await ask(101)
    expect(other.approval.id).not.toBe(approval.id)
    expect(orders()).toBe(0)
  })

  it('is not good under another key, nor for another agent of the same user', async () => {
    const { approval } = await ask(100)
    await yes(approval.id)
    await ask(100)
    const other = await grantAll(t.test.broker, t.key.inManifest(COFFEE), ALWAYS, { userId: t.alice.userId })
    expectKind(await t.perform(other.ask('order_and_pay', order(100))), 'ask')
    expect(orders()).toBe(0)
  })

  it('cannot be given by another user, who learns nothing of it', async () => {
    const { asked, approval } = await ask()
    expect(await yes(approval.id, 'usr_mallory')).toEqual({ kind: 'not_found' })
    expect(await yes('apr_unknown')).toEqual({ kind: 'not_found' })
    expectKind(await t.perform(asked), 'ask')
  })

  it('cannot be given once its time is over, and is asked for anew', async () => {
    const { asked, approval } = await ask()
    t.test.clock.advance(15 * MINUTE_MS)
    expect(await yes(approval.id)).toEqual({ kind: 'expired' })
    const again = expectKind(await t.perform(asked), 'ask')
    expect(again.approval.id).not.toBe(approval.id)
  })

  it('can be given in the last millisecond, and is worth nothing after it', async () => {
    const { asked, approval } = await ask()
    t.test.clock.advance(15 * MINUTE_MS - 1)
    expect(await yes(approval.id)).toMatchObject({ kind: 'approved' })
    t.test.clock.advance(1)
    expectKind(await t.perform(asked), 'ask')
    expect(orders()).toBe(0)
  })

  it('is not good once the manifest has changed, though the action is the same', async () => {
    const { asked, approval } = await ask()
    await yes(approval.id)
    t.test.clock.advance(1000)
    await registerSkill(t.test.broker, { ...t.key.inManifest(COFFEE), version: 2 })
    const again = expectKind(await t.perform(asked), 'ask')
    expect(again.approval.id).not.toBe(approval.id)
    expect(orders()).toBe(0)
    // The first question is off the table: nobody can say yes to what is not asked any more.
    const [withdrawn] = (await t.approvals()).filter(({ id }) => id === approval.id)
    expect(withdrawn?.status).toBe('withdrawn')
  })

  it('names who asks and what exactly, with the preview, and covers what was shown', async () => {
    const { asked, approval } = await ask(100)
    expect(approval.previewDigest).not.toBeNull()
    expect(t.test.skill.calls.map((call) => call.endpoint)).toEqual(['http://127.0.0.1:9101/quotes/show'])
    const { userId } = asked
    const found = await showApproval(t.test.broker, { userId, approvalId: approval.id })
    expect(found).toMatchObject({
      approval: { shown: { arguments: order(100), amount: { minor: 100, currency: 'CNY' } } },
    })
    await yes(approval.id)
    expectKind(await t.perform(asked), 'done')
  })

  it('asks without a preview where the agent has no authority for it, and covers that', async () => {
    const terms = { ...ALWAYS, actions: [{ name: 'order_and_pay', constraints: [] }] }
    const bob = await grantAll(t.test.broker, t.key.inManifest(COFFEE), terms)
    const asked = bob.ask('order_and_pay', order(100))
    const { approval } = expectKind(await t.perform(asked), 'ask')
    expect(approval.previewDigest).toBeNull()
    expect(await yes(approval.id, bob.userId)).toMatchObject({ kind: 'approved' })
    expectKind(await t.perform(asked), 'done')
  })

  it('holds nothing while a person thinks', async () => {
    await ask(100)
    expect(await t.used()).toEqual({ held: 0, captured: 0 })
  })

  it('is not asked for when no budget could hold the amount', async () => {
    const performed = await t.perform(t.alice.ask('order_and_pay', order(50_000)))
    expectKind(performed, 'ask')
    const poor = await grantAll(t.test.broker, t.key.inManifest(COFFEE), {
      ...ALWAYS,
      budgets: [{ measure: 'amount', currency: 'CNY', window: { kind: 'lifetime' }, limit: 99 }],
    })
    expect(refusalOf(await t.perform(poor.ask('order_and_pay', order(100))))).toBe('budget_exceeded')
  })
})

describe('asking people rarely', () => {
  it('cools down after a no for this action, whatever the arguments', async () => {
    const { approval } = await ask(100)
    await no(approval.id)
    expect(refusalOf(await t.perform(t.alice.ask('order_and_pay', order(7))))).toBe('asked_too_often')
    t.test.clock.advance(60 * MINUTE_MS - 1)
    expect(refusalOf(await t.perform(t.alice.ask('order_and_pay', order(7))))).toBe('asked_too_often')
    t.test.clock.advance(1)
    await ask(7)
  })

  it('counts the cool-down from the no, however late in the life of the question it came', async () => {
    const { approval } = await ask(100)
    t.test.clock.advance(14 * MINUTE_MS)
    await no(approval.id)
    t.test.clock.advance(59 * MINUTE_MS)
    expect(refusalOf(await t.perform(t.alice.ask('order_and_pay', order(7))))).toBe('asked_too_often')
  })

  it('keeps only so many questions open for one agent and skill', async () => {
    for (let i = 1; i <= 3; i++) await ask(i)
    expect(refusalOf(await t.perform(t.alice.ask('order_and_pay', order(4))))).toBe('asked_too_often')
    const [newest] = await t.approvals()
    await yes(newest?.id ?? '')
    await ask(5)
  })

  it('goes on with a question of its own although others are open', async () => {
    const first = await ask(1)
    await ask(2)
    await ask(3)
    expectKind(await t.perform(first.asked), 'ask')
  })

  it('says the same in a dry run, which asks nobody', async () => {
    const { approval } = await ask(100)
    await no(approval.id)
    expect(await previewDecision(t.test.broker, t.alice.ask('order_and_pay', order(7)))).toMatchObject({
      effect: 'deny',
      refusal: { code: 'asked_too_often' },
    })
    expect(await t.approvals()).toHaveLength(1)
  })
})
