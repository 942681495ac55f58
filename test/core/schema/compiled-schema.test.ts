import { describe, expect, it } from 'vitest'
import type { JsonObject, JsonValue } from '../../../src/core/json-value.ts'
import type { SchemaUse } from '../../../src/core/schema/compiled-schema.ts'
import { compileSchema } from '../../../src/core/schema/compiled-schema.ts'

function closed(properties: JsonObject, more: JsonObject = {}): JsonObject {
  return { type: 'object', additionalProperties: false, 'x-category': 'order', properties, ...more }
}

function faultsOf(schema: JsonValue, value: JsonValue, use: SchemaUse = 'agent_arguments'): string[] {
  const checked = compileSchema(schema, use).check(value)
  return checked.ok ? [] : checked.faults.map((fault) => `${fault.code} ${fault.pointer}`)
}

const text = { type: 'string', maxLength: 10 }

describe('check', () => {
  it.each<[string, JsonValue, JsonValue, string | undefined]>([
    ['exactly the longest string', text, 'a'.repeat(10), undefined],
    ['one character too many', text, 'a'.repeat(11), 'too_long'],
    ['ten characters of two units each', text, '😀'.repeat(10), undefined],
    ['eleven characters of two units each', text, '😀'.repeat(11), 'too_long'],
    ['a pair counted as one character', { ...text, minLength: 2 }, '😀', 'too_short'],
    ['a number for a string', text, 1, 'wrong_type'],
    ['a numeric string for an integer', { type: 'integer', minimum: 0, maximum: 9 }, '1', 'wrong_type'],
    ['a fraction for an integer', { type: 'integer', minimum: 0, maximum: 9 }, 1.5, 'wrong_type'],
    ['the largest integer allowed', { type: 'integer', minimum: 0, maximum: 9 }, 9, undefined],
    ['one more', { type: 'integer', minimum: 0, maximum: 9 }, 10, 'too_large'],
    ['a negative amount', { type: 'integer', minimum: 0, maximum: 9 }, -1, 'too_small'],
    ['2^53', { type: 'integer', minimum: 0, maximum: 9_007_199_254_740_991 }, 2 ** 53, 'too_large'],
    ['an excluded bound', { type: 'number', exclusiveMinimum: 0, maximum: 1 }, 0, 'too_small'],
    ['the least above it', { type: 'number', exclusiveMinimum: 0, maximum: 1 }, 5e-324, undefined],
    [
      'what is no multiple',
      { type: 'integer', minimum: 0, maximum: 99, multipleOf: 5 },
      12,
      'not_a_multiple',
    ],
    ['a value that is not listed', { enum: ['store', 'delivery'] }, 'Store', 'not_allowed_value'],
    ['a text that does not match', { ...text, pattern: '^[A-Z]{3}$' }, 'usd', 'pattern_mismatch'],
    ['a text of another format', { ...text, format: 'date' }, '2026-02-30', 'format_mismatch'],
    ['null', text, null, 'wrong_type'],
    ['one item too many', { type: 'array', items: text, maxItems: 1 }, ['a', 'b'], 'too_many_items'],
    ['one item too few', { type: 'array', items: text, maxItems: 2, minItems: 1 }, [], 'too_few_items'],
    [
      'a repeated item',
      { type: 'array', items: text, maxItems: 2, uniqueItems: true },
      ['a', 'a'],
      'duplicate_items',
    ],
    ['an object for an array', { type: 'array', items: text, maxItems: 1 }, {}, 'wrong_type'],
    ['an array for an object', closed({}), [], 'wrong_type'],
    ['text that is not NFC', text, 'e\u0301', 'not_nfc'],
    ['a bidi override', text, '\u202e', 'bidi_control'],
    ['an invisible character', text, 'a\u200b', 'invisible_character'],
    ['a newline', text, 'a\nb', 'control_character'],
    ['a newline in free text', { ...text, 'x-kind': 'freeText' }, 'a\nb', undefined],
    ['an escape sequence in free text', { ...text, 'x-kind': 'freeText' }, '\u001b', 'control_character'],
  ])('answers for %s', (_, field, value, code) => {
    expect(faultsOf(closed({ f: field }), { f: value })).toEqual(code ? [`${code} /f`] : [])
  })

  it('points at every fault with its concrete pointer', () => {
    const line = closed({ sku: text, 'a/b': text }, { required: ['sku'] })
    const schema = closed({ items: { type: 'array', maxItems: 5, items: line } }, { required: ['items'] })
    const value = { items: [{ sku: 'x' }, { 'a/b': 1 }, 'x'], more: 1 }
    expect(faultsOf(schema, value)).toEqual([
      'wrong_type /items/1/a~1b',
      'missing_field /items/1/sku',
      'wrong_type /items/2',
      'unknown_field /more',
    ])
  })

  it('tells at most twenty faults of a hostile value', () => {
    const value = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`x${index}`, 1]))
    expect(faultsOf(closed({}), value)).toHaveLength(20)
  })

  it('judges two fields by their own patterns', () => {
    // A validator that keeps custom patterns under one key lets the first pattern judge every field.
    const schema = closed({ a: { ...text, pattern: '^[0-9]+$' }, b: { ...text, pattern: '^[a-z]+$' } })
    expect(faultsOf(schema, { a: '12', b: '12' })).toEqual(['pattern_mismatch /b'])
    expect(faultsOf(schema, { a: '12', b: 'ab' })).toEqual([])
  })

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'])(
    'treats %s as a plain name',
    (name) => {
      const properties = JSON.parse(`{${JSON.stringify(name)}: {"type":"string","maxLength":10}}`)
      const required = closed(properties, { required: [name] })
      const given = JSON.parse(`{${JSON.stringify(name)}: "x"}`)
      // Without own members, `required: ["__proto__"]` passes on any object.
      expect(faultsOf(required, {})).toEqual([`missing_field /${name}`])
      expect(faultsOf(required, given)).toEqual([])
      expect(faultsOf(closed({}), given)).toEqual([`unknown_field /${name}`])
      const map = closed({
        m: {
          type: 'object',
          additionalProperties: { type: 'integer', minimum: 0, maximum: 1 },
          maxProperties: 2,
          propertyNames: { maxLength: 20 },
        },
      })
      expect(faultsOf(map, { m: given })).toEqual([`wrong_type /m/${name}`])
    },
  )

  it('sets a default under the name __proto__ as an own member', () => {
    const properties = JSON.parse('{"__proto__": {"type":"string","maxLength":10,"default":"x"}}')
    const checked = compileSchema(closed(properties), 'agent_arguments').check({})
    expect(JSON.stringify(checked)).toBe('{"ok":true,"value":{"__proto__":"x"}}')
  })

  it('bounds the names of a map', () => {
    const schema = closed({
      m: {
        type: 'object',
        additionalProperties: text,
        maxProperties: 2,
        minProperties: 1,
        propertyNames: { maxLength: 3, pattern: '^[a-z]+$' },
      },
    })
    expect(faultsOf(schema, { m: { ice: 'less' } })).toEqual([])
    expect(faultsOf(schema, { m: {} })).toEqual(['too_few_fields /m'])
    expect(faultsOf(schema, { m: { a: '', b: '', c: '' } })).toEqual(['too_many_fields /m'])
    expect(faultsOf(schema, { m: { sugar: '', A: '' } })).toEqual([
      'too_long /m/sugar',
      'pattern_mismatch /m/A',
    ])
    expect(faultsOf(schema, { m: { 'a\u200b': '' } })).toEqual([
      'invisible_character /m/a\u200b',
      'pattern_mismatch /m/a\u200b',
    ])
  })

  it('refuses 20,000 levels of value without running out of stack', () => {
    let value: JsonValue = 1
    for (let level = 0; level < 20_000; level += 1) value = [value]
    expect(faultsOf(closed({ f: { type: 'array', items: text, maxItems: 1 } }), { f: value })).toEqual([
      'wrong_type /f/0',
    ])
  })

  it('answers at once for a pattern that makes backtracking engines hang', () => {
    const schema = closed({ f: { type: 'string', maxLength: 8192, pattern: '^(a+)+$' } })
    expect(faultsOf(schema, { f: `${'a'.repeat(8000)}!` })).toEqual(['pattern_mismatch /f'])
  })

  it('does not match a text that is too long at all', () => {
    const schema = closed({ f: { type: 'string', maxLength: 5, pattern: '^b$' } })
    expect(faultsOf(schema, { f: 'a'.repeat(100_000) })).toEqual(['too_long /f'])
  })
})

