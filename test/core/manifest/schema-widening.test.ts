import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject, JsonValue } from '../../../src/core/json-value.ts'
import { schemaWidenings } from '../../../src/core/manifest/schema-widening.ts'
import { compileSchema } from '../../../src/core/schema/compiled-schema.ts'

/** Small ranges, so that random bounds meet random values often. */
const small = fc.integer({ min: 0, max: 4 })
const letters = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 4 })

const integerSchema = fc
  .tuple(small, small)
  .map(([a, b]): JsonObject => ({ type: 'integer', minimum: Math.min(a, b), maximum: Math.max(a, b) }))
const textSchema = fc.oneof(
  fc.tuple(small, small, fc.constantFrom(undefined, '^a', 'b$')).map(
    ([a, b, pattern]): JsonObject => ({
      type: 'string',
      minLength: Math.min(a, b),
      maxLength: Math.max(a, b),
      ...(pattern === undefined ? {} : { pattern }),
    }),
  ),
  fc
    .uniqueArray(letters, { minLength: 1, maxLength: 3 })
    .map((values): JsonObject => ({ type: 'string', enum: values })),
)
const listSchema = fc.tuple(integerSchema, small, fc.boolean()).map(
  ([items, maxItems, uniqueItems]): JsonObject => ({
    type: 'array',
    items,
    maxItems,
    ...(uniqueItems ? { uniqueItems } : {}),
  }),
)
const mapSchema = fc.tuple(integerSchema, small).map(
  ([values, maxProperties]): JsonObject => ({
    type: 'object',
    propertyNames: { maxLength: 4 },
    additionalProperties: values,
    maxProperties,
  }),
)
const NAMES = ['n', 's', 'l', 'm'] as const
const objectSchema = fc
  .tuple(integerSchema, textSchema, listSchema, mapSchema, fc.subarray([...NAMES]), fc.subarray([...NAMES]))
  .map(([n, s, l, m, kept, required]): JsonObject => {
    const all: JsonObject = { n, s, l, m }
    return {
      type: 'object',
      'x-category': 'order',
      properties: Object.fromEntries(kept.map((name) => [name, all[name] ?? null])),
      required: required.filter((name) => kept.includes(name)),
      additionalProperties: false,
    }
  })
const value = fc.record(
  {
    n: small,
    s: letters,
    l: fc.array(small, { maxLength: 4 }),
    m: fc.dictionary(letters, small, { maxKeys: 4 }),
  },
  { requiredKeys: [] },
)

function accepts(schema: JsonValue, candidate: JsonValue): boolean {
  return compileSchema(schema, 'agent_arguments').check(candidate).ok
}

/** The same schema with one keyword of one property from another, so that most pairs are nearly equal. */
function crossed(before: JsonObject, other: JsonObject, name: string): JsonObject {
  const [was, is] = [before.properties as JsonObject, other.properties as JsonObject]
  return is[name] === undefined
    ? { ...before, required: [] }
    : { ...before, properties: { ...was, [name]: is[name] } }
}

describe('schemaWidenings', () => {
  it('finds nothing between a schema and itself', () => {
    fc.assert(
      fc.property(
        objectSchema,
        (schema) => schemaWidenings('input_widened', '', schema, schema).length === 0,
      ),
      { seed: 1 },
    )
  })

  it('never passes a schema that accepts a value which the older one refused', () => {
    let passed = 0
    fc.assert(
      fc.property(
        objectSchema,
        objectSchema,
        fc.constantFrom(...NAMES),
        fc.boolean(),
        fc.array(value, { minLength: 10, maxLength: 10 }),
        (before, other, name, isCrossed, values) => {
          const after = isCrossed ? crossed(before, other, name) : other
          if (schemaWidenings('input_widened', '', before, after).length > 0) return
          passed += 1
          for (const candidate of values)
            if (accepts(after, candidate)) expect(accepts(before, candidate)).toBe(true)
        },
      ),
      { seed: 1, numRuns: 3000 },
    )
    // The law says nothing if hardly any pair is narrower.
    expect(passed).toBeGreaterThan(200)
  })
})
