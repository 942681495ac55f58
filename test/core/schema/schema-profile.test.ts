import { describe, expect, it } from 'vitest'
import type { JsonObject, JsonValue } from '../../../src/core/json-value.ts'
import { readSchemaProfile } from '../../../src/core/schema/schema-profile.ts'

/** A closed object with one field `f`. */
function withField(field: JsonValue, more: JsonObject = {}): JsonObject {
  return { type: 'object', additionalProperties: false, 'x-category': 'c', properties: { f: field }, ...more }
}

function faultsOf(schema: JsonValue): string[] {
  const reading = readSchemaProfile(schema)
  return reading.ok ? [] : reading.faults.map((fault) => `${fault.code} ${fault.pointer}`)
}

const text = { type: 'string', maxLength: 10 }
const at = '/properties/f'

describe('readSchemaProfile', () => {
  it.each<[string, JsonValue]>([
    ['a bounded string', text],
    ['an enum without a type', { enum: ['store', 'delivery'] }],
    ['a constant', { const: 1 }],
    ['a bounded integer', { type: 'integer', minimum: 0, maximum: 9_007_199_254_740_991, multipleOf: 5 }],
    ['a number with exclusive bounds', { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 0.5 }],
    ['a boolean with a default', { type: 'boolean', default: false }],
    ['an array', { type: 'array', items: text, maxItems: 3, uniqueItems: true }],
    [
      'a map',
      { type: 'object', additionalProperties: text, maxProperties: 4, propertyNames: { maxLength: 9 } },
    ],
    ['an empty object', { type: 'object', properties: {}, additionalProperties: false }],
    [
      'a format',
      { type: 'string', maxLength: 99, format: 'date-time', 'x-title': { en: 'When', zh: '时间' } },
    ],
    ['an amount as decimal string', { type: 'string', maxLength: 16, 'x-kind': 'amount' }],
    ['a pattern', { type: 'string', maxLength: 3, pattern: '^[A-Z]{3}$', 'x-kind': 'currency' }],
  ])('accepts %s', (_, field) => {
    expect(faultsOf(withField(field))).toEqual([])
  })

  it('accepts a definition used twice, with what stands beside the reference going first', () => {
    const schema = withField(
      { $ref: '#/$defs/line', 'x-category': 'items' },
      {
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        properties: { f: { $ref: '#/$defs/line' }, g: { $ref: '#/$defs/line', default: 'x' } },
        $defs: { line: text },
      },
    )
    expect(faultsOf(schema)).toEqual([])
  })

  it.each<[string, JsonValue, string]>([
    ['a string without a maximum', { type: 'string' }, `bound_missing ${at}`],
    ['a string of unbounded size', { type: 'string', maxLength: 1e9 }, `bound_malformed ${at}/maxLength`],
    ['a fractional length', { type: 'string', maxLength: 1.5 }, `bound_malformed ${at}/maxLength`],
    ['crossed bounds', { type: 'string', maxLength: 1, minLength: 2 }, `bounds_crossed ${at}`],
    ['an integer without a minimum', { type: 'integer', maximum: 1 }, `bound_missing ${at}`],
    ['an unsafe bound', { type: 'integer', minimum: 0, maximum: 2 ** 53 }, `bound_malformed ${at}`],
    [
      'both kinds of one bound',
      { type: 'integer', minimum: 0, exclusiveMinimum: 0, maximum: 9 },
      `bound_malformed ${at}`,
    ],
    [
      'multiples of a fraction',
      { type: 'number', minimum: 0, maximum: 1, multipleOf: 0.01 },
      `keyword_not_allowed ${at}/multipleOf`,
    ],
    ['an array without a maximum', { type: 'array', items: text }, `bound_missing ${at}`],
    ['an array without items', { type: 'array', maxItems: 1 }, `items_missing ${at}`],
    ['a tuple', { type: 'array', maxItems: 1, items: [text] }, `not_a_schema ${at}/items`],
    [
      'prefixItems',
      { type: 'array', maxItems: 1, items: text, prefixItems: [text] },
      `keyword_not_allowed ${at}/prefixItems`,
    ],
    [
      'unique objects',
      {
        type: 'array',
        maxItems: 2,
        uniqueItems: true,
        items: { type: 'object', properties: {}, additionalProperties: false },
      },
      `unique_objects ${at}/uniqueItems`,
    ],
    ['an open object', { type: 'object', properties: {} }, `object_open ${at}`],
    ['an object of anything', { type: 'object' }, `object_open ${at}`],
    [
      'properties with a schema for the rest',
      { type: 'object', properties: {}, additionalProperties: text },
      `object_open ${at}`,
    ],
    [
      'a map without a maximum',
      { type: 'object', additionalProperties: text, propertyNames: { maxLength: 9 } },
      `bound_missing ${at}`,
    ],
    [
      'a map with unbounded names',
      { type: 'object', additionalProperties: text, maxProperties: 9 },
      `bound_missing ${at}/propertyNames`,
    ],
    ['a schema that is true', true, `not_a_schema ${at}`],
    ['no type', {}, `type_unknown ${at}`],
    ['two types', { type: ['string', 'null'], maxLength: 1 }, `type_unknown ${at}`],
    ['null', { type: 'null' }, `type_unknown ${at}`],
    ['oneOf', { ...text, oneOf: [text] }, `keyword_not_allowed ${at}/oneOf`],
    ['not', { ...text, not: text }, `keyword_not_allowed ${at}/not`],
    ['if', { ...text, if: text }, `keyword_not_allowed ${at}/if`],
    [
      'patternProperties',
      { type: 'object', properties: {}, additionalProperties: false, patternProperties: {} },
      `keyword_not_allowed ${at}/patternProperties`,
    ],
    [
      'unevaluatedProperties',
      { type: 'object', properties: {}, additionalProperties: false, unevaluatedProperties: false },
      `keyword_not_allowed ${at}/unevaluatedProperties`,
    ],
    [
      'dependentRequired',
      { type: 'object', properties: {}, additionalProperties: false, dependentRequired: {} },
      `keyword_not_allowed ${at}/dependentRequired`,
    ],
    ['a dynamic reference', { $dynamicRef: '#a' }, `type_unknown ${at}`],
    ['an id', { ...text, $id: 'x' }, `keyword_not_allowed ${at}/$id`],
    ['an unknown keyword', { ...text, __proto__x: 1 }, `keyword_not_allowed ${at}/__proto__x`],
    ['an unknown annotation', { ...text, 'x-else': 1 }, `keyword_not_allowed ${at}/x-else`],
    ['an unknown format', { ...text, format: 'ipv4' }, `format_unknown ${at}/format`],
    ['look-ahead', { ...text, pattern: '(?=a)' }, `pattern_not_linear ${at}/pattern`],
    ['a back-reference', { ...text, pattern: '(a)\\1' }, `pattern_not_linear ${at}/pattern`],
    ['a broken pattern', { ...text, pattern: '(' }, `pattern_not_linear ${at}/pattern`],
    ['a long pattern', { ...text, pattern: 'a'.repeat(257) }, `pattern_too_long ${at}/pattern`],
    ['a pattern of many steps', { ...text, pattern: '(a{10}){100}' }, `pattern_too_complex ${at}/pattern`],
    [
      'a pattern on a long text',
      { type: 'string', maxLength: 8193, pattern: 'a' },
      `pattern_on_long_text ${at}/pattern`,
    ],
    ['an empty enum', { enum: [], type: 'string' }, `enum_malformed ${at}`],
    ['an enum of mixed types', { enum: ['a', 1] }, `enum_malformed ${at}`],
    ['an enum of objects', { type: 'string', enum: [{}] }, `enum_malformed ${at}`],
    ['a repeated value', { enum: ['a', 'a'] }, `enum_malformed ${at}`],
    ['an invisible value', { enum: ['a\u200b'] }, `enum_malformed ${at}`],
    ['too many values', { enum: Array.from({ length: 501 }, (_, index) => index) }, `enum_malformed ${at}`],
    ['an unknown kind', { ...text, 'x-kind': 'money' }, `kind_unknown ${at}/x-kind`],
    [
      'an amount that is a float',
      { type: 'number', minimum: 0, maximum: 1, 'x-kind': 'amount' },
      `kind_unfit ${at}/x-kind`,
    ],
    ['a secret that is a boolean', { type: 'boolean', 'x-kind': 'secret' }, `kind_unfit ${at}/x-kind`],
    [
      'a kind on an object',
      { type: 'object', properties: {}, additionalProperties: false, 'x-kind': 'url' },
      `keyword_not_allowed ${at}/x-kind`,
    ],
    [
      'a secret in a list',
      { type: 'array', maxItems: 1, items: { ...text, 'x-kind': 'secret' } },
      `broker_field_in_list ${at}/items/x-kind`,
    ],
    [
      'a key with a default',
      { ...text, 'x-kind': 'idempotencyKey', default: 'k' },
      `broker_field_with_value ${at}/x-kind`,
    ],
    ['an account with a value', { const: 'a', 'x-kind': 'account' }, `broker_field_with_value ${at}/x-kind`],
    ['a title in one language', { ...text, 'x-title': { en: 'a' } }, `annotation_malformed ${at}/x-title`],
    [
      'a title that hides something',
      { ...text, 'x-title': { en: 'a\u202e', zh: '甲' } },
      `annotation_malformed ${at}/x-title`,
    ],
    ['a malformed category', { ...text, 'x-category': 'Not One' }, `category_malformed ${at}/x-category`],
    ['a default of another type', { ...text, default: 1 }, `default_invalid ${at}/default`],
    ['a default that is too long', { ...text, default: 'a'.repeat(11) }, `default_invalid ${at}/default`],
    [
      'a default for items',
      { type: 'array', maxItems: 1, items: { ...text, default: 'a' } },
      `default_misplaced ${at}/items`,
    ],
    ['a remote reference', { $ref: 'https://evil.example/a' }, `ref_malformed ${at}/$ref`],
    ['a reference to the root', { $ref: '#' }, `ref_malformed ${at}/$ref`],
    ['an unknown definition', { $ref: '#/$defs/__proto__' }, `ref_unknown ${at}/$ref`],
    [
      'a constraint beside a reference',
      { $ref: '#/$defs/none', maxLength: 1 },
      `keyword_not_allowed ${at}/maxLength`,
    ],
  ])('refuses %s', (_, field, fault) => {
    expect(faultsOf(withField(field))).toContain(fault)
  })

  it.each<[string, JsonValue, string]>([
    ['a string at the root', { ...text, 'x-category': 'c' }, 'root_not_an_object '],
    ['an array', [], 'not_a_schema '],
    [
      'another dialect',
      withField(text, { $schema: 'http://json-schema.org/draft-07/schema#' }),
      'keyword_not_allowed /$schema',
    ],
    ['a required name nobody declares', withField(text, { required: ['g'] }), 'required_unknown /required'],
    [
      'required names of the prototype',
      withField(text, { required: ['__proto__'] }),
      'required_unknown /required',
    ],
    ['a name required twice', withField(text, { required: ['f', 'f'] }), 'required_unknown /required'],
    [
      'a name that reads as every element',
      withField(text, { properties: { '*': text } }),
      'name_malformed /properties/*',
    ],
    [
      'a name with an invisible character',
      withField(text, { properties: { 'a\u200b': text } }),
      'name_malformed /properties/a\u200b',
    ],
    [
      'a field without a category',
      { type: 'object', additionalProperties: false, properties: { f: text } },
      `category_missing ${at}`,
    ],
    [
      'a map whose names have no category',
      {
        type: 'object',
        additionalProperties: { ...text, 'x-category': 'c' },
        maxProperties: 1,
        propertyNames: { maxLength: 1 },
      },
      'category_missing ',
    ],
    ['a definition nobody uses', withField(text, { $defs: { a: text } }), 'definition_unused /$defs/a'],
    [
      'a definition of itself',
      withField(
        { $ref: '#/$defs/a' },
        { $defs: { a: { type: 'array', maxItems: 1, items: { $ref: '#/$defs/a' } } } },
      ),
      'ref_recursive /$defs/a/items/$ref',
    ],
    [
      'a fault inside a definition, once',
      withField({ $ref: '#/$defs/a' }, { $defs: { a: { type: 'string' } } }),
      'bound_missing /$defs/a',
    ],
    [
      '501 fields',
      withField(text, {
        properties: Object.fromEntries(Array.from({ length: 502 }, (_, i) => [`f${i}`, text])),
      }),
      'too_many_fields ',
    ],
    [
      'a costly pattern in a long list',
      withField({
        type: 'array',
        maxItems: 1000,
        items: { type: 'string', maxLength: 100, pattern: '[^x]*a[^x]{200}$' },
      }),
      'patterns_too_costly ',
    ],
    [
      'a large schema',
      withField({ enum: Array.from({ length: 400 }, (_, i) => `${i}`.padEnd(200, 'x')) }),
      'schema_too_large ',
    ],
  ])('refuses %s', (_, schema, fault) => {
    expect(faultsOf(schema)).toContain(fault)
  })

  it('refuses references that fan out to millions of fields, after a bounded number of steps', () => {
    const twice = (name: string) => ({
      type: 'object',
      additionalProperties: false,
      properties: { a: { $ref: `#/$defs/${name}` }, b: { $ref: `#/$defs/${name}` } },
    })
    const names = Array.from({ length: 11 }, (_, index) => [`d${index}`, twice(`d${index + 1}`)])
    const $defs = { ...Object.fromEntries(names), d11: text }
    expect(faultsOf(withField({ $ref: '#/$defs/d0' }, { $defs }))).toContain('too_many_fields ')
  })

  it('refuses 20,000 levels without running out of stack', () => {
    let schema: JsonValue = text
    for (let level = 0; level < 20_000; level += 1) schema = { type: 'array', maxItems: 1, items: schema }
    expect(faultsOf(withField(schema))).toEqual(['schema_too_deep '])
  })

  it('allows 12 levels and not 13', () => {
    const nested = (levels: number): JsonObject =>
      levels === 1 ? text : { type: 'array', maxItems: 1, items: nested(levels - 1) }
    expect(faultsOf(withField(nested(11)))).toEqual([])
    expect(faultsOf(withField(nested(12)))).toContain(`schema_too_deep ${at}${'/items'.repeat(11)}`)
  })

  it('says how to mend each fault', () => {
    const reading = readSchemaProfile(withField({ type: 'string', oneOf: [] }))
    if (reading.ok) throw new Error('expected faults')
    expect(reading.faults.map((fault) => fault.mend)).toEqual([
      expect.stringContaining('Remove it. Allowed here: type, enum'),
      'Give maxLength as an integer from 0 to 262144.',
    ])
  })
})
