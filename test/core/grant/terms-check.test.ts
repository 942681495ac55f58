import { describe, expect, it } from 'vitest'
import { defaultTerms } from '../../../src/core/grant/default-terms.ts'
import { recipientPointersOf } from '../../../src/core/grant/input-field.ts'
import type { Constraint, GrantTerms } from '../../../src/core/grant/terms.ts'
import { grantTermsShape } from '../../../src/core/grant/terms.ts'
import { checkTermsAgainstManifest } from '../../../src/core/grant/terms-check.ts'
import { actionNamed, DAY_MS, MANIFEST, NOW_MS, TERMS } from './sample-grant.ts'

function faults(terms: GrantTerms): string[] {
  return checkTermsAgainstManifest(terms, MANIFEST, ['dep_a'], NOW_MS).map(
    ({ code, pointer }) => `${code} ${pointer}`,
  )
}

const [CNY_A_DAY] = TERMS.budgets
if (CNY_A_DAY?.measure !== 'amount') throw new Error('the sample starts with an amount')

describe('terms against their manifest', () => {
  it.each<[string, Partial<GrantTerms>, string[]]>([
    ['fit', {}, []],
    ['are of another skill', { skill: 'a.b' }, ['skill_differs /skill']],
    [
      'name an action nobody has',
      { actions: [...TERMS.actions, { name: 'fly', constraints: [] }] },
      ['action_unknown /actions/2'],
    ],
    [
      'name an action twice',
      { actions: [...TERMS.actions, { name: 'get_menu', constraints: [] }] },
      ['action_named_twice /actions/2'],
    ],
    ['spend without a budget', { budgets: [] }, ['budget_missing /actions/1']],
    [
      'spend in the other of two currencies',
      { budgets: [{ ...CNY_A_DAY, currency: 'JPY' }], askFirst: [{ kind: 'always' }] },
      [],
    ],
    [
      'budget a currency nothing charges',
      { budgets: [CNY_A_DAY, { ...CNY_A_DAY, currency: 'USD' }] },
      ['budget_currency_unused /budgets/1'],
    ],
    [
      'budget a name every object has',
      { budgets: [CNY_A_DAY, { ...CNY_A_DAY, currency: 'constructor' }] },
      ['budget_currency_unused /budgets/1'],
    ],
    [
      'budget an action not asked for',
      { budgets: [CNY_A_DAY, { ...CNY_A_DAY, action: 'pay_bill' }] },
      ['budget_action_not_asked /budgets/1'],
    ],
    [
      'budget money for reading',
      { budgets: [CNY_A_DAY, { ...CNY_A_DAY, action: 'get_menu' }] },
      ['budget_currency_unused /budgets/1'],
    ],
    [
      'ask first about an action not asked for',
      { askFirst: [{ kind: 'always', actions: ['pay_bill'] }] },
      ['ask_first_action_not_asked /askFirst/0'],
    ],
    [
      'ask first above an amount in a currency nothing charges',
      { askFirst: [{ kind: 'above_amount', currency: 'USD', amountMinor: 1 }] },
      ['ask_first_currency_unused /askFirst/0'],
    ],
    [
      'switch a rule off for an action not asked for',
      { unasked: [{ rule: 'always', action: 'pay_bill' }] },
      ['unasked_action_not_asked /unasked/0'],
    ],
    ['name an unknown category', { categories: ['order', 'health'] }, ['category_unknown /categories/1']],
    ['name a category every object has', { categories: ['constructor'] }, ['category_unknown /categories/0']],
    ['name an unknown recipient', { recipients: ['shop', 'eve'] }, ['recipient_unknown /recipients/1']],
    ['keep as long as the manifest does', { retentionDays: { history: 180 } }, []],
    [
      'keep a day longer than the manifest does',
      { retentionDays: { history: 181 } },
      ['retention_too_long /retentionDays/history'],
    ],
    [
      'keep for a day what lives for a session',
      { retentionDays: { location: 1 } },
      ['retention_too_long /retentionDays/location'],
    ],
    [
      'keep what there is not',
      { retentionDays: { photos: 0 } },
      ['memory_class_unknown /retentionDays/photos'],
    ],
    ['limit to a registered deployment', { deployments: { kind: 'only', ids: ['dep_a'] } }, []],
    [
      'limit to another deployment',
      { deployments: { kind: 'only', ids: ['dep_a', 'dep_b'] } },
      ['deployment_unknown /deployments/ids/1'],
    ],
    ['end now', { expiresAtMs: NOW_MS }, ['expiry_passed /expiresAtMs']],
    ['end in 400 days', { expiresAtMs: NOW_MS + 400 * DAY_MS }, []],
    ['end a millisecond later', { expiresAtMs: NOW_MS + 400 * DAY_MS + 1 }, ['expiry_too_far /expiresAtMs']],
  ])('%s', (_, change, expected) => {
    expect(faults({ ...TERMS, ...change })).toEqual(expected)
  })

  it('say which currency would mend a missing budget', () => {
    const [fault] = checkTermsAgainstManifest({ ...TERMS, budgets: [] }, MANIFEST, [], NOW_MS)
    expect(fault?.detail).toContain('CNY or JPY')
  })

  it('list every fault at once', () => {
    expect(faults({ ...TERMS, categories: ['x'], recipients: ['y'], expiresAtMs: 0 })).toHaveLength(3)
  })
})

