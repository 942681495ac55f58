import { describe, expect, it } from 'vitest'
import type { Counter, CounterSpec, Leg } from '../../../src/core/spending/counter.ts'
import { counterFaults } from '../../../src/core/spending/recount.ts'
import { captureOf, settle, settledLeg } from '../../../src/core/spending/settlement.ts'
import { newCounter, restart } from '../../../src/core/spending/window.ts'

const NOW_MS = Date.parse('2025-06-10T12:00:00Z')
const LEG: Leg = {
  agentLineage: 'agt_1',
  skill: 'coffee.demo',
  action: 'order',
  reservedAtMs: NOW_MS,
  currency: 'CNY',
  heldMinor: 300,
  capturedMinor: 0,
  open: true,
  asked: false,
  counted: true,
}
const ANY = { agentLineage: null, skill: null, action: null }
const counter = (part: Partial<CounterSpec>, held: number, captured = 0): Counter =>
  newCounter(
    { scope: ANY, measure: 'amount', currency: 'CNY', window: { kind: 'lifetime' }, ...part },
    { held, captured },
    NOW_MS,
    'UTC',
  )
const COUNT = { measure: 'count', currency: null } as const

describe('what a result captures', () => {
  const reserved = { amountMinor: 1000, currency: 'CNY' }

  it.each([
    ['no amount', null, 1000, 0, null],
    ['what is no amount', 'invalid', 1000, 0, 'not_an_integer'],
    ['a fraction', { amountMinor: 10.5, currency: 'CNY' }, 1000, 0, 'not_an_integer'],
    ['more than 2^53 - 1', { amountMinor: 2 ** 53, currency: 'CNY' }, 1000, 0, 'not_an_integer'],
    ['a fraction below zero in dollars', { amountMinor: -0.5, currency: 'USD' }, 1000, 0, 'not_an_integer'],
    ['a negative amount in dollars', { amountMinor: -1, currency: 'USD' }, 1000, 0, 'negative'],
    ['a negative amount', { amountMinor: -1, currency: 'CNY' }, 1000, 0, 'negative'],
    ['another currency', { amountMinor: 5000, currency: 'USD' }, 1000, 0, 'other_currency'],
    ['the currency in small letters', { amountMinor: 5, currency: 'cny' }, 1000, 0, 'other_currency'],
    ['one unit above', { amountMinor: 1001, currency: 'CNY' }, 1000, 1, 'above_reservation'],
    ['exactly the reservation', { amountMinor: 1000, currency: 'CNY' }, 1000, 0, null],
    ['one unit below', { amountMinor: 999, currency: 'CNY' }, 999, 0, null],
    ['nothing', { amountMinor: 0, currency: 'CNY' }, 0, 0, null],
  ] as const)('that names %s', (_, reported, capturedMinor, overrunMinor, incident) => {
    expect(captureOf(reserved, reported)).toEqual({ capturedMinor, overrunMinor, incident })
  })
})

describe('a settlement', () => {
  const capture = { kind: 'capture', capturedMinor: 250 } as const
  const release = { kind: 'release' } as const

  it.each([
    ['captures and gives the rest back', counter({}, 300, 10), capture, 0, 260],
    ['gives everything back', counter({}, 300, 10), release, 0, 10],
    ['captures one action', counter(COUNT, 2, 1), capture, 1, 2],
    ['gives one action back', counter(COUNT, 2, 1), release, 1, 1],
    ['captures what went unasked', counter({ measure: 'unasked' }, 300), capture, 0, 250],
  ])('%s', (_, row, settlement, held, captured) => {
    expect(settle([row], LEG, settlement)).toMatchObject([{ held, captured }])
  })

  it.each([
    ['another currency', counter({ currency: 'USD' }, 5), LEG],
    ['another skill', counter({ scope: { ...ANY, skill: 'taxi.demo' } }, 5), LEG],
    ['what went unasked, after a yes', counter({ measure: 'unasked' }, 5), { ...LEG, asked: true }],
    ['a counter started anew since', restart(counter({ measure: 'unasked' }, 5), NOW_MS), LEG],
    ['a rolling window that the leg has just left', { ...counter({}, 5), tailMs: NOW_MS }, LEG],
    ['a period that began after the leg', { ...counter({}, 5), periodStartMs: NOW_MS + 1 }, LEG],
    ['a period that had ended', { ...counter({}, 5), periodEndMs: NOW_MS }, LEG],
  ])('leaves %s alone', (_, row, leg) => {
    expect(settle([row], leg, capture)).toEqual([])
  })

  it('reaches a leg in the first and last millisecond of a window', () => {
    const first = { ...counter({}, 300), tailMs: NOW_MS - 1, periodStartMs: NOW_MS }
    const last = { ...counter({}, 300), periodEndMs: NOW_MS + 1 }
    expect(settle([first, last], LEG, release)).toMatchObject([{ held: 0 }, { held: 0 }])
  })

  it.each([
    ['a second time', settledLeg(LEG, capture), release],
    ['after a release', settledLeg(LEG, release), capture],
    ['for more than is held', LEG, { kind: 'capture', capturedMinor: 301 }],
    ['for less than nothing', LEG, { kind: 'capture', capturedMinor: -1 }],
    ['for a fraction', LEG, { kind: 'capture', capturedMinor: 0.5 }],
  ] as const)('throws %s', (_, leg, settlement) => {
    expect(() => settle([counter({}, 300)], leg, settlement)).toThrow(RangeError)
    expect(() => settledLeg(leg, settlement)).toThrow(RangeError)
  })
})

describe('a recount', () => {
  const legs: Leg[] = [
    LEG,
    { ...LEG, open: false, heldMinor: 0, capturedMinor: 70 },
    { ...LEG, open: false, heldMinor: 0, counted: false },
    { ...LEG, currency: 'USD' },
    { ...LEG, reservedAtMs: NOW_MS - 86_400_000 },
  ]
  const right = counter({ window: { kind: 'rolling', ms: 86_400_000 } }, 300, 70)

  it('finds nothing in a counter that is right', () => {
    expect(counterFaults(right, legs)).toEqual([])
  })

  it.each([
    ['a key of another counter', { counterId: 'x' }, ['id_differs']],
    ['a held sum that is off by one', { held: 301 }, ['held_differs', 'above_ceiling']],
    ['a captured sum that is off by one', { captured: 69 }, ['captured_differs']],
    ['a ceiling below what is used', { ceiling: 369 }, ['above_ceiling']],
    ['a tail that is a millisecond early', { tailMs: right.tailMs - 1 }, ['held_differs']],
  ])('finds %s', (_, part, kinds) => {
    expect(counterFaults({ ...right, ...part }, legs).map((fault) => fault.kind)).toEqual(kinds)
  })
})
