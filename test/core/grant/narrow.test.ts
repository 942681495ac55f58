import { describe, expect, it } from 'vitest'
import { checkNarrower } from '../../../src/core/grant/narrow.ts'
import type { Constraint, GrantTerms } from '../../../src/core/grant/terms.ts'
import { NOW_MS, TERMS } from './sample-grant.ts'

function faults(asked: GrantTerms, given: GrantTerms): string[] {
  const outcome = checkNarrower(asked, given, NOW_MS)
  return outcome.ok ? [] : outcome.faults.map(({ code, pointer }) => `${code} ${pointer}`)
}

const withConstraints = (...constraints: Constraint[]): GrantTerms => ({
  ...TERMS,
  actions: [{ name: 'place_order', constraints }],
})

const DAY = { kind: 'calendar', period: 'day' } as const
const [CNY_A_DAY, ORDERS_AN_HOUR] = TERMS.budgets
if (CNY_A_DAY?.measure !== 'amount' || !ORDERS_AN_HOUR) throw new Error('the sample has two budgets')

describe('given terms', () => {
  it.each<[string, Partial<GrantTerms>, string[]]>([
    ['are the asked ones', {}, []],
    ['are of another skill', { skill: 'coffee.other' }, ['skill_differs /skill']],
    ['leave an action out', { actions: TERMS.actions.slice(0, 1), budgets: [CNY_A_DAY] }, []],
    [
      'add an action',
      { actions: [...TERMS.actions, { name: 'open_door', constraints: [] }] },
      ['action_not_asked /actions/2'],
    ],
    [
      'name an action twice',
      { actions: [...TERMS.actions, { name: 'get_menu', constraints: [] }] },
      ['action_named_twice /actions/2'],
    ],
    ['lower a budget', { budgets: [{ ...CNY_A_DAY, limit: 9999 }, ORDERS_AN_HOUR] }, []],
    [
      'raise a budget by one',
      { budgets: [{ ...CNY_A_DAY, limit: 10_001 }, ORDERS_AN_HOUR] },
      ['budget_raised /budgets'],
    ],
    ['drop a budget', { budgets: [CNY_A_DAY] }, ['budget_removed /budgets']],
    [
      'change the window of a budget',
      { budgets: [{ ...CNY_A_DAY, window: { kind: 'calendar', period: 'week' } }, ORDERS_AN_HOUR] },
      ['budget_removed /budgets'],
    ],
    [
      'move a budget from every action to one',
      { budgets: [{ ...CNY_A_DAY, action: 'place_order' }, ORDERS_AN_HOUR] },
      ['budget_removed /budgets'],
    ],
    [
      'add a budget in the same currency',
      { budgets: [CNY_A_DAY, ORDERS_AN_HOUR, { ...CNY_A_DAY, window: { kind: 'lifetime' }, limit: 99_999 }] },
      [],
    ],
    [
      'add a count',
      { budgets: [CNY_A_DAY, ORDERS_AN_HOUR, { measure: 'count', window: DAY, limit: 3 }] },
      [],
    ],
    [
      'add a first budget in a currency',
      { budgets: [CNY_A_DAY, ORDERS_AN_HOUR, { ...CNY_A_DAY, currency: 'JPY' }] },
      ['budget_not_asked /budgets/2'],
    ],
    [
      'raise the amount asked above',
      { askFirst: [{ kind: 'above_amount', currency: 'CNY', amountMinor: 3001, actions: ['place_order'] }] },
      ['ask_first_loosened /askFirst'],
    ],
    [
      'lower the amount asked above',
      { askFirst: [{ kind: 'above_amount', currency: 'CNY', amountMinor: 0, actions: ['place_order'] }] },
      [],
    ],
    ['ask always instead', { askFirst: [{ kind: 'always', actions: ['place_order'] }] }, []],
    [
      'ask above an amount of another currency',
      { askFirst: [{ kind: 'above_amount', currency: 'JPY', amountMinor: 0, actions: ['place_order'] }] },
      ['ask_first_loosened /askFirst'],
    ],
    ['ask never', { askFirst: [] }, ['ask_first_loosened /askFirst']],
    ['ask more', { askFirst: [...TERMS.askFirst, { kind: 'new_recipient' }] }, []],
    [
      'switch a default rule off',
      { unasked: [{ rule: 'always', action: 'place_order' }] },
      ['unasked_added /unasked/0'],
    ],
    ['give fewer categories', { categories: [] }, []],
    ['give another category', { categories: ['order', 'place'] }, ['category_added /categories/1']],
    ['give fewer recipients', { recipients: ['shop'] }, []],
    ['give another recipient', { recipients: ['eve'] }, ['recipient_added /recipients/0']],
    ['keep memory shorter', { retentionDays: { history: 29 } }, []],
    ['keep no memory', { retentionDays: {} }, []],
    [
      'keep memory a day longer',
      { retentionDays: { history: 31 } },
      ['retention_longer /retentionDays/history'],
    ],
    [
      'keep another class for no day',
      { retentionDays: { location: 0 } },
      ['retention_added /retentionDays/location'],
    ],
    [
      'keep an inherited name',
      { retentionDays: { constructor: 1 } },
      ['retention_added /retentionDays/constructor'],
    ],
    ['limit the deployments', { deployments: { kind: 'only', ids: ['dep_a'] } }, []],
    ['work once', { oneTime: true }, []],
    ['end earlier', { expiresAtMs: NOW_MS + 1 }, []],
    ['end at this instant', { expiresAtMs: NOW_MS }, ['expiry_passed /expiresAtMs']],
    ['end later', { expiresAtMs: TERMS.expiresAtMs + 1 }, ['expiry_later /expiresAtMs']],
    ['tell the agent what is left', { sharesBudget: true }, ['budget_sharing_added /sharesBudget']],
  ])('%s', (_, change, expected) => {
    expect(faults(TERMS, { ...TERMS, ...change })).toEqual(expected)
  })

  it('do not widen deployments, nor work more often than once', () => {
    const asked: GrantTerms = {
      ...TERMS,
      oneTime: true,
      sharesBudget: true,
      deployments: { kind: 'only', ids: ['a', 'b'] },
    }
    expect(
      faults(asked, { ...asked, sharesBudget: false, deployments: { kind: 'only', ids: ['b'] } }),
    ).toEqual([])
    expect(faults(asked, { ...asked, deployments: { kind: 'only', ids: ['b', 'c'] } })).toEqual([
      'deployments_widened /deployments/ids/1',
    ])
    expect(faults(asked, { ...asked, deployments: { kind: 'registered' } })).toEqual([
      'deployments_widened /deployments',
    ])
    expect(faults(asked, { ...asked, oneTime: false })).toEqual(['one_time_removed /oneTime'])
  })

  it('do not give one action the currency that only another had a budget in', () => {
    const budget = { measure: 'amount', currency: 'CNY', window: DAY, limit: 100 } as const
    const two = [
      { name: 'place_order', constraints: [] },
      { name: 'pay_bill', constraints: [] },
    ]
    const asked: GrantTerms = {
      ...TERMS,
      actions: two,
      askFirst: [],
      budgets: [{ ...budget, action: 'place_order' }],
    }
    const wide = { ...asked, budgets: [...asked.budgets, budget] }
    expect(faults(asked, wide)).toEqual(['budget_not_asked /budgets/1'])
    const other: GrantTerms = { ...asked, budgets: [...asked.budgets, { ...budget, action: 'pay_bill' }] }
    expect(faults(asked, other)).toEqual(['budget_not_asked /budgets/1'])
    expect(faults(asked, { ...wide, actions: two.slice(0, 1) })).toEqual([])
  })
})

