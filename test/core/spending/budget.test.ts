import { describe, expect, it } from 'vitest'
import { coveringLimit, reserve, totalOf, type Wanted } from '../../../src/core/spending/budget.ts'
import type { BudgetLimit, BudgetWindow } from '../../../src/core/spending/budget-limit.ts'
import { type BudgetOwner, type Counter, counterSpecOf } from '../../../src/core/spending/counter.ts'
import { newCounter, rollPeriod } from '../../../src/core/spending/window.ts'

const NOW_MS = Date.parse('2025-06-10T12:00:00Z')
const SUBJECT = { agentLineage: 'agt_1', skill: 'coffee.demo', action: 'order' }
const LIFETIME: BudgetWindow = { kind: 'lifetime' }
const PER_ACTION: BudgetWindow = { kind: 'per_action' }

const amount = (limit: number, window: BudgetWindow = LIFETIME, currency = 'CNY'): BudgetLimit => ({
  measure: 'amount',
  currency,
  window,
  limit,
})
const count = (limit: number, window: BudgetWindow = LIFETIME): BudgetLimit => ({
  measure: 'count',
  window,
  limit,
})
const wanting = (amountMinor: number | null, currency = 'CNY'): Wanted => ({
  ...SUBJECT,
  reservedAtMs: NOW_MS,
  amount: amountMinor === null ? null : { amountMinor, currency },
  asked: false,
})
const limitOf = (owner: BudgetOwner, budget: BudgetLimit) => {
  const limit = coveringLimit(owner, SUBJECT, budget)
  if (!limit) throw new Error('the budget is for another action')
  return limit
}
const counterFor = (owner: BudgetOwner, budget: BudgetLimit, held = 0, captured = 0): Counter => {
  const spec = counterSpecOf(owner, SUBJECT, budget)
  if (!spec) throw new Error('no counter')
  return newCounter(spec, { held, captured }, NOW_MS, 'UTC')
}
/** Reserves under budgets of the grant, each with a counter where 300 is held and 700 is captured. */
const reserveUnder = (wanted: Wanted, ...budgets: BudgetLimit[]) =>
  reserve(
    wanted,
    budgets
      .filter((budget) => budget.window.kind !== 'per_action')
      .map((budget) => counterFor('grant', budget, 300, 700)),
    budgets.map((budget) => limitOf('grant', budget)),
  )