describe('defaults', () => {
  const options = closed({ size: { enum: ['S', 'L'], default: 'L' }, ice: text })
  const schema = closed(
    {
      pickup: { enum: ['store', 'delivery'], default: 'store' },
      options: { ...options, default: { ice: 'less' } },
      items: { type: 'array', maxItems: 3, items: options },
    },
    { required: ['pickup'] },
  )

  it('are filled in at every level before anyone decides', () => {
    const checked = compileSchema(schema, 'agent_arguments').check({ items: [{}, { size: 'S' }] })
    expect(checked).toEqual({
      ok: true,
      value: { pickup: 'store', options: { ice: 'less', size: 'L' }, items: [{ size: 'L' }, { size: 'S' }] },
    })
  })

  it('leave the input as it was', () => {
    const value = { items: [{}] }
    compileSchema(schema, 'agent_arguments').check(value)
    expect(value).toEqual({ items: [{}] })
  })

  it('copy nothing when nothing is absent', () => {
    const value = { pickup: 'store', options: { size: 'L' } }
    const checked = compileSchema(schema, 'agent_arguments').check(value)
    expect(checked.ok && checked.value).toBe(value)
  })

  it('are never put into a result', () => {
    expect(faultsOf(schema, {}, 'result')).toEqual(['missing_field /pickup'])
    const checked = compileSchema(schema, 'result').check({ pickup: 'store' })
    expect(checked).toEqual({ ok: true, value: { pickup: 'store' } })
  })
})

