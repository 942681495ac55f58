import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { RE2JS } from 're2js'
import { describe, expect, it } from 'vitest'
import type { JsonObject, JsonValue } from '../../../src/core/json-value.ts'
import { compileSchema } from '../../../src/core/schema/compiled-schema.ts'
import { readSchemaProfile } from '../../../src/core/schema/schema-profile.ts'

/** One schema of the profile with values of which most nearly fit. */
type Case = { readonly schema: JsonObject; readonly value: fc.Arbitrary<JsonValue> }

const NAMES = ['a', 'b', 'constructor', 'toString', 'a/b', '~', '名', '10']
const PATTERNS = ['^[a-c]+$', 'b', '^(a|b){2}$', '^$']
const TEXTS = ['', 'a', 'b', 'ab', 'abc', 'aabb', '😀', '😀😀', '名字']

const anything = fc.constantFrom<JsonValue>(null, true, 0, -1, 1.5, 'a', '', [], {}, [1], { a: 1 })

/** One value in twenty is something else altogether. */
function nearly(value: fc.Arbitrary<JsonValue>): fc.Arbitrary<JsonValue> {
  return fc.oneof({ weight: 19, arbitrary: value }, { weight: 1, arbitrary: anything })
}

/** Two numbers in order. */
function range(most: number): fc.Arbitrary<readonly [number, number]> {
  return fc.tuple(fc.nat(most), fc.nat(most)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)])
}

const stringCase = fc
  .tuple(range(4), fc.option(fc.constantFrom(...PATTERNS), { nil: undefined, freq: 3 }))
  .map(([[minLength, maxLength], pattern]): Case => {
    const schema = { type: 'string', minLength, maxLength, ...(pattern === undefined ? {} : { pattern }) }
    return { schema, value: nearly(fc.constantFrom(...TEXTS)) }
  })

const integerCase = fc
  .tuple(range(10), fc.boolean(), fc.boolean(), fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }))
  .map(([[low, high], isLowOpen, isHighOpen, multipleOf]): Case => {
    const schema = {
      type: 'integer',
      [isLowOpen ? 'exclusiveMinimum' : 'minimum']: low,
      [isHighOpen ? 'exclusiveMaximum' : 'maximum']: high,
      ...(multipleOf === undefined ? {} : { multipleOf }),
    }
    return { schema, value: nearly(fc.constantFrom(low - 1, low, low + 1, high - 1, high, high + 1)) }
  })

const numberCase = range(10).map(
  ([minimum, maximum]): Case => ({
    schema: { type: 'number', minimum, maximum },
    value: nearly(fc.double({ min: -0.5, max: 10.5, noNaN: true })),
  }),
)

const booleanCase = fc.constant<Case>({ schema: { type: 'boolean' }, value: nearly(fc.boolean()) })

const enumCase = fc
  .uniqueArray(fc.constantFrom(...TEXTS), { minLength: 1, maxLength: 4 })
  .map((values): Case => ({ schema: { enum: values }, value: nearly(fc.constantFrom(...TEXTS)) }))

const leafCase = fc.oneof(stringCase, integerCase, numberCase, booleanCase, enumCase)

function arrayOf(items: Case, [minItems, maxItems]: readonly [number, number], isUnique: boolean): Case {
  const isLeaf = items.schema.type !== 'array' && items.schema.type !== 'object'
  const uniqueItems = isUnique && isLeaf
  const schema = { type: 'array', items: items.schema, minItems, maxItems, uniqueItems }
  return {
    schema,
    value: nearly(fc.array(items.value, { minLength: Math.max(0, minItems - 1), maxLength: maxItems + 1 })),
  }
}

function mapOf(
  values: Case,
  [minProperties, maxProperties]: readonly [number, number],
  maxLength: number,
): Case {
  const propertyNames = { maxLength }
  const schema = {
    type: 'object',
    additionalProperties: values.schema,
    minProperties,
    maxProperties,
    propertyNames,
  }
  return { schema, value: nearly(fc.dictionary(fc.constantFrom(...NAMES, '__proto__'), values.value)) }
}

type Field = {
  readonly name: string
  readonly child: Case
  readonly isRequired: boolean
  readonly fallback: JsonValue
}