describe('a reservation', () => {
  const nearlyFull = counterFor('user', amount(0), Number.MAX_SAFE_INTEGER - 10)

  it.each([
    ['an amount without any budget', wanting(1), [], 'currency_without_budget'],
    ['an amount in another currency', wanting(1, 'USD'), [amount(5000)], 'currency_without_budget'],
    ['a free order in another currency', wanting(0, 'USD'), [amount(5000)], 'currency_without_budget'],
    ['an amount under a count alone', wanting(1), [count(5000)], 'currency_without_budget'],
    [
      'no budget in the currency, though the count is used up',
      wanting(1),
      [count(1)],
      'currency_without_budget',
    ],
    ['one minor unit too much for an action', wanting(501), [amount(500, PER_ACTION)], 'exceeds_limit'],
    ['exactly what one action may cost', wanting(500), [amount(500, PER_ACTION)], 'reserved'],
    ['one minor unit too much', wanting(1001), [amount(2000)], 'exceeds_limit'],
    ['exactly what is left', wanting(1000), [amount(2000)], 'reserved'],
    ['one action too many', wanting(null), [count(1000)], 'exceeds_limit'],
    ['the last action', wanting(null), [count(1001)], 'reserved'],
    ['an action under a count of none', wanting(null), [count(0, PER_ACTION)], 'exceeds_limit'],
    ['nothing to spend where the money is used up', wanting(null), [amount(1)], 'reserved'],
    ['a free order under a limit that is just used up', wanting(0), [amount(1000)], 'reserved'],
    ['a free order under a limit below what is used', wanting(0), [amount(999)], 'exceeds_limit'],
    [
      'one budget of two that is too small',
      wanting(600),
      [amount(2000), amount(500, PER_ACTION)],
      'exceeds_limit',
    ],
    [
      '2^53 - 1 in one go',
      wanting(Number.MAX_SAFE_INTEGER),
      [amount(Number.MAX_SAFE_INTEGER, PER_ACTION)],
      'reserved',
    ],
    ['more than 2^53 - 1', wanting(2 ** 53), [amount(Number.MAX_SAFE_INTEGER, PER_ACTION)], 'exceeds_limit'],
  ] as const)('of %s', (_, wanted, budgets, kind) => {
    expect(reserveUnder(wanted, ...budgets).kind).toBe(kind)
  })

  it.each([
    ['one unit more than safe integers hold', 11, 'total_not_safe'],
    ['the last safe integer', 10, 'reserved'],
  ])('whose counter without a limit would reach %s', (_, amountMinor, kind) => {
    const limit = limitOf('grant', amount(5000, PER_ACTION))
    expect(reserve(wanting(amountMinor), [nearlyFull], [limit]).kind).toBe(kind)
  })

  it('names the first budget in the way and what it has left, never less than nothing', () => {
    const budgets = [limitOf('grant', amount(900)), limitOf('user', amount(1050))]
    const counters = [counterFor('grant', amount(0), 1000), counterFor('user', amount(0), 1000)]
    expect(reserve(wanting(60), counters, budgets)).toMatchObject({
      kind: 'exceeds_limit',
      owner: 'grant',
      availableMinor: 0,
    })
    expect(reserve(wanting(60), counters, budgets.slice(1))).toMatchObject({
      owner: 'user',
      availableMinor: 50,
    })
  })

  it('is held by every counter that covers it, whether a limit uses it or not, and by no other', () => {
    const month: BudgetWindow = { kind: 'calendar', period: 'month' }
    const counters = [
      counterFor('grant', amount(0)),
      counterFor('user', amount(0, month), 5, 6),
      counterFor('agent', count(0)),
      counterFor('grant', amount(0, LIFETIME, 'USD')),
      counterFor('user', { ...amount(0), action: 'pay' }),
      { ...counterFor('skill', amount(0)), scope: { agentLineage: null, skill: 'taxi.demo', action: null } },
    ]
    const outcome = reserve(wanting(40), counters, [limitOf('grant', amount(100))])
    expect(outcome).toMatchObject({
      kind: 'reserved',
      counters: [
        { counterId: counters[0]?.counterId, held: 40, captured: 0, ceiling: 100 },
        { counterId: counters[1]?.counterId, held: 45, captured: 6, ceiling: 51 },
        { counterId: counters[2]?.counterId, held: 1, captured: 0, ceiling: 1 },
      ],
    })
    expect(outcome.kind === 'reserved' && outcome.counters).toHaveLength(3)
  })

  it('sets the ceiling to the strictest limit that shares the counter', () => {
    const counter = { ...counterFor('grant', amount(0)), ceiling: 9000 }
    const limits = [limitOf('grant', amount(500)), limitOf('grant', amount(300))]
    expect(reserve(wanting(10), [counter], limits)).toMatchObject({ counters: [{ held: 10, ceiling: 300 }] })
    expect(reserve(wanting(301), [counter], limits)).toMatchObject({ kind: 'exceeds_limit' })
  })

  it('keeps the ceiling of a counter that no limit uses now, and raises it only as far as it must', () => {
    const perAction = [limitOf('grant', amount(5000, PER_ACTION))]
    const counter = { ...counterFor('user', amount(0), 90), ceiling: 100 }
    expect(reserve(wanting(5), [counter], perAction)).toMatchObject({
      counters: [{ held: 95, ceiling: 100 }],
    })
    expect(reserve(wanting(10), [counter], perAction)).toMatchObject({
      counters: [{ held: 100, ceiling: 100 }],
    })
    expect(reserve(wanting(11), [counter], perAction)).toMatchObject({
      counters: [{ held: 101, ceiling: 101 }],
    })
  })

  it('adds to what went unasked only without a yes, and not in the instant of a yes', () => {
    const spec = { ...SUBJECT, action: null }
    const unasked = newCounter(
      { scope: spec, measure: 'unasked', currency: 'CNY', window: { kind: 'rolling', ms: 1000 } },
      { held: 0, captured: 0 },
      NOW_MS,
      'UTC',
    )
    const limits = [limitOf('grant', amount(5000, PER_ACTION))]
    expect(reserve(wanting(10), [unasked], limits)).toMatchObject({ counters: [{ held: 10, ceiling: 10 }] })
    expect(reserve({ ...wanting(10), asked: true }, [unasked], limits)).toMatchObject({ counters: [] })
    expect(reserve(wanting(10), [{ ...unasked, tailMs: NOW_MS }], limits)).toMatchObject({ counters: [] })
  })

  it.each([
    ['a negative amount', wanting(-500), true],
    ['a fraction of a minor unit', wanting(19.99), true],
    ['no number', wanting(Number.NaN), true],
    ['a limit whose counter is missing', wanting(1), false],
  ])('throws for %s', (_, wanted, withCounter) => {
    const counters = withCounter ? [counterFor('grant', amount(0))] : []
    expect(() => reserve(wanted, counters, [limitOf('grant', amount(5000))])).toThrow(RangeError)
  })

  it('throws rather than write to a counter left in an earlier period', () => {
    const may = { ...counterFor('user', amount(0, { kind: 'calendar', period: 'month' })) }
    const stale = { ...may, periodStartMs: 0, periodEndMs: NOW_MS, tailMs: -1 }
    expect(() => reserve(wanting(1), [stale], [limitOf('grant', amount(9, PER_ACTION))])).toThrow(RangeError)
    expect(
      reserve(wanting(1), [rollPeriod(stale, NOW_MS, 'UTC')], [limitOf('grant', amount(9, PER_ACTION))]).kind,
    ).toBe('reserved')
  })
})

