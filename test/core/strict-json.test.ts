import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../../src/core/canonical-json.ts'
import type { StrictJson } from '../../src/core/strict-json.ts'
import { parseStrictJson, parseStrictJsonBytes } from '../../src/core/strict-json.ts'

function codeOf(result: StrictJson): string {
  return result.ok ? 'ok' : result.code
}

describe('parseStrictJson', () => {
  it.each([
    ['nothing', '', 'malformed_json'],
    ['white space only', ' \n', 'malformed_json'],
    ['a trailing comma', '[1,]', 'malformed_json'],
    ['a missing comma', '[1 2]', 'malformed_json'],
    ['a second value', '{} {}', 'malformed_json'],
    ['a comment', '{/*a*/}', 'malformed_json'],
    ['single quotes', "{'a':1}", 'malformed_json'],
    ['a bare name', '{a:1}', 'malformed_json'],
    ['a leading zero', '01', 'malformed_json'],
    ['a leading zero before a point', '00.5', 'malformed_json'],
    ['a leading plus', '+1', 'malformed_json'],
    ['a point without digits', '1.', 'malformed_json'],
    ['an exponent without digits', '1e', 'malformed_json'],
    ['a lone minus', '-', 'malformed_json'],
    ['two points', '1.2.3', 'malformed_json'],
    ['NaN', 'NaN', 'malformed_json'],
    ['a raw newline in a string', '"a\nb"', 'malformed_json'],
    ['an unknown escape', String.raw`"\x41"`, 'malformed_json'],
    ['an unfinished escape', '"\\', 'malformed_json'],
    ['an unfinished string', '"a', 'malformed_json'],
    ['an unfinished object', '{"a":1', 'malformed_json'],
    ['a no-break space between tokens', '[1,\u00a02]', 'malformed_json'],
    ['a byte order mark', '\ufeff{}', 'malformed_json'],
    ['the same name twice', '{"a":1,"a":1}', 'duplicate_key'],
    ['the same name twice, once escaped', String.raw`{"a":1,"\u0061":2}`, 'duplicate_key'],
    ['__proto__ twice', '{"__proto__":1,"__proto__":2}', 'duplicate_key'],
    ['half a pair, escaped', String.raw`"\ud800"`, 'lone_surrogate'],
    ['half a pair, raw', '"\udc00"', 'lone_surrogate'],
    ['half a pair in a name', String.raw`{"\ud800":1}`, 'lone_surrogate'],
    ['a number too large for a double', '1e400', 'number_not_exact'],
    ['a number too small for a double', '1e-400', 'number_not_exact'],
    ['2^53 + 1', '9007199254740993', 'number_not_exact'],
    ['a negative number a double rounds', '-9007199254740993', 'number_not_exact'],
    ['a fraction a double rounds', '0.1000000000000000055', 'number_not_exact'],
    ['an exponent beyond counting', '1e99999999999999999999', 'number_not_exact'],
    ['2^53', '9007199254740992', 'ok'],
    ['a fraction of zero', '1.0', 'ok'],
    ['an exponent', '1e2', 'ok'],
    ['a trailing zero', '0.10', 'ok'],
    ['zero with any exponent', '-0.00e99999999999999999999', 'ok'],
    ['the largest double', '1.7976931348623157e308', 'ok'],
    ['a whole pair', String.raw`"\ud83d\ude00"`, 'ok'],
    ['a scalar', ' true ', 'ok'],
  ])('answers for %s', (_, text, code) => {
    expect(codeOf(parseStrictJson(text))).toBe(code)
  })

  it.each([
    ['{"a":[1,{"b/c":1e400}]}', '/a/1/b~1c'],
    ['{"a":{"b":1,"b":2}}', '/a'],
    ['[[],[],"\\ud800"]', '/2'],
    ['1e400', ''],
  ])('points at the fault in %s', (text, pointer) => {
    expect(parseStrictJson(text)).toMatchObject({ ok: false, pointer })
  })

  it('treats __proto__ as a plain name and pollutes nothing', () => {
    const result = parseStrictJson('{"__proto__":{"admin":true},"constructor":1,"toString":2}')
    if (!result.ok) throw new Error(result.detail)
    expect(Object.keys(Object(result.value))).toEqual(['__proto__', 'constructor', 'toString'])
    expect(Object.getPrototypeOf(result.value)).toBe(Object.prototype)
    expect(Reflect.get({}, 'admin')).toBeUndefined()
    expect(canonicalJson(result.value)).toBe('{"__proto__":{"admin":true},"constructor":1,"toString":2}')
  })

  it('makes minus zero plain zero, because the canonical form cannot tell them apart', () => {
    expect(parseStrictJson('[-0,-0.0]')).toEqual({ ok: true, value: [0, 0] })
  })

  it('refuses 20,000 levels of nesting without running out of stack', () => {
    expect(codeOf(parseStrictJson('['.repeat(20_000)))).toBe('too_deep')
    expect(codeOf(parseStrictJson('{"a":'.repeat(20_000)))).toBe('too_deep')
  })

  it('allows exactly the limits and nothing beyond', () => {
    const limits = { maxBytes: 12, maxDepth: 2, maxMembers: 3 }
    expect(codeOf(parseStrictJson('[[1,2]]', limits))).toBe('ok')
    expect(codeOf(parseStrictJson('[[[]]]', limits))).toBe('too_deep')
    expect(codeOf(parseStrictJson('[[1,2,3]]', limits))).toBe('too_large')
    expect(codeOf(parseStrictJson('"éééé"', limits))).toBe('ok')
    expect(codeOf(parseStrictJson('"éééééé"', limits))).toBe('too_large')
  })

  it('agrees with JSON.parse on whatever it accepts, and accepts what JSON.stringify wrote', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value, null, 1)
        const result = parseStrictJson(text)
        if (!result.ok) return result.code === 'lone_surrogate' || result.code === 'too_deep'
        expect(result.value).toEqual(JSON.parse(text))
        return true
      }),
      { seed: 1, numRuns: 500 },
    )
  })

  it('never accepts a damaged text that JSON.parse refuses, nor reads it differently', () => {
    const damaged = fc
      .tuple(
        fc.jsonValue({ maxDepth: 3 }),
        fc.nat(),
        fc.constantFrom(...'{}[]",:\\019.eE+- \u0001tfn'),
        fc.boolean(),
      )
      .map(([value, at, inserted, replaces]) => {
        const text = JSON.stringify(value)
        const cut = at % (text.length + 1)
        return text.slice(0, cut) + inserted + text.slice(cut + (replaces ? 1 : 0))
      })
    fc.assert(
      fc.property(damaged, (text) => {
        const result = parseStrictJson(text)
        let expected: unknown
        try {
          expected = JSON.parse(text)
        } catch {
          expect(codeOf(result)).not.toBe('ok')
          return
        }
        expect(codeOf(result)).not.toBe('malformed_json')
        if (result.ok) expect(JSON.stringify(result.value)).toBe(JSON.stringify(expected))
      }),
      { seed: 1, numRuns: 3000 },
    )
  })

  it('accepts a decimal exactly when its double prints the same value back', () => {
    const digits = fc.stringMatching(/^[0-9]{1,25}$/)
    fc.assert(
      fc.property(digits, digits, fc.integer({ min: -30, max: 30 }), (whole, fraction, exponent) => {
        const text = `${whole.replace(/^0+(?=\d)/, '')}.${fraction}e${exponent}`
        // Scaled integers decide independently of the code under test.
        const scaled = (value: string): bigint => {
          const [mantissa = '', power = '0'] = value.split('e')
          const [left = '', right = ''] = mantissa.split('.')
          return BigInt(left + right) * 10n ** BigInt(Number(power) - right.length + 100)
        }
        const isExact = scaled(text) === scaled(String(Number(text)))
        expect(codeOf(parseStrictJson(text))).toBe(isExact ? 'ok' : 'number_not_exact')
      }),
      { seed: 1, numRuns: 1000 },
    )
  })
})

describe('parseStrictJsonBytes', () => {
  it.each([
    ['UTF-8', Buffer.from('{"a":"é"}'), 'ok'],
    ['a byte order mark', Buffer.from('\ufeff{}'), 'malformed_json'],
    ['a byte that is not UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'malformed_json'],
    ['an overlong slash', Buffer.from([0x22, 0xc0, 0xaf, 0x22]), 'malformed_json'],
    ['a surrogate in UTF-8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 'malformed_json'],
    ['UTF-16', Buffer.from('{}', 'utf16le'), 'malformed_json'],
    ['more bytes than allowed', Buffer.alloc(262_145, 0x20), 'too_large'],
  ])('answers for %s', (_, bytes, code) => {
    expect(codeOf(parseStrictJsonBytes(bytes))).toBe(code)
  })
})
