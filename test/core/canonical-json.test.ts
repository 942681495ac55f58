import canonicalize from 'canonicalize'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson, digestOf, taggedDigest } from '../../src/core/canonical-json.ts'
import type { JsonValue } from '../../src/core/json-value.ts'
import { parseStrictJson } from '../../src/core/strict-json.ts'

/** JSON with well-formed strings, the names that trip up objects, and numbers of every size. */
const json: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, false, 0, -0, 1e21, 1e-7, 5e-324, 333333333.3333333),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string({ unit: 'binary' }),
    fc.array(tie('value')),
    fc.dictionary(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.constantFrom('10', '9', 'a', 'A', 'toString', 'toJSON', '\ufb33', '😀'),
      ),
      tie('value'),
    ),
  ),
})).value

describe('canonicalJson', () => {
  it('writes the example of RFC 8785 section 3.2.4', () => {
    const text = String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],
      "string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`
    expect(canonicalJson(JSON.parse(text))).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        String.raw`"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    )
  })

  it('sorts names by UTF-16 code units, as the example of RFC 8785 section 3.2.3', () => {
    const names = ['\u20ac', '\r', '\ufb33', '1', '\ud83d\ude00', '\u0080', '\u00f6']
    const object = Object.fromEntries(names.map((name) => [name, 0]))
    expect(Object.keys(JSON.parse(canonicalJson([object]))[0]).length).toBe(7)
    expect(canonicalJson(object)).toBe(
      '{"\\r":0,"1":0,"\u0080":0,"\u00f6":0,"\u20ac":0,"\ud83d\ude00":0,"\ufb33":0}',
    )
  })

  it('equals an independent implementation on any JSON', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(canonicalJson(value)).toBe(canonicalize(value))
      }),
      { seed: 1, numRuns: 1000 },
    )
  })

  it('is a fixed point: parsing the canonical bytes strictly and writing them again changes nothing', () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = canonicalJson(value)
        const parsed = parseStrictJson(text)
        expect(parsed.ok && canonicalJson(parsed.value)).toBe(text)
      }),
      { seed: 1, numRuns: 1000 },
    )
  })

  it.each([
    ['a lone surrogate', '\ud800'],
    ['a lone surrogate in a name', { '\udc00': 1 }],
    ['infinity', [Number.POSITIVE_INFINITY]],
    ['not a number', Number.NaN],
    ['a hole', new Array<JsonValue>(1)],
    ['an undefined member', JSON.parse('{}', () => Object.assign({}, { a: undefined }))],
    ['a date, which would hash as {}', Object(new Date(0))],
    ['a bigint', Object.assign({}, { a: Object.values({ a: 1n })[0] })],
  ])('throws on %s', (_, value) => {
    expect(() => canonicalJson(value)).toThrow(TypeError)
  })
})

describe('digestOf', () => {
  it('is the base64url SHA-256 of the canonical bytes', () => {
    // printf '{"a":"é"}' | openssl dgst -sha256 -binary | basenc --base64url
    expect(digestOf({ a: 'é' })).toBe('s6CSpq9IgH-pSCsu4UAQVXXaom1bJLPA5gp-Le5mg7E')
  })

  it('does not depend on the order of members', () => {
    expect(digestOf({ a: 1, b: [{ c: 2, d: 3 }] })).toBe(digestOf({ b: [{ d: 3, c: 2 }], a: 1 }))
  })
})

describe('taggedDigest', () => {
  it('keeps fields apart that joined text would run together', () => {
    // Joined by newlines both of these are "pay\nbob\nalice".
    expect(taggedDigest('approval', { action: 'pay\nbob', payee: 'alice' })).not.toBe(
      taggedDigest('approval', { action: 'pay', payee: 'bob\nalice' }),
    )
    expect(taggedDigest('a', 'b\nc')).not.toBe(taggedDigest('a\nb', 'c'))
  })

  it('gives one value another digest under another tag', () => {
    expect(taggedDigest('approval', { a: 1 })).not.toBe(taggedDigest('arguments', { a: 1 }))
  })

  it('cannot be imitated by an untagged digest of anything an agent sends', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), json, json, (tag, otherTag, value, other) => {
        const isSame = tag === otherTag && canonicalJson(value) === canonicalJson(other)
        expect(taggedDigest(tag, value) === taggedDigest(otherTag, other)).toBe(isSame)
      }),
      { seed: 1, numRuns: 300 },
    )
  })
})