describe('ask-first rules that share the work', () => {
  const terms = (askFirst: GrantTerms['askFirst']): GrantTerms => ({ ...TERMS, askFirst })
  it.each<[string, GrantTerms['askFirst'], GrantTerms['askFirst'], boolean]>([
    [
      'one rule for each action',
      [{ kind: 'new_recipient' }],
      [
        { kind: 'new_recipient', actions: ['get_menu'] },
        { kind: 'always', actions: ['place_order'] },
      ],
      true,
    ],
    [
      'one action forgotten',
      [{ kind: 'new_recipient' }],
      [{ kind: 'new_recipient', actions: ['get_menu'] }],
      false,
    ],
    [
      'no names where reading was named',
      [{ kind: 'always', actions: ['get_menu'] }],
      [{ kind: 'always' }],
      false,
    ],
    [
      'shorter hours',
      [{ kind: 'outside_hours', fromMinute: 480, toMinute: 1200 }],
      [{ kind: 'outside_hours', fromMinute: 500, toMinute: 1200 }],
      true,
    ],
    [
      'longer hours',
      [{ kind: 'outside_hours', fromMinute: 480, toMinute: 1200 }],
      [{ kind: 'outside_hours', fromMinute: 480, toMinute: 1201 }],
      false,
    ],
    [
      'hours on the other side of midnight',
      [{ kind: 'outside_hours', fromMinute: 480, toMinute: 1200 }],
      [{ kind: 'outside_hours', fromMinute: 1200, toMinute: 480 }],
      false,
    ],
    [
      'a longer window',
      [{ kind: 'too_many', count: 3, windowMs: 5000 }],
      [{ kind: 'too_many', count: 3, windowMs: 6000 }],
      true,
    ],
    [
      'a shorter window',
      [{ kind: 'too_many', count: 3, windowMs: 5000 }],
      [{ kind: 'too_many', count: 3, windowMs: 4000 }],
      false,
    ],
    [
      'more at once',
      [{ kind: 'too_many', count: 3, windowMs: 5000 }],
      [{ kind: 'too_many', count: 4, windowMs: 5000 }],
      false,
    ],
  ])('%s', (_, asked, given, isNarrower) => {
    expect(faults(terms(asked), terms(given))).toEqual(isNarrower ? [] : ['ask_first_loosened /askFirst'])
  })
})

