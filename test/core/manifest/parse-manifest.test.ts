import { describe, expect, it } from 'vitest'
import { canonicalManifest, manifestDigest } from '../../../src/core/manifest/canonical-manifest.ts'
import { parseManifest } from '../../../src/core/manifest/parse-manifest.ts'
import { type Edit, parseEdited, sampleText } from '../../support/sample-manifest.ts'

describe('parseManifest', () => {
  it('gives the manifest with the canonical text and digest that signatures cover', () => {
    const parsed = parseManifest(sampleText('coffee.order'))
    if (!parsed.ok) throw new Error('the sample must parse')
    expect(parsed.manifest.skill).toBe('coffee.order')
    expect(canonicalManifest(parsed.manifest)).toBe(parsed.canonical)
    expect(manifestDigest(parsed.manifest)).toBe(parsed.digest)
  })

  it('gives the same digest whatever the order of members and the white space', () => {
    const sample = JSON.parse(sampleText('pay.transfer'))
    const reversed = JSON.stringify(Object.fromEntries(Object.entries(sample).reverse()))
    const [a, b] = [parseManifest(sampleText('pay.transfer')), parseManifest(reversed)]
    expect(a.ok && b.ok && a.digest === b.digest).toBe(true)
  })

  it.each([
    ['text that is not JSON', '{', 'malformed_json'],
    ['a name that stands twice', sampleText('coffee.order').replace('{', '{"version":1,'), 'duplicate_key'],
    ['half of a surrogate pair', '{"title":"\\ud83d"}', 'lone_surrogate'],
    ['nesting beyond 32 levels', `${'['.repeat(33)}${']'.repeat(33)}`, 'too_deep'],
    ['more than 256 KiB', `{"a":"${'x'.repeat(262_144)}"}`, 'too_large'],
    ['a number its double does not print back', '{"a":9007199254740993}', 'number_not_exact'],
    ['another kind of document', '[]', 'wrong_shape'],
  ])('refuses %s', (_, text, code) => {
    const parsed = parseManifest(text)
    expect(parsed.ok ? [] : parsed.faults.map((fault) => fault.code)).toContain(code)
  })

  it.each<[string, Edit, string, string]>([
    ['an unknown field', ['/licence', 'MIT'], '/licence', 'unknown_field'],
    ['an unknown field of an action', ['/actions/0/cost', 1], '/actions/0/cost', 'unknown_field'],
    ['a missing field', ['/publisher', undefined], '/publisher', 'wrong_shape'],
    ['an action without effects', ['/actions/0/effects', []], '/actions/0/effects', 'wrong_shape'],
    ['an unknown effect', ['/actions/0/effects', ['fly']], '/actions/0/effects/0', 'wrong_shape'],
    ['a skill id without dots', ['/skill', 'coffee'], '/skill', 'wrong_shape'],
    ['a version that is not a number', ['/version', '1'], '/version', 'wrong_shape'],
    ['a path that climbs', ['/actions/0/path', '/a?b'], '/actions/0/path', 'wrong_shape'],
    ['a text in one language', ['/title/zh', undefined], '/title/zh', 'wrong_shape'],
    ['a title that runs backwards', ['/title/en', 'Pay\u202eeeffoC'], '/title/en', 'bidi_control'],
    ['an invisible character', ['/title/en', 'Cof\u200bfee'], '/title/en', 'invisible_character'],
    ['a line break in a title', ['/title/en', 'Coffee\nfree'], '/title/en', 'control_character'],
    ['text that is not NFC', ['/title/en', 'Cafe\u0301'], '/title/en', 'not_nfc'],
  ])('refuses %s and says where', (_, edit, pointer, code) => {
    const parsed = parseEdited('coffee.order', edit)
    expect(parsed.ok ? [] : parsed.faults.map((fault) => [fault.pointer, fault.code])).toContainEqual([
      pointer,
      code,
    ])
  })
})