describe('fields the broker fills', () => {
  const schema = closed(
    {
      total: { type: 'integer', minimum: 0, maximum: 99, 'x-kind': 'amount' },
      payment: closed({ token: { ...text, 'x-kind': 'secret' } }, { required: ['token'] }),
      key: { ...text, 'x-kind': 'idempotencyKey' },
      account: { ...text, 'x-kind': 'account' },
    },
    { required: ['total', 'payment', 'key', 'account'] },
  )

  it('are not asked of an agent, and refused from one', () => {
    expect(faultsOf(schema, { total: 1, payment: {} })).toEqual([])
    expect(faultsOf(schema, { total: 1, payment: { token: 't' }, key: 'k', account: 'a' })).toEqual([
      'broker_filled_field /payment/token',
      'broker_filled_field /key',
      'broker_filled_field /account',
    ])
  })

  it('must all be there in what a skill is sent', () => {
    expect(faultsOf(schema, { total: 1, payment: {}, key: 'k' }, 'skill_arguments')).toEqual([
      'missing_field /payment/token',
      'missing_field /account',
    ])
  })
})

describe('results', () => {
  it('may hold text that arguments may not; pages show it visibly', () => {
    expect(faultsOf(closed({ f: text }), { f: 'a\u202e\n' }, 'result')).toEqual([])
    expect(faultsOf(closed({ f: text }), { f: 'a\u202e\n' }, 'skill_arguments')).toEqual([
      'control_character /f',
    ])
  })
})

describe('compileSchema', () => {
  it('throws on a schema outside the profile, so that none is ever used unread', () => {
    expect(() => compileSchema(closed({ f: { type: 'string' } }), 'result')).toThrow(
      'bound_missing at "/properties/f"',
    )
  })

  it('lists every leaf with its category, kind, title and type', () => {
    const schema = closed(
      {
        to: { type: 'array', maxItems: 3, items: { $ref: '#/$defs/mail' } },
        'a/b': {
          type: 'object',
          'x-category': 'address',
          additionalProperties: { ...text, 'x-category': 'street' },
          maxProperties: 2,
          propertyNames: { maxLength: 3 },
        },
        token: { ...text, 'x-kind': 'secret', 'x-title': { en: 'Card', zh: '卡' } },
        gift: { enum: [true] },
      },
      { $defs: { mail: { ...text, 'x-kind': 'recipient', 'x-category': 'contact' } } },
    )
    const plain = { kind: undefined, title: undefined, schemaType: 'string', isBrokerFilled: false }
    expect(compileSchema(schema, 'agent_arguments').fields).toEqual([
      { ...plain, pointer: '/to/*', category: 'contact', kind: 'recipient' },
      { ...plain, pointer: '/a~1b/*', category: 'street' },
      {
        ...plain,
        pointer: '/token',
        category: 'order',
        kind: 'secret',
        title: { en: 'Card', zh: '卡' },
        isBrokerFilled: true,
      },
      { ...plain, pointer: '/gift', category: 'order', schemaType: 'boolean' },
    ])
  })
})
