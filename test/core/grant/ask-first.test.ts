import { describe, expect, it } from 'vitest'
import type { AskFacts } from '../../../src/core/grant/ask-first.ts'
import { dueQuestions, isWithinHours } from '../../../src/core/grant/ask-first.ts'
import type { AskFirstRule, GrantTerms } from '../../../src/core/grant/terms.ts'
import { actionNamed, TERMS } from './sample-grant.ts'

const FACTS: AskFacts = {
  amount: null,
  unaskedMinorBefore: () => 0,
  countBefore: () => 0,
  newRecipient: false,
  minuteOfDay: 12 * 60,
  untrustedRead: false,
  paysKnownOrder: false,
  exactCommand: true,
}
const cny = (minor: number) => ({ amount: { minor, currency: 'CNY' } })

function due(action: string, facts: Partial<AskFacts>, terms: Partial<GrantTerms> = {}): string[] {
  const all = { ...TERMS, askFirst: [], unasked: [], ...terms }
  return dueQuestions(all, actionNamed(action), { ...FACTS, ...facts })
}

describe('what is asked first unless the user says otherwise', () => {
  it.each<[string, string, Partial<AskFacts>, Partial<GrantTerms>, string[]]>([
    ['reading', 'get_menu', { untrustedRead: true }, {}, []],
    ['spending', 'place_order', cny(1), {}, []],
    [
      'spending after untrusted content',
      'place_order',
      { ...cny(1), untrustedRead: true },
      {},
      ['after_untrusted'],
    ],
    [
      'the same, switched off for this action',
      'place_order',
      { ...cny(1), untrustedRead: true },
      { unasked: [{ rule: 'after_untrusted', action: 'place_order' }] },
      [],
    ],
    [
      'the same, switched off for another action',
      'place_order',
      { ...cny(1), untrustedRead: true },
      { unasked: [{ rule: 'after_untrusted', action: 'pay_bill' }] },
      ['after_untrusted'],
    ],
    ['a change without spending after untrusted content', 'cancel_order', { untrustedRead: true }, {}, []],
    ['something physical', 'open_door', {}, {}, ['always']],
    [
      'something physical, switched off',
      'open_door',
      {},
      { unasked: [{ rule: 'always', action: 'open_door' }] },
      [],
    ],
    ['adding a payee', 'add_payee', {}, {}, ['adds_recipient', 'always']],
    [
      'adding a payee cannot be switched off',
      'add_payee',
      { untrustedRead: true },
      {
        unasked: [
          { rule: 'always', action: 'add_payee' },
          { rule: 'after_untrusted', action: 'add_payee' },
        ],
      },
      ['adds_recipient'],
    ],
    ['a payment of no order', 'pay_bill', cny(1), {}, ['payment_without_order']],
    ['a payment of a known order', 'pay_bill', { ...cny(1), paysKnownOrder: true }, {}, []],
  ])('%s', (_, action, facts, terms, expected) => {
    expect(due(action, facts, terms)).toEqual(expected)
  })
})

describe('rules of the user', () => {
  const hours: AskFirstRule = { kind: 'outside_hours', fromMinute: 480, toMinute: 1320 }
  const above: AskFirstRule = { kind: 'above_amount', currency: 'CNY', amountMinor: 3000 }
  const unasked: AskFirstRule = {
    kind: 'above_unasked',
    currency: 'CNY',
    amountMinor: 5000,
    windowMs: 60_000,
  }
  const many: AskFirstRule = { kind: 'too_many', count: 3, windowMs: 60_000 }
  it.each<[string, AskFirstRule, Partial<AskFacts>, string[]]>([
    ['exactly the amount', above, cny(3000), []],
    ['one above the amount', above, cny(3001), ['above_amount']],
    ['another currency', above, { amount: { minor: 9000, currency: 'JPY' } }, []],
    ['an amount nobody knows', above, {}, ['above_amount']],
    ['exactly what may go without a yes', unasked, { ...cny(2000), unaskedMinorBefore: () => 3000 }, []],
    [
      'one more than may go without a yes',
      unasked,
      { ...cny(2001), unaskedMinorBefore: () => 3000 },
      ['above_unasked'],
    ],
    ['a known recipient', { kind: 'new_recipient' }, { ...cny(1) }, []],
    ['a new recipient', { kind: 'new_recipient' }, { ...cny(1), newRecipient: true }, ['new_recipient']],
    ['the first minute inside', hours, { ...cny(1), minuteOfDay: 480 }, []],
    ['the minute before', hours, { ...cny(1), minuteOfDay: 479 }, ['outside_hours']],
    ['the last minute inside', hours, { ...cny(1), minuteOfDay: 1319 }, []],
    ['the minute after', hours, { ...cny(1), minuteOfDay: 1320 }, ['outside_hours']],
    ['the last one of so many', many, { ...cny(1), countBefore: () => 2 }, []],
    ['one too many', many, { ...cny(1), countBefore: () => 3 }, ['too_many']],
    ['always', { kind: 'always' }, cny(1), ['always']],
  ])('%s', (_, rule, facts, expected) => {
    expect(due('place_order', facts, { askFirst: [rule] })).toEqual(expected)
  })

  it('cover without names every action that does more than read', () => {
    expect(due('get_menu', {}, { askFirst: [{ kind: 'always' }] })).toEqual([])
    expect(due('cancel_order', {}, { askFirst: [{ kind: 'always' }] })).toEqual(['always'])
  })

  it('cover with names exactly those, reading too', () => {
    const askFirst: AskFirstRule[] = [{ kind: 'always', actions: ['get_menu'] }]
    expect(due('get_menu', {}, { askFirst })).toEqual(['always'])
    expect(due('cancel_order', {}, { askFirst })).toEqual([])
  })

  it('are not switched off by what switches a default off', () => {
    const askFirst: AskFirstRule[] = [{ kind: 'always' }, { kind: 'after_untrusted' }]
    const switchedOff: GrantTerms['unasked'] = [
      { rule: 'always', action: 'open_door' },
      { rule: 'after_untrusted', action: 'open_door' },
    ]
    const facts = { untrustedRead: true }
    expect(due('open_door', facts, { askFirst, unasked: switchedOff })).toEqual(['after_untrusted', 'always'])
  })

  it('each give their reason once, all of them together', () => {
    const askFirst: AskFirstRule[] = [above, above, many, { kind: 'new_recipient' }]
    const facts = { ...cny(3001), countBefore: () => 3, newRecipient: true }
    expect(due('place_order', facts, { askFirst })).toEqual(['above_amount', 'new_recipient', 'too_many'])
  })

  it('ask when the rule is newer than this code', () => {
    const newer: AskFirstRule = JSON.parse('{"kind":"full_moon"}')
    expect(due('place_order', cny(1), { askFirst: [newer] })).toEqual(['full_moon'])
  })
})

describe('hours across midnight', () => {
  it.each([
    [22 * 60, 6 * 60, 23 * 60, true],
    [22 * 60, 6 * 60, 0, true],
    [22 * 60, 6 * 60, 6 * 60, false],
    [22 * 60, 6 * 60, 12 * 60, false],
    [0, 1440, 1439, true],
    [600, 600, 600, false],
  ])('from %d to %d, minute %d', (fromMinute, toMinute, minute, isWithin) => {
    expect(isWithinHours({ fromMinute, toMinute }, minute)).toBe(isWithin)
  })
})
