import { describe, expect, it } from 'vitest'
import {
  type CounterScope,
  type CounterSpec,
  counterIdOf,
  counterSpecOf,
  covers,
  type Leg,
  weightOf,
} from '../../../src/core/spending/counter.ts'

const SUBJECT = { agentLineage: 'agt_1', skill: 'coffee.demo', action: 'order' }
const EVERYTHING: CounterScope = { agentLineage: null, skill: null, action: null }
const SPEC: CounterSpec = {
  scope: { ...SUBJECT, action: null },
  measure: 'amount',
  currency: 'CNY',
  window: { kind: 'rolling', ms: 86_400_000 },
}
const LEG: Leg = {
  ...SUBJECT,
  reservedAtMs: 1,
  currency: 'CNY',
  heldMinor: 300,
  capturedMinor: 0,
  open: true,
  asked: false,
  counted: true,
}

describe('a counter id', () => {
  it('is stable text', () => {
    expect(counterIdOf(SPEC)).toBe('a:agt_1|s:coffee.demo|x:*|amount|CNY|r86400000')
    expect(
      counterIdOf({
        scope: EVERYTHING,
        measure: 'count',
        currency: null,
        window: { kind: 'calendar', period: 'month' },
      }),
    ).toBe('a:*|s:*|x:*|count|*|month')
  })

  it('differs where anything that makes a counter differs, even for names that look like the key', () => {
    const specs: CounterSpec[] = [
      SPEC,
      { ...SPEC, scope: EVERYTHING },
      { ...SPEC, scope: { ...EVERYTHING, agentLineage: '*' } },
      { ...SPEC, scope: { ...EVERYTHING, agentLineage: '%2a' } },
      { ...SPEC, scope: { ...EVERYTHING, agentLineage: 'a|s:b', skill: null } },
      { ...SPEC, scope: { ...EVERYTHING, agentLineage: 'a', skill: 'b' } },
      { ...SPEC, scope: SUBJECT },
      { ...SPEC, currency: 'USD' },
      { ...SPEC, measure: 'unasked' },
      { ...SPEC, measure: 'count', currency: null },
      { ...SPEC, window: { kind: 'rolling', ms: 86_400_001 } },
      { ...SPEC, window: { kind: 'lifetime' } },
      ...(['day', 'week', 'month'] as const).map(
        (period): CounterSpec => ({ ...SPEC, window: { kind: 'calendar', period } }),
      ),
    ]
    expect(new Set(specs.map(counterIdOf)).size).toBe(specs.length)
  })
})

describe('a scope', () => {
  it.each([
    ['everything', EVERYTHING, true],
    ['this agent', { ...EVERYTHING, agentLineage: 'agt_1' }, true],
    ['another agent', { ...EVERYTHING, agentLineage: 'agt_2' }, false],
    ['this skill', { ...EVERYTHING, skill: 'coffee.demo' }, true],
    ['another skill', { ...EVERYTHING, skill: 'coffee.demo.two' }, false],
    ['this action', { ...EVERYTHING, action: 'order' }, true],
    ['another action', { ...SUBJECT, action: 'pay' }, false],
    ['exactly this', SUBJECT, true],
  ])('of %s', (_, scope, covered) => {
    expect(covers(scope, SUBJECT)).toBe(covered)
  })
})

describe('a leg', () => {
  it.each([
    ['its hold while open', SPEC, LEG, 300, 0],
    ['its capture once settled', SPEC, { ...LEG, open: false, heldMinor: 0, capturedMinor: 250 }, 0, 250],
    ['nothing in another currency', SPEC, { ...LEG, currency: 'USD' }, 0, 0],
    ['nothing once released', SPEC, { ...LEG, open: false, counted: false }, 0, 0],
    ['nothing to another skill', SPEC, { ...LEG, skill: 'taxi.demo' }, 0, 0],
    [
      'one action held while open, even for free',
      { ...SPEC, measure: 'count', currency: null },
      { ...LEG, heldMinor: 0 },
      1,
      0,
    ],
    [
      'one action captured once settled for free',
      { ...SPEC, measure: 'count', currency: null },
      { ...LEG, open: false, heldMinor: 0 },
      0,
      1,
    ],
    [
      'no action once released',
      { ...SPEC, measure: 'count', currency: null },
      { ...LEG, open: false, counted: false },
      0,
      0,
    ],
    ['its hold to what went unasked', { ...SPEC, measure: 'unasked' }, LEG, 300, 0],
    [
      'nothing to what went unasked after a yes',
      { ...SPEC, measure: 'unasked' },
      { ...LEG, asked: true },
      0,
      0,
    ],
  ] as const)('adds %s', (_, spec, leg, held, captured) => {
    expect(weightOf(spec, leg)).toEqual({ held, captured })
  })
})

describe('the counter of a budget', () => {
  const budget = { measure: 'amount', currency: 'CNY', window: { kind: 'lifetime' }, limit: 1 } as const

  it.each([
    ['grant', 'a:agt_1|s:coffee.demo|x:*|amount|CNY|lifetime'],
    ['agent', 'a:agt_1|s:*|x:*|amount|CNY|lifetime'],
    ['skill', 'a:*|s:coffee.demo|x:*|amount|CNY|lifetime'],
    ['user', 'a:*|s:*|x:*|amount|CNY|lifetime'],
  ] as const)('of a %s has its scope', (owner, counterId) => {
    const spec = counterSpecOf(owner, SUBJECT, budget)
    expect(spec && counterIdOf(spec)).toBe(counterId)
  })

  it('for one action counts that action alone', () => {
    expect(counterSpecOf('skill', SUBJECT, { ...budget, action: 'order' })?.scope).toEqual({
      agentLineage: null,
      skill: 'coffee.demo',
      action: 'order',
    })
  })

  it('per action is none', () => {
    expect(counterSpecOf('grant', SUBJECT, { ...budget, window: { kind: 'per_action' } })).toBeNull()
  })
})