describe('a budget for one action', () => {
  it('covers that action alone', () => {
    expect(coveringLimit('grant', SUBJECT, { ...amount(1), action: 'pay' })).toBeNull()
    expect(coveringLimit('grant', SUBJECT, { ...amount(1), action: 'order' })?.counterId).toContain('x:order')
  })
})

// The defects measured in the AP2 reference SDK (int(max * 100) and a counter nobody reads), as limits of ours.
describe('limits that others got wrong', () => {
  it.each([
    ['19.99 USD holds 1999 cents', amount(1999, LIFETIME, 'USD'), wanting(1999, 'USD'), 'reserved'],
    [
      '19.99 USD does not hold 2000 cents',
      amount(1999, LIFETIME, 'USD'),
      wanting(2000, 'USD'),
      'exceeds_limit',
    ],
    [
      '1000 JPY does not hold 90 000 yen',
      amount(1000, LIFETIME, 'JPY'),
      wanting(90_000, 'JPY'),
      'exceeds_limit',
    ],
    ['1000 JPY holds 1000 yen', amount(1000, LIFETIME, 'JPY'), wanting(1000, 'JPY'), 'reserved'],
    ['10 KWD holds 9.999 KWD', amount(10_000, LIFETIME, 'KWD'), wanting(9_999, 'KWD'), 'reserved'],
    [
      '10 KWD does not hold 10.001 KWD',
      amount(10_000, LIFETIME, 'KWD'),
      wanting(10_001, 'KWD'),
      'exceeds_limit',
    ],
  ])('%s', (_, budget, wanted, kind) => {
    expect(reserve(wanted, [counterFor('grant', budget)], [limitOf('grant', budget)]).kind).toBe(kind)
  })

  it('a monthly count is enforced one second after its last use, and free again next month', () => {
    const monthly = count(1, { kind: 'calendar', period: 'month' })
    const used = counterFor('grant', monthly, 0, 1)
    const limits = [limitOf('grant', monthly)]
    const nextMs = NOW_MS + 1000
    expect(
      reserve({ ...wanting(null), reservedAtMs: nextMs }, [rollPeriod(used, nextMs, 'UTC')], limits).kind,
    ).toBe('exceeds_limit')
    const julyMs = Date.parse('2025-07-01T00:00:00Z')
    expect(
      reserve({ ...wanting(null), reservedAtMs: julyMs }, [rollPeriod(used, julyMs, 'UTC')], limits).kind,
    ).toBe('reserved')
  })
})

describe('a total of repeated amounts', () => {
  it.each([
    ['nothing', 0, 12, 0],
    ['a year of months', 1999, 12, 23_988],
    ['the largest safe integer', Number.MAX_SAFE_INTEGER, 1, Number.MAX_SAFE_INTEGER],
    ['more than safe integers hold', 2 ** 52, 2, null],
    ['far more', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, null],
  ])('of %s', (_, amountMinor, times, total) => {
    expect(totalOf(amountMinor, times)).toBe(total)
  })

  it('throws for what is no amount', () => {
    expect(() => totalOf(-1, 2)).toThrow(RangeError)
    expect(() => totalOf(1, 0.5)).toThrow(RangeError)
  })
})
