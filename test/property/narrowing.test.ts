import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dueQuestions } from '../../src/core/grant/ask-first.ts'
import { checkConstraints } from '../../src/core/grant/constraint.ts'
import { checkNarrower } from '../../src/core/grant/narrow.ts'
import type { AskFirstRule, Constraint, GrantTerms } from '../../src/core/grant/terms.ts'
import { actionNamed, NOW_MS, TERMS } from '../core/grant/sample-grant.ts'

// Few and small values, so that random terms are often comparable and random arguments often allowed.
const NAMES = ['get_menu', 'place_order', 'cancel_order']
const pointer = fc.constantFrom('/a', '/b', '/l/*')
const scalar = fc.constantFrom<string | number>(
  0,
  1,
  2,
  'x',
  'https://a.example/p/q',
  '/p',
  '/p/q',
  'm@a.example',
)
const small = fc.integer({ min: 0, max: 3 })
const some = <T>(element: fc.Arbitrary<T>, minLength = 0) => fc.array(element, { minLength, maxLength: 3 })

const constraint: fc.Arbitrary<Constraint> = fc.oneof(
  fc.record({ kind: fc.constant('equals' as const), pointer, value: scalar }),
  fc.record({ kind: fc.constant('one_of' as const), pointer, values: some(scalar, 1) }),
  fc.record({ kind: fc.constant('range' as const), pointer, min: small, max: small }),
  fc.record({ kind: fc.constant('range' as const), pointer, max: small }),
  fc.record({ kind: fc.constant('length' as const), pointer, max: fc.integer({ min: 0, max: 22 }) }),
  fc.record({ kind: fc.constant('absent' as const), pointer }),
  fc.record({
    kind: fc.constant('origin' as const),
    pointer,
    origins: some(
      fc.constantFrom('https://a.example', 'https://A.example:443', 'https://b.example', 'a.example'),
      1,
    ),
  }),
  fc.record({
    kind: fc.constant('path_prefix' as const),
    pointer,
    prefix: fc.constantFrom('/', '/p', '/p/', '/p/q', 'p'),
  }),
  fc.record({
    kind: fc.constant('mail_domain' as const),
    pointer,
    domains: some(fc.constantFrom('a.example', 'A.example', 'b.example'), 1),
  }),
  fc.record({
    kind: fc.constant('saved_recipient' as const),
    recipientIds: some(fc.constantFrom('r1', 'r2')),
  }),
  fc.record({ kind: fc.constant('saved_recipient' as const) }),
)

const covered = fc.option(some(fc.constantFrom(...NAMES)), { nil: undefined })
const rule: fc.Arbitrary<AskFirstRule> = fc
  .tuple(
    fc.oneof<fc.Arbitrary<AskFirstRule>[]>(
      fc.constantFrom<AskFirstRule>(
        { kind: 'always' },
        { kind: 'new_recipient' },
        { kind: 'after_untrusted' },
      ),
      fc.record({
        kind: fc.constant('above_amount' as const),
        currency: fc.constantFrom('CNY', 'JPY'),
        amountMinor: small,
      }),
      fc.record({
        kind: fc.constant('too_many' as const),
        count: small,
        windowMs: fc.constantFrom(1000, 2000),
      }),
      fc.record({
        kind: fc.constant('outside_hours' as const),
        fromMinute: fc.constantFrom(0, 600, 1200),
        toMinute: fc.constantFrom(0, 600, 1200, 1440),
      }),
    ),
    covered,
  )
  .map(([kind, actions]) => (actions ? { ...kind, actions } : kind))

const budget: fc.Arbitrary<GrantTerms['budgets'][number]> = fc
  .record({
    measure: fc.constant('amount' as const),
    currency: fc.constantFrom('CNY', 'JPY'),
    window: fc.constantFrom({ kind: 'lifetime' as const }, { kind: 'rolling' as const, ms: 1000 }),
    limit: small,
    action: fc.option(fc.constantFrom(...NAMES), { nil: undefined }),
  })
  .map(({ action, ...rest }) => (action === undefined ? rest : { ...rest, action }))

const terms: fc.Arbitrary<GrantTerms> = fc.record({
  skill: fc.constant(TERMS.skill),
  actions: fc.uniqueArray(fc.record({ name: fc.constantFrom(...NAMES), constraints: some(constraint) }), {
    minLength: 1,
    selector: ({ name }) => name,
  }),
  budgets: some(budget),
  askFirst: some(rule),
  unasked: some(fc.record({ rule: fc.constant('always' as const), action: fc.constantFrom(...NAMES) })),
  categories: some(fc.constantFrom('order', 'place')),
  recipients: some(fc.constantFrom('shop', 'pay')),
  retentionDays: fc.dictionary(fc.constantFrom('history', 'location'), small),
  deployments: fc.oneof(
    fc.constant({ kind: 'registered' as const }),
    fc.record({ kind: fc.constant('only' as const), ids: some(fc.constantFrom('d1', 'd2'), 1) }),
  ),
  oneTime: fc.boolean(),
  expiresAtMs: fc.constantFrom(NOW_MS + 1, NOW_MS + 2),
  sharesBudget: fc.boolean(),
})

