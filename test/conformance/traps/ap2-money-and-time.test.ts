import { afterEach, describe, expect, it } from 'vitest'
import { performAction } from '../../../src/broker/perform-action.ts'
import { constraintShape, grantTermsShape } from '../../../src/core/grant/terms.ts'
import type { JsonValue } from '../../../src/core/json-value.ts'
import { fromDecimalString } from '../../../src/core/money.ts'
import { type BudgetLimit, budgetLimitShape } from '../../../src/core/spending/budget-limit.ts'
import { expectKind, refusalOf } from '../../support/coffee-test.ts'
import { answered } from '../../support/fake-skill.ts'
import { type Granted, grantAll } from '../../support/granted-agent.ts'
import { actionAt, sampleManifest } from '../../support/sample-manifest.ts'
import { createTestBroker, type TestBroker } from '../../support/test-broker.ts'

const AT = actionAt('pay.transfer', 'transfer')
const CURRENCIES = ['CNY', 'JPY', 'KWD', 'USD']
/** The payment skill with currencies of no, two and three decimals. */
const PAY = sampleManifest(
  'pay.transfer',
  [`${AT}/input/properties/currency/enum`, CURRENCIES],
  [`${AT}/input/properties/amount/pattern`, '^-?[0-9]{1,9}(\\.[0-9]{1,3})?$'],
  [`${AT}/input/properties/amount/minLength`, 1],
  [`${AT}/result/properties/currency/enum`, CURRENCIES],
  [`${AT}/result/properties/charged_amount/pattern`, '^[0-9]{1,9}(\\.[0-9]{1,3})?$'],
  [`${AT}/result/properties/charged_amount/minLength`, 1],
  [`${AT}/spends/most`, Object.fromEntries(CURRENCIES.map((currency) => [currency, 100_000_000]))],
)

let test: TestBroker
afterEach(() => test?.close())

async function withBudgets(...budgets: BudgetLimit[]): Promise<Granted> {
  test = await createTestBroker()
  test.skill.replyAlways((call) => {
    const { amount, currency } = JSON.parse(call.body.toString('utf8'))
    return answered({ transaction_id: 'T-1', charged_amount: amount, currency, receipt: 'r' })
  })
  return grantAll(test.broker, PAY, { budgets })
}
const lifetime = (currency: string, limit: number): BudgetLimit => ({
  measure: 'amount',
  currency,
  window: { kind: 'lifetime' },
  limit,
})
const transfer = (who: Granted, amount: JsonValue, currency: string) =>
  performAction(test.broker, who.ask('transfer', { payee_id: 'payee-a', amount, currency }))

describe('the money and time defects measured in AP2', () => {
  it('1: a budget of 19.99 USD holds a payment of 1999 cents, and not one of 2000', async () => {
    const alice = await withBudgets(lifetime('USD', 1999))
    expect(refusalOf(await transfer(alice, '20.00', 'USD'))).toBe('budget_exceeded')
    expectKind(await transfer(alice, '19.99', 'USD'), 'done')
    expect(refusalOf(await transfer(alice, '0.01', 'USD'))).toBe('budget_exceeded')
  })

  it('2: a budget of 1000 JPY does not hold 90000 yen, nor 1001', async () => {
    const alice = await withBudgets(lifetime('JPY', 1000))
    expect(refusalOf(await transfer(alice, '90000', 'JPY'))).toBe('budget_exceeded')
    expect(refusalOf(await transfer(alice, '1001', 'JPY'))).toBe('budget_exceeded')
    expectKind(await transfer(alice, '10.00', 'JPY'), 'invalid')
    expectKind(await transfer(alice, '1000', 'JPY'), 'done')
  })

  it('3: a budget of 10 KWD holds 9.999 KWD, and then one fils', async () => {
    const alice = await withBudgets(lifetime('KWD', 10_000))
    expectKind(await transfer(alice, '9.999', 'KWD'), 'done')
    expect(refusalOf(await transfer(alice, '0.002', 'KWD'))).toBe('budget_exceeded')
    expectKind(await transfer(alice, '0.001', 'KWD'), 'done')
  })

  it('4: once a month means once a month, also a second after the last time', async () => {
    const once: BudgetLimit = { measure: 'count', window: { kind: 'calendar', period: 'month' }, limit: 1 }
    const alice = await withBudgets(lifetime('USD', 1_000_000), once)
    expectKind(await transfer(alice, '1.00', 'USD'), 'done')
    test.clock.advance(1000)
    expect(refusalOf(await transfer(alice, '1.00', 'USD'))).toBe('budget_exceeded')
    test.clock.advance(Date.UTC(2026, 11, 1) - test.clock.nowMs() - 1)
    expect(refusalOf(await transfer(alice, '1.00', 'USD'))).toBe('budget_exceeded')
    test.clock.advance(1)
    expectKind(await transfer(alice, '1.00', 'USD'), 'done')
  })

  it('5: a limit that cannot be enforced, such as a date to begin at, is no grant at all', async () => {
    const alice = await withBudgets(lifetime('USD', 1))
    const terms = JSON.parse(alice.grant.terms)
    expect(grantTermsShape.safeParse(terms).success).toBe(true)
    expect(grantTermsShape.safeParse({ ...terms, notBeforeMs: 4_070_908_800_000 }).success).toBe(false)
    const constraint = { kind: 'execution_date', pointer: '/amount', notBefore: '2099-01-01' }
    expect(constraintShape.safeParse(constraint).success).toBe(false)
    // Stored by a newer version and read by this one, it denies.
    const newer = await grantAll(test.broker, PAY, {
      actions: [{ name: 'transfer', constraints: [constraint as never] }],
    })
    expect(refusalOf(await transfer(newer, '1.00', 'CNY'))).toBe('constraint_violated')
  })

  it('6: a most of 100.50 is exact as minor units, and refused where it is not', () => {
    expect(fromDecimalString('100.50', 'USD')).toEqual({ ok: true, amountMinor: 10_050 })
    expect(budgetLimitShape.safeParse(lifetime('USD', 10_050)).success).toBe(true)
    expect(budgetLimitShape.safeParse(lifetime('USD', 100.5)).success).toBe(false)
  })

  it('7: a payment of minus 5.00 is no request, whatever the limits say', async () => {
    const alice = await withBudgets(lifetime('USD', 1_000_000))
    expectKind(await transfer(alice, '-5.00', 'USD'), 'invalid')
    expectKind(await transfer(alice, -500, 'USD'), 'invalid')
    expect(test.skill.calls).toEqual([])
    expect(await test.broker.store.read(async (tx) => tx.counters.list(alice.userId))).toEqual([])
  })
})