describe('constraints', () => {
  const range = (min: number | undefined, max: number | undefined): Constraint => ({
    kind: 'range',
    pointer: '/total',
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
  })
  const origins = (...list: string[]): Constraint => ({ kind: 'origin', pointer: '/u', origins: list })
  const prefix = (text: string): Constraint => ({ kind: 'path_prefix', pointer: '/u', prefix: text })
  const domains = (...list: string[]): Constraint => ({ kind: 'mail_domain', pointer: '/m', domains: list })
  const values = (...list: (string | number)[]): Constraint => ({
    kind: 'one_of',
    pointer: '/total',
    values: list,
  })
  const saved = (...recipientIds: string[]): Constraint => ({ kind: 'saved_recipient', recipientIds })
  it.each<[string, Constraint[], Constraint[], boolean]>([
    ['one more', [range(0, 5)], [range(0, 5), { kind: 'absent', pointer: '/note' }], true],
    ['one less', [range(0, 5)], [], false],
    ['the same range', [range(0, 5)], [range(0, 5)], true],
    ['a higher maximum', [range(0, 5)], [range(0, 6)], false],
    ['a minimum taken away', [range(0, 5)], [range(undefined, 5)], false],
    ['the same elsewhere', [range(0, 5)], [{ kind: 'range', pointer: '/other', max: 1 }], false],
    ['a value inside the range', [range(0, 5)], [{ kind: 'equals', pointer: '/total', value: 5 }], true],
    ['a value outside the range', [range(0, 5)], [values(5, 6)], false],
    ['fewer values', [values(1, 2)], [values(2)], true],
    ['another value', [values(1, 2)], [values(2, 3)], false],
    ['a value of another type', [values(1, 2)], [values('1')], false],
    ['a range where values were asked', [values(1, 2)], [range(1, 2)], false],
    [
      'shorter texts',
      [{ kind: 'length', pointer: '/n', max: 5 }],
      [{ kind: 'length', pointer: '/n', max: 4 }],
      true,
    ],
    [
      'longer texts',
      [{ kind: 'length', pointer: '/n', max: 5 }],
      [{ kind: 'length', pointer: '/n', max: 6 }],
      false,
    ],
    [
      'a fixed text that fits',
      [{ kind: 'length', pointer: '/n', max: 2 }],
      [{ kind: 'equals', pointer: '/n', value: 'ab' }],
      true,
    ],
    ['absent stays absent', [{ kind: 'absent', pointer: '/n' }], [{ kind: 'absent', pointer: '/n' }], true],
    [
      'absent becomes fixed',
      [{ kind: 'absent', pointer: '/n' }],
      [{ kind: 'equals', pointer: '/n', value: 'a' }],
      false,
    ],
    [
      'fewer origins, spelled otherwise',
      [origins('https://a.example', 'https://b.example')],
      [origins('https://A.example:443/')],
      true,
    ],
    [
      'another origin',
      [origins('https://a.example')],
      [origins('https://a.example', 'https://c.example')],
      false,
    ],
    ['a deeper prefix', [prefix('/a')], [prefix('/a/b')], true],
    ['a prefix of the same letters', [prefix('/a')], [prefix('/ab')], false],
    ['a shorter prefix', [prefix('/a/b')], [prefix('/a')], false],
    ['a prefix that allows nothing is no excuse', [prefix('https://x.example/a')], [prefix('/a')], false],
    ['fewer mail domains', [domains('a.example', 'b.example')], [domains('B.example')], true],
    ['another mail domain', [domains('a.example')], [domains('c.example')], false],
    ['fewer saved recipients', [saved('a', 'b')], [saved('a')], true],
    ['named instead of all saved recipients', [{ kind: 'saved_recipient' }], [saved('a')], true],
    ['all instead of named saved recipients', [saved('a')], [{ kind: 'saved_recipient' }], false],
    ['another saved recipient', [saved('a')], [saved('a', 'c')], false],
  ])('%s', (_, asked, given, isNarrower) => {
    const expected = isNarrower ? [] : ['constraint_loosened /actions/0/constraints']
    expect(faults(withConstraints(...asked), withConstraints(...given))).toEqual(expected)
  })
})