/** Terms changed in a few places: some changes narrow, some widen, and the check has to tell. */
const changed = (from: GrantTerms): fc.Arbitrary<GrantTerms> =>
  fc
    .tuple(fc.subarray(Object.keys(from), { maxLength: 2 }), terms, some(constraint), fc.boolean())
    .map(([fields, other, more, adds]) => {
      const patch = Object.fromEntries(Object.entries(other).filter(([name]) => fields.includes(name)))
      const actions = from.actions.map((action) => ({
        ...action,
        constraints: adds ? [...action.constraints, ...more] : more,
      }))
      return { ...from, actions, ...patch }
    })

const args = fc.record(
  { a: scalar, b: scalar, l: some(scalar), to: fc.constantFrom('v1', 'v2') },
  { requiredKeys: [] },
)
const CONTEXT = {
  recipientPointers: ['/to'],
  savedRecipients: [
    { id: 'r1', value: 'v1' },
    { id: 'r2', value: 'v2' },
  ],
}

const isNarrower = (asked: GrantTerms, given: GrantTerms) => checkNarrower(asked, given, NOW_MS).ok
const RUNS = { seed: 1, numRuns: 2000 }

describe('narrowing', () => {
  it('is reflexive', () => {
    fc.assert(
      fc.property(terms, (same) => isNarrower(same, same)),
      RUNS,
    )
  })

  it('is transitive', () => {
    let proven = 0
    const chain = terms.chain((a) => changed(a).chain((b) => changed(b).map((c) => [a, b, c] as const)))
    fc.assert(
      fc.property(chain, ([a, b, c]) => {
        if (!isNarrower(a, b) || !isNarrower(b, c)) return
        proven += 1
        expect(isNarrower(a, c)).toBe(true)
      }),
      { ...RUNS, numRuns: 5000 },
    )
    expect(proven).toBeGreaterThan(100)
  })

  it('accepts no arguments that the wider terms refuse', () => {
    let accepted = 0
    const pair = some(constraint, 1).chain((wide) => fc.tuple(fc.constant(wide), some(constraint, 1)))
    fc.assert(
      fc.property(pair, fc.boolean(), some(args, 3), ([wide, other], keeps, tries) => {
        const narrow = keeps ? [...wide.slice(1), ...other] : other
        const of = (constraints: Constraint[]): GrantTerms => ({
          ...TERMS,
          actions: [{ name: 'get_menu', constraints }],
          askFirst: [],
        })
        if (!isNarrower(of(wide), of(narrow))) return
        for (const value of tries) {
          if (!checkConstraints(narrow, value, CONTEXT).ok) continue
          accepted += 1
          expect(checkConstraints(wide, value, CONTEXT)).toEqual({ ok: true })
        }
      }),
      { ...RUNS, numRuns: 20_000 },
    )
    expect(accepted).toBeGreaterThan(100)
  })

  it('never stops asking where the wider terms ask', () => {
    let asked = 0
    const facts = fc.record({
      amount: fc.option(fc.record({ minor: small, currency: fc.constantFrom('CNY', 'JPY') }), { nil: null }),
      count: small,
      newRecipient: fc.boolean(),
      minuteOfDay: fc.integer({ min: 0, max: 1439 }),
      untrustedRead: fc.boolean(),
    })
    fc.assert(
      fc.property(
        some(rule, 1),
        some(rule, 1),
        facts,
        fc.constantFrom(...NAMES),
        (wide, narrow, found, name) => {
          const of = (askFirst: AskFirstRule[]): GrantTerms => ({
            ...TERMS,
            actions: NAMES.map((each) => ({ name: each, constraints: [] })),
            askFirst,
          })
          if (!isNarrower(of(wide), of(narrow))) return
          const full = {
            ...found,
            exactCommand: true,
            paysKnownOrder: true,
            unaskedMinorBefore: () => 0,
            // A longer window holds at least what a shorter one does.
            countBefore: (each: { windowMs: number }) =>
              each.windowMs > 1000 ? found.count : Math.min(found.count, 1),
          }
          if (dueQuestions(of(wide), actionNamed(name), full).length === 0) return
          asked += 1
          expect(dueQuestions(of(narrow), actionNamed(name), full)).not.toEqual([])
        },
      ),
      { ...RUNS, numRuns: 20_000 },
    )
    expect(asked).toBeGreaterThan(100)
  })
})
