import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { approveAction } from '../../src/broker/answer-approval.ts'
import { cancelInFlight } from '../../src/broker/cancel-in-flight.ts'
import { revokeAuthority } from '../../src/broker/revoke-authority.ts'
import { type CoffeeTest, coffeeTest, expectKind, refusalOf } from '../support/coffee-test.ts'
import { answered, broken, notSent } from '../support/fake-skill.ts'
import { type Granted, grantAll } from '../support/granted-agent.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { claimsOf } from '../support/skill-key.ts'

const PAY = sampleManifest('pay.transfer')
const PAYMENT = { transaction_id: 'T-1', charged_amount: '16.90', currency: 'CNY', receipt: 'r' }

let t: CoffeeTest
let pay: Granted
beforeEach(async () => {
  t = await coffeeTest()
  pay = await grantAll(t.test.broker, PAY, {}, { userId: t.alice.userId, agent: t.alice.agent })
})
afterEach(() => t.test.close())

/** An order that owes 16.90 to payee-shop. */
async function placeOrder(who: Granted = t.alice): Promise<string> {
  t.test.skill.replyNext(
    answered({ order_id: 'O-1', payee_id: 'payee-shop', amount_due: 1690, currency: 'CNY' }),
  )
  const args = { quote_id: 'Q-1', store_id: 'LK-1', total_amount: 1690, currency: 'CNY', pickup: 'store' }
  return expectKind(await t.perform(who.ask('place_order', args)), 'done').view.row.id
}
const payment = (orderId: string, amount = '16.90', payee = 'payee-shop') =>
  pay.ask('pay_order', { order_execution_id: orderId, payee_id: payee, amount, currency: 'CNY' })

describe('a payment of an order', () => {
  it('goes through without a question when it equals what is owed', async () => {
    const orderId = await placeOrder()
    t.test.skill.replyNext(answered(PAYMENT))
    expectKind(await t.perform(payment(orderId)), 'done')
    expect(await t.used()).toEqual({ held: 0, captured: 1690 })
  })

  it.each([
    ['less', '16.89', 'payee-shop'],
    ['more', '16.91', 'payee-shop'],
    ['somebody else', '16.90', 'payee-thief'],
  ])('is refused with %s', async (_, amount, payee) => {
    expect(refusalOf(await t.perform(payment(await placeOrder(), amount, payee)))).toBe('debt_mismatch')
  })

  it('settles it once, also while the first payment is in doubt, and never by two at once', async () => {
    const orderId = await placeOrder()
    t.test.skill.replyAlways(broken('cut'))
    const both = await Promise.all([t.perform(payment(orderId)), t.perform(payment(orderId))])
    expect(both.map(({ kind }) => kind).sort()).toEqual(['denied', 'in_doubt'])
    expect(refusalOf(await t.perform(payment(orderId)))).toBe('debt_settled')
  })

  it('can be tried again when the first try never left', async () => {
    const orderId = await placeOrder()
    t.test.skill.replyNext(notSent(), answered(PAYMENT))
    expectKind(await t.perform(payment(orderId)), 'done')
    expect(expectKind(await t.perform(payment(orderId)), 'done').view.row.status).toBe('succeeded')
  })

  it('says the same for another user’s order and for none at all', async () => {
    const bob = await grantAll(t.test.broker, t.key.inManifest(sampleManifest('coffee.order')))
    const theirs = await placeOrder(bob)
    const [other, none] = [await t.perform(payment(theirs)), await t.perform(payment('act_unknown'))]
    expect(refusalOf(other)).toBe('debt_unknown')
    expect(refusalOf(none)).toBe('debt_unknown')
  })

  it('is asked about when it pays no order that owes', async () => {
    t.test.skill.replyNext(answered({ currency: 'CNY', items: [] }))
    const menu = expectKind(await t.perform(t.alice.ask('get_menu', { store_id: 'LK-1' })), 'done')
    expect(refusalOf(await t.perform(payment(menu.view.row.id)))).toBe('debt_unknown')
  })
})

describe('an action that the skill repeats', () => {
  const schedule = (count: number, amount = '100.00') =>
    pay.ask('schedule_transfer', {
      payee_id: 'payee-rent',
      amount,
      currency: 'CNY',
      interval: 'month',
      count,
      first_on: '2026-12-01',
    })
  const commitments = (status: string) =>
    t.test.broker.store.read(async (tx) => tx.commitments.list(pay.userId, status))
  const revoke = () =>
    revokeAuthority(
      t.test.broker,
      { userId: pay.userId, scope: { kind: 'skill', id: 'pay.transfer' } },
      (ids) => cancelInFlight(t.test.broker, ids),
    )

  it('is reserved for all of its times at once, and listed with how many', async () => {
    t.test.skill.replyNext(answered({ schedule_id: 'S-1', receipt: 'r' }))
    const { view } = expectKind(await t.perform(schedule(12)), 'done')
    expect(view.row).toMatchObject({ reservedMinor: 120_000, capturedMinor: 120_000 })
    expect(await commitments('running')).toMatchObject([{ actionId: view.row.id, times: 12 }])
  })

  it('is cancelled by a revoke, although it was settled long ago', async () => {
    t.test.skill.replyNext(
      answered({ schedule_id: 'S-1', receipt: 'r' }),
      answered({ state: 'cancelled', made: 2 }),
    )
    const { view } = expectKind(await t.perform(schedule(12)), 'done')
    expect(await revoke()).toMatchObject({
      revocation: { commitments: [{ actionId: view.row.id, times: 12 }] },
      cancelled: [{ actionId: view.row.id, outcome: 'cancelled' }],
    })
    expect(claimsOf(t.test.skill.calls[1] as never)).toMatchObject({ kin: 'cancel', act: 'cancel_schedule' })
    expect(await commitments('running')).toEqual([])
  })

  it('is listed on until the skill has taken the cancellation', async () => {
    t.test.skill.replyNext(answered({ schedule_id: 'S-1', receipt: 'r' }), broken('timed_out'))
    await t.perform(schedule(3))
    expect(await revoke()).toMatchObject({ cancelled: [{ outcome: 'unclear' }] })
    expect(await commitments('running')).toHaveLength(1)
  })

  it('is listed no more when it never came about', async () => {
    t.test.skill.replyNext(notSent())
    await t.perform(schedule(3))
    expect(await commitments('running')).toEqual([])
    expect(await t.used()).toEqual({ held: 0, captured: 0 })
  })

  it('cannot cost more at a time than one call can, however few the times', async () => {
    expect(refusalOf(await t.perform(schedule(1, '5000.01')))).toBe('amount_above_manifest')
    t.test.skill.replyNext(answered({ schedule_id: 'S-1', receipt: 'r' }))
    expectKind(await t.perform(schedule(1, '5000.00')), 'done')
  })
})

describe('adding a payee', () => {
  it('is asked about whatever the user switched off, and goes on after the yes', async () => {
    const terms = { unasked: [{ rule: 'always' as const, action: 'add_payee' }] }
    const bob = await grantAll(t.test.broker, PAY, terms)
    const asked = bob.ask('add_payee', { display_name: 'Shop', account_number: '6222020000000000' })
    const { approval, questions } = expectKind(await t.perform(asked), 'ask')
    expect(questions).toEqual(['adds_recipient'])
    await approveAction(t.test.broker, { userId: bob.userId, approvalId: approval.id })
    t.test.skill.replyNext(answered({ payee_id: 'payee-shop', receipt: 'r' }))
    expectKind(await t.perform(asked), 'done')
  })
})