describe('a constraint against the action', () => {
  it.each<[string, string, Constraint, string[]]>([
    ['a nested field', 'place_order', { kind: 'one_of', pointer: '/items/*/sku', values: ['latte'] }, []],
    ['the length of a list', 'place_order', { kind: 'length', pointer: '/items', max: 3 }, []],
    [
      'an unknown field',
      'place_order',
      { kind: 'equals', pointer: '/nope', value: 'x' },
      ['constraint_field_unknown'],
    ],
    [
      'an inherited name',
      'place_order',
      { kind: 'absent', pointer: '/toString' },
      ['constraint_field_unknown'],
    ],
    [
      'every element of a text',
      'place_order',
      { kind: 'equals', pointer: '/note/*', value: 'x' },
      ['constraint_field_unknown'],
    ],
    [
      'a field the broker fills',
      'place_order',
      { kind: 'equals', pointer: '/token', value: 'x' },
      ['constraint_cannot_hold'],
    ],
    [
      'a range of a text',
      'place_order',
      { kind: 'range', pointer: '/note', max: 1 },
      ['constraint_cannot_hold'],
    ],
    [
      'an empty range',
      'place_order',
      { kind: 'range', pointer: '/total', min: 2, max: 1 },
      ['constraint_cannot_hold'],
    ],
    [
      'a text for a number',
      'place_order',
      { kind: 'equals', pointer: '/total', value: '5' },
      ['constraint_cannot_hold'],
    ],
    [
      'the length of a number',
      'place_order',
      { kind: 'length', pointer: '/total', max: 1 },
      ['constraint_cannot_hold'],
    ],
    ['an origin', 'get_menu', { kind: 'origin', pointer: '/page', origins: ['https://a.example'] }, []],
    [
      'an origin with a path',
      'get_menu',
      { kind: 'origin', pointer: '/page', origins: ['https://a.example/x'] },
      ['constraint_cannot_hold'],
    ],
    [
      'a prefix with a way out',
      'get_menu',
      { kind: 'path_prefix', pointer: '/page', prefix: '/a/../b' },
      ['constraint_cannot_hold'],
    ],
    [
      'a mail domain with an address',
      'get_menu',
      { kind: 'mail_domain', pointer: '/page', domains: ['x@a.example'] },
      ['constraint_cannot_hold'],
    ],
    ['a saved recipient where one is marked', 'pay_bill', { kind: 'saved_recipient' }, []],
    [
      'a saved recipient where none is marked',
      'place_order',
      { kind: 'saved_recipient' },
      ['constraint_cannot_hold'],
    ],
  ])('%s', (_, name, constraint, expected) => {
    const terms = {
      ...TERMS,
      actions: [{ name, constraints: [constraint] }],
      budgets: [CNY_A_DAY],
      askFirst: [],
    }
    const codes = checkTermsAgainstManifest(terms, MANIFEST, [], NOW_MS).map(({ code }) => code)
    expect(codes.filter((code) => code.startsWith('constraint'))).toEqual(expected)
  })

  it('finds the fields that name a recipient', () => {
    expect(recipientPointersOf(actionNamed('pay_bill'))).toEqual(['/payee'])
    expect(recipientPointersOf(actionNamed('place_order'))).toEqual([])
  })
})

describe('what an agent leaves out', () => {
  it('is nothing, but for the recipients its actions need', () => {
    expect(defaultTerms(MANIFEST, { actions: [{ name: 'place_order' }] }, NOW_MS)).toEqual({
      skill: 'coffee.order',
      actions: [{ name: 'place_order', constraints: [] }],
      budgets: [],
      askFirst: [],
      unasked: [],
      categories: [],
      recipients: ['shop', 'pay'],
      retentionDays: {},
      deployments: { kind: 'registered' },
      oneTime: false,
      expiresAtMs: NOW_MS + 30 * DAY_MS,
      sharesBudget: false,
    })
  })

  it('does not replace what it says', () => {
    const { skill: _, ...wished } = TERMS
    expect(defaultTerms(MANIFEST, { ...wished, recipients: [] }, NOW_MS)).toEqual({
      ...TERMS,
      recipients: [],
    })
  })
})

describe('the shape of terms', () => {
  it('refuses two entries for one action', () => {
    expect(grantTermsShape.safeParse(TERMS).success).toBe(true)
    const twice = { ...TERMS, actions: [...TERMS.actions, ...TERMS.actions] }
    expect(grantTermsShape.safeParse(twice).success).toBe(false)
  })
})
