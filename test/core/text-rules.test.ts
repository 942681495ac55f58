import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkText, checkTexts, visibleText } from '../../src/core/text-rules.ts'

describe('checkText', () => {
  it.each([
    ['plain words', 'Latte, 2 × 16.90', undefined, undefined],
    ['Chinese', '少冰，谢谢　张三', undefined, undefined],
    ['a simple emoji', '☕😀', undefined, undefined],
    ['a decomposed accent', 'e\u0301', 'not_nfc', 'not_nfc'],
    ['a half of a pair', 'a\ud800', 'lone_surrogate', 'lone_surrogate'],
    ['a newline', 'a\nb', 'control_character', undefined],
    ['a tab', 'a\tb', 'control_character', undefined],
    ['a carriage return', 'a\rb', 'control_character', 'control_character'],
    ['a null', 'a\0', 'control_character', 'control_character'],
    ['an escape for terminals', '\u001b[2J', 'control_character', 'control_character'],
    ['a C1 control', '\u009b', 'control_character', 'control_character'],
    ['a line separator', '\u2028', 'control_character', undefined],
    ['a right-to-left override', 'pay \u202eecila', 'bidi_control', undefined],
    ['an isolate', '\u2066', 'bidi_control', undefined],
    ['an Arabic letter mark', '\u061c', 'bidi_control', undefined],
    ['a zero-width space', 'al\u200bice', 'invisible_character', undefined],
    ['a zero-width joiner', 'al\u200dice', 'invisible_character', undefined],
    ['a soft hyphen', 'al\u00adice', 'invisible_character', undefined],
    ['a byte order mark', '\ufeff', 'invisible_character', undefined],
    ['a tag letter', '\u{e0041}', 'invisible_character', undefined],
    ['a variation selector', 'a\ufe0f', 'invisible_character', undefined],
    ['a supplementary variation selector', 'a\u{e0100}', 'invisible_character', undefined],
    ['a Hangul filler', '\u3164', 'invisible_character', undefined],
    ['a blank braille cell', '\u2800', 'invisible_character', undefined],
    ['a private character', '\ue000', 'invisible_character', undefined],
    ['a noncharacter', '\uffff', 'invisible_character', undefined],
  ])('judges %s in plain and in free text', (_, text, plain, free) => {
    expect(checkText(text, 'plain')).toBe(plain)
    expect(checkText(text, 'free_text')).toBe(free)
  })
})

describe('checkTexts', () => {
  it('points at each string and name at fault', () => {
    const value = { note: 'a\nb', to: ['alice', 'b\u200bob'], 'x\u202e': 1, 'a/b': { c: '\r' } }
    expect(checkTexts(value, (pointer) => pointer === '/note')).toEqual([
      { pointer: '/to/1', code: 'invisible_character' },
      { pointer: '/x\u202e', code: 'bidi_control' },
      { pointer: '/a~1b/c', code: 'control_character' },
    ])
  })
})

describe('visibleText', () => {
  it.each([
    ['pay \u202eecila', 'pay ‹U+202E›ecila'],
    ['al\u200bice', 'al‹U+200B›ice'],
    ['\u001b[2J', '‹U+001B›[2J'],
    ['a\nb', 'a‹U+000A›b'],
    ['a\u{e0041}', 'a‹U+E0041›'],
    ['a\ud800b', 'a‹U+D800›b'],
    ['a‹b› 少冰 😀', 'a‹b› 少冰 😀'],
    ['‹U+202E›', '‹U+2039›U+202E›'],
  ])('shows %j', (text, shown) => {
    expect(visibleText(text)).toBe(shown)
  })

  it('keeps lines where free text has a block of its own', () => {
    expect(visibleText('a\n\tb\r\u202e', 'keep')).toBe('a\n\tb‹U+000D›‹U+202E›')
  })

  it('leaves nothing a plain field would refuse, and never shows two texts alike', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', '‹', 'U+', '202E', '›', '\u202e', '\u200b', '\n', '\ud800'),
    })
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(checkText(visibleText(a), 'plain')).toBeUndefined()
        expect(visibleText(a) === visibleText(b)).toBe(a === b)
      }),
      { seed: 1, numRuns: 2000 },
    )
  })
})
