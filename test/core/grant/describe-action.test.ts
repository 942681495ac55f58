import { describe, expect, it } from 'vitest'
import type { ActionSubject } from '../../../src/core/grant/describe-action.ts'
import { describeAction } from '../../../src/core/grant/describe-action.ts'
import { describeDifference } from '../../../src/core/grant/describe-difference.ts'
import { diffManifests } from '../../../src/core/manifest/manifest-diff.ts'
import { actionNamed, MANIFEST, NOW_MS } from './sample-grant.ts'

const SUBJECT: ActionSubject = {
  manifest: MANIFEST,
  action: actionNamed('place_order'),
  agent: { name: 'Errand Helper' },
  publisher: { name: 'Coffee Example' },
  args: {
    total: 3380,
    currency: 'CNY',
    note: 'less\u202eice\n“now”',
    gift: false,
    extras: [],
    options: {},
    empty: '',
    none: null,
    items: [{ sku: 'latte', quantity: 2 }, { sku: 'mocha' }],
    'a/b': 1,
  },
  amount: { minor: 6760, currency: 'CNY' },
  repetitions: 2,
  recipients: [
    { value: 'mum@example.com', label: 'Mum', isNew: false },
    { value: 'eve@example.com', label: null, isNew: true },
  ],
  reasons: ['above_amount', 'new_recipient'],
  preview: { total: 3380 },
  expiresAtMs: NOW_MS + 900_000,
  zone: 'Asia/Shanghai',
}

function textOf(code: string, change: Partial<ActionSubject> = {}): string {
  return describeAction({ ...SUBJECT, ...change }, 'en')
    .sentences.filter((sentence) => sentence.code === code)
    .map(({ text }) => text)
    .join('\n')
}

describe('the text of an approval', () => {
  it('shows every argument, none shortened or hidden', () => {
    const shown = describeAction(SUBJECT, 'en').arguments.map(({ pointer, label, value }) => [
      pointer,
      label,
      value,
    ])
    expect(shown).toEqual([
      ['/total', '“total”', '3380'],
      ['/currency', '“currency”', '“CNY”'],
      ['/note', '“Note”', '“less‹U+202E›ice‹U+000A›‹U+201C›now‹U+201D›”'],
      ['/gift', '“gift”', 'no'],
      ['/extras', '“extras”', '(empty list)'],
      ['/options', '“options”', '(no entries)'],
      ['/empty', '“empty”', '(empty text)'],
      ['/none', '“none”', '(nothing)'],
      ['/items/0/sku', '“items” › #1 › “Drink”', '“latte”'],
      ['/items/0/quantity', '“items” › #1 › “quantity”', '2'],
      ['/items/1/sku', '“items” › #2 › “Drink”', '“mocha”'],
      ['/a~1b', '“a/b”', '1'],
    ])
  })

  it('says what it costs, all repetitions at once', () => {
    expect(textOf('action_amount_all')).toMatch(/67\.60.*2 repetitions/)
    expect(textOf('action_amount', { repetitions: 1 })).toContain('67.60')
    expect(textOf('action_no_amount', { amount: null })).not.toBe('')
  })

  it('says who receives it, and who does so for the first time', () => {
    expect(textOf('action_recipient_saved')).toContain('“mum@example.com”, which you saved as “Mum”')
    expect(textOf('action_recipient_unsaved')).toContain('“eve@example.com”')
    expect(textOf('action_recipient_new')).not.toContain('mum@example.com')
    expect(textOf('action_third_party')).toContain('“Pay Example” (payment service)')
  })

  it('says why, whether it can be undone, what is filled in, and what a yes and a no mean', () => {
    expect(textOf('why_above_amount')).not.toBe('')
    expect(textOf('why_new_recipient')).not.toBe('')
    expect(textOf('mistake_undo')).toContain('10 minutes')
    expect(textOf('action_filled')).toContain('“token”')
    expect(textOf('action_yes')).toContain('23 November 2026 at 16:15')
    expect(textOf('action_no')).not.toBe('')
    expect(textOf('action_preview')).not.toBe('')
    expect(describeAction(SUBJECT, 'en').preview).toEqual([
      { pointer: '/total', label: '“/total”', value: '3380' },
    ])
  })

  it('says the same in both languages', () => {
    const codesOf = (locale: 'en' | 'zh') => describeAction(SUBJECT, locale).sentences.map(({ code }) => code)
    expect(codesOf('zh')).toEqual(codesOf('en'))
    expect(describeAction(SUBJECT, 'zh').title).toContain('“下单”')
  })

  it('is hashed with the exact arguments', () => {
    const { digestInput } = describeAction(SUBJECT, 'en')
    expect(describeAction({ ...SUBJECT }, 'en').digestInput).toBe(digestInput)
    for (const change of [
      { args: {} },
      { amount: { minor: 6761, currency: 'CNY' } },
      { recipients: [] },
      { preview: null },
    ]) {
      expect(describeAction({ ...SUBJECT, ...change }, 'en').digestInput).not.toBe(digestInput)
    }
    expect(textOf('action_no_arguments', { args: {} })).not.toBe('')
  })
})

describe('what an update newly asks for', () => {
  const next = {
    ...MANIFEST,
    version: 4,
    title: { en: MANIFEST.title.en, zh: '咖啡' },
    actions: MANIFEST.actions
      .filter(({ name }) => name !== 'open_door')
      .map((action) => (action.name === 'get_menu' ? { ...action, effects: ['spend' as const] } : action)),
  }
  const subject = (perAction: ReturnType<typeof diffManifests>['perAction']) => ({
    manifest: next,
    agent: { name: 'Errand Helper' },
    perAction,
    zone: 'Asia/Shanghai',
  })

  it.each(['en', 'zh'] as const)('is one sentence for each change, with both sides (%s)', (locale) => {
    const { perAction } = diffManifests(MANIFEST, next)
    const { sentences } = describeDifference(subject(perAction), locale)
    expect(sentences).toHaveLength(Object.values(perAction).flat().length)
    const effects = sentences.find(
      ({ code, action }) => code === 'change_effects_changed' && action === 'get_menu',
    )
    expect(effects?.text).toContain('read')
    expect(effects?.text).toContain('spend')
    expect(effects?.enforcedBy).toBe('skill_promise')
    expect(sentences.map(({ code }) => code)).toContain('change_action_removed')
  })

  it('shows a change of the other language only as a change', () => {
    const change = {
      code: 'text_changed',
      pointer: '/title',
      before: MANIFEST.title,
      after: next.title,
    } as const
    const [sentence] = describeDifference(subject({ get_menu: [change] }), 'en').sentences
    expect(sentence?.text).toContain('咖啡点单')
  })

  it('is hashed with its changes', () => {
    const digest = (perAction: ReturnType<typeof diffManifests>['perAction']) =>
      describeDifference(subject(perAction), 'en').digestInput
    expect(digest({})).not.toBe(digest({ get_menu: [{ code: 'action_added', pointer: '/actions' }] }))
  })
})