function objectOf(fields: readonly Field[]): Case {
  const properties = Object.fromEntries(
    fields.map(({ name, child, fallback }) => {
      const withDefault = { ...child.schema, default: fallback }
      // The other validator looks defaults up through the prototype, so it never fills in `toString`.
      const hasDefault = !(name in Object.prototype) && fits(child.schema, fallback)
      return [name, hasDefault ? withDefault : child.schema]
    }),
  )
  const required = fields.filter((field) => field.isRequired).map((field) => field.name)
  const schema = { type: 'object', additionalProperties: false, properties, required }
  const members = Object.fromEntries(fields.map(({ name, child }) => [name, child.value]))
  const given = fc.record(members, { requiredKeys: [] })
  const extra = fc.dictionary(fc.constantFrom(...NAMES, '__proto__'), anything, { maxKeys: 1 })
  const value = fc
    .tuple(given, fc.oneof({ weight: 5, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: extra }))
    .map(([known, unknown]): JsonValue => Object.assign({ ...unknown }, known))
  return { schema, value: nearly(value) }
}

/** About half of the fields get a default, wherever the value that was drawn fits. */
function fits(schema: JsonObject, value: JsonValue): boolean {
  const around = { type: 'object', additionalProperties: false, 'x-category': 'c', properties: { f: schema } }
  return compileSchema(around, 'result').check({ f: value }).ok
}

const { object } = fc.letrec<{ node: Case; object: Case }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leafCase,
    fc
      .tuple(tie('node'), range(4), fc.boolean())
      .map(([items, size, unique]) => arrayOf(items, size, unique)),
    fc.tuple(tie('node'), range(4), fc.nat(4)).map(([values, size, length]) => mapOf(values, size, length)),
    tie('object'),
  ),
  object: fc
    .uniqueArray(
      fc
        .tuple(fc.constantFrom(...NAMES), tie('node'), fc.boolean(), anything)
        .map(([name, child, isRequired, fallback]): Field => ({ name, child, isRequired, fallback })),
      { selector: (field) => field.name, maxLength: 4 },
    )
    .map(objectOf),
}))

/** Objects of one field reach its edges far more often than large ones, of which some other field is at fault. */
const single = fc
  .oneof(
    leafCase,
    fc
      .tuple(leafCase, range(4), fc.boolean())
      .map(([items, size, isUnique]) => arrayOf(items, size, isUnique)),
    fc.tuple(leafCase, range(4), fc.nat(4)).map(([values, size, length]) => mapOf(values, size, length)),
  )
  .map((child) => objectOf([{ name: 'a', child, isRequired: true, fallback: null }]))

const regExp = Object.assign(
  (source: string, flags: string) => {
    const compiled = RE2JS.compile(source)
    return { test: (text: string) => compiled.test(text), toString: () => `/${source}/${flags}` }
  },
  { code: 'new RE2' },
)

describe('a schema of the profile', () => {
  it('gives the verdict and the defaults that an independent validator gives', () => {
    const verdicts = { fits: 0, refused: 0 }
    const cases = fc
      .oneof(object, single)
      .chain(({ schema, value }) =>
        fc.array(value, { minLength: 8, maxLength: 8 }).map((values) => ({ schema, values })),
      )
    fc.assert(
      fc.property(cases, ({ schema, values }) => {
        const annotated = { ...schema, 'x-category': 'c' }
        expect(readSchemaProfile(annotated)).toMatchObject({ ok: true })
        const ours = compileSchema(annotated, 'agent_arguments')
        const ajv = new Ajv2020({ strict: false, ownProperties: true, useDefaults: true, code: { regExp } })
        const theirs = ajv.compile<JsonValue>(annotated)
        for (const value of values) {
          const filled: JsonValue = structuredClone(value)
          const isValid = theirs(filled)
          const checked = ours.check(value)
          expect(checked.ok, JSON.stringify({ schema, value, checked })).toBe(isValid)
          if (checked.ok) expect(checked.value).toEqual(filled)
          verdicts[checked.ok ? 'fits' : 'refused'] += 1
        }
      }),
      { seed: 1, numRuns: 300 },
    )
    // Neither verdict is rare, so the agreement above means something.
    expect(verdicts.fits).toBeGreaterThan(200)
    expect(verdicts.refused).toBeGreaterThan(200)
  })
})
