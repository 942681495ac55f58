import type { JsonValue } from '../json-value.ts'
import { isJsonArray, ownMember } from '../json-value.ts'
import { checkText } from '../text-rules.ts'
import type { LinearPattern } from './linear-pattern.ts'
import { compilePattern, MAX_PATTERN_CHARS, MAX_PROGRAM_SIZE } from './linear-pattern.ts'
import type { Reading } from './schema-fault.ts'
import { note } from './schema-fault.ts'
import type { SchemaPlace } from './schema-keywords.ts'
import {
  ANNOTATIONS,
  allowKeywords,
  boundOf,
  checkOrder,
  kindOf,
  requireCategory,
  titleOf,
} from './schema-keywords.ts'
import type { BooleanNode, LeafNode, LeafType, NumberNode, StringNode } from './schema-node.ts'
import { isBrokerFilled } from './schema-node.ts'
import type { Format } from './string-format.ts'
import { FORMATS } from './string-format.ts'

export const MAX_STRING_LENGTH = 262_144
const MAX_MATCHED_LENGTH = 8192
const MAX_ENUM_VALUES = 500
/** About a second of matching on the worst value the schema accepts; usual schemas stay below a tenth. */
const MAX_MATCH_STEPS = 8_000_000

const LEAF_KEYWORDS = ['type', 'enum', 'const', ...ANNOTATIONS]
const STRING_KEYWORDS = [...LEAF_KEYWORDS, 'minLength', 'maxLength', 'pattern', 'format']
const BOUNDS = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum']

/** Reads a field that holds a value itself. */
export function readLeaf(reading: Reading, place: SchemaPlace, type: LeafType): LeafNode {
  const node =
    type === 'string'
      ? readString(reading, place)
      : type === 'boolean'
        ? readBoolean(reading, place)
        : readNumber(reading, place, type)
  checkKind(reading, place, node)
  return node
}

/** The type that the values of `enum` or `const` have, where a schema states no type. */
export function typeOfValues({ schema }: SchemaPlace): LeafType | undefined {
  const values = ownMember(schema, 'enum')
  const sample = isJsonArray(values) ? values[0] : ownMember(schema, 'const')
  if (typeof sample === 'number') return Number.isInteger(sample) ? 'integer' : 'number'
  return typeof sample === 'string' || typeof sample === 'boolean' ? (typeof sample as LeafType) : undefined
}

function readString(reading: Reading, place: SchemaPlace): StringNode {
  allowKeywords(reading, place, STRING_KEYWORDS)
  const leaf = readLeafParts(reading, place, 'string')
  const longest = leaf.allowed && Math.max(0, ...leaf.allowed.map((value) => String(value).length))
  const maxLength = boundOf(reading, place, 'maxLength', MAX_STRING_LENGTH, longest)
  const minLength = boundOf(reading, place, 'minLength', MAX_STRING_LENGTH, 0)
  checkOrder(reading, place, minLength, maxLength)
  const pattern = readPattern(reading, place, maxLength)
  return { ...leaf, type: 'string', minLength, maxLength, pattern, format: readFormat(reading, place) }
}

/** Reads `propertyNames` of a map; names are plain strings that carry the map's own category. */
export function readNames(reading: Reading, place: SchemaPlace): StringNode {
  allowKeywords(reading, place, ['type', 'minLength', 'maxLength', 'pattern'])
  const type = ownMember(place.schema, 'type')
  if (type !== undefined && type !== 'string') {
    note(reading, `${place.pointer}/type`, 'type_unknown', 'Names are strings.', 'Remove the type.')
  }
  const maxLength = boundOf(reading, place, 'maxLength', 256, undefined)
  const minLength = boundOf(reading, place, 'minLength', 256, 0)
  checkOrder(reading, place, minLength, maxLength)
  const pattern = readPattern(reading, place, maxLength)
  const category = place.category ?? ''
  const plain = { category, kind: undefined, title: undefined, allowed: undefined, format: undefined }
  return { ...plain, type: 'string', minLength, maxLength, pattern }
}

function readPattern(reading: Reading, place: SchemaPlace, maxLength: number): LinearPattern | undefined {
  const source = ownMember(place.schema, 'pattern')
  if (source === undefined) return undefined
  const at = `${place.pointer}/pattern`
  const pattern =
    typeof source === 'string' ? compilePattern(source) : { fault: 'pattern_not_linear' as const }
  if ('fault' in pattern) {
    const mend = `Use RE2 syntax, without look-around and back-references, at most ${MAX_PATTERN_CHARS} characters and ${MAX_PROGRAM_SIZE} steps.`
    note(reading, at, pattern.fault, 'The pattern cannot be matched in linear time.', mend)
    return undefined
  }
  if (maxLength > MAX_MATCHED_LENGTH) {
    const mend = `Lower maxLength to ${MAX_MATCHED_LENGTH}, or leave the pattern out.`
    note(reading, at, 'pattern_on_long_text', 'A pattern on a text this long costs too much.', mend)
  }
  reading.matchSteps += place.repeats * maxLength * pattern.size
  if (reading.matchSteps > MAX_MATCH_STEPS) {
    const mend = 'Lower maxLength, maxItems or maxProperties around patterns, or simplify the patterns.'
    note(
      reading,
      '',
      'patterns_too_costly',
      'All patterns together cost too much on the longest value.',
      mend,
    )
  }
  return pattern
}

function readFormat(reading: Reading, { schema, pointer }: SchemaPlace): Format | undefined {
  const value = ownMember(schema, 'format')
  const format = FORMATS.find((known) => known === value)
  if (value !== undefined && format === undefined) {
    const mend = `Use one of ${FORMATS.join(', ')}, or a pattern.`
    note(reading, `${pointer}/format`, 'format_unknown', 'Nobody would check this format.', mend)
  }
  return format
}

function readBoolean(reading: Reading, place: SchemaPlace): BooleanNode {
  allowKeywords(reading, place, LEAF_KEYWORDS)
  return { ...readLeafParts(reading, place, 'boolean'), type: 'boolean' }
}

function readNumber(reading: Reading, place: SchemaPlace, type: 'integer' | 'number'): NumberNode {
  // A multiple of 0.01 is a matter of luck in floating point; integers have no such trouble.
  allowKeywords(reading, place, [...LEAF_KEYWORDS, ...BOUNDS, ...(type === 'integer' ? ['multipleOf'] : [])])
  const leaf = readLeafParts(reading, place, type)
  const values = leaf.allowed?.filter((value) => typeof value === 'number')
  const low = readSide(reading, place, type, 'minimum', 'exclusiveMinimum', values && Math.min(...values))
  const high = readSide(reading, place, type, 'maximum', 'exclusiveMaximum', values && Math.max(...values))
  checkOrder(reading, place, low.bound, high.bound)
  return {
    ...leaf,
    type,
    minimum: low.bound,
    maximum: high.bound,
    isAboveMinimum: low.isExclusive,
    isBelowMaximum: high.isExclusive,
    multipleOf: readMultiple(reading, place),
  }
}

function readSide(
  reading: Reading,
  { schema, pointer }: SchemaPlace,
  type: 'integer' | 'number',
  inclusive: string,
  exclusive: string,
  fallback: number | undefined,
): { readonly bound: number; readonly isExclusive: boolean } {
  const given = ownMember(schema, inclusive)
  const isExclusive = given === undefined && Object.hasOwn(schema, exclusive)
  const bound = isExclusive ? ownMember(schema, exclusive) : (given ?? fallback)
  const fits = type === 'integer' ? Number.isSafeInteger(bound) : Number.isFinite(bound)
  const isDouble = given !== undefined && Object.hasOwn(schema, exclusive)
  if (typeof bound === 'number' && fits && !isDouble) return { bound, isExclusive }
  const mend = `Give either ${inclusive} or ${exclusive}, as ${type === 'integer' ? 'a safe integer' : 'a number'}.`
  if (bound === undefined) note(reading, pointer, 'bound_missing', `${inclusive} is missing.`, mend)
  else note(reading, pointer, 'bound_malformed', `${inclusive} is no single bound of this type.`, mend)
  return { bound: 0, isExclusive: false }
}

function readMultiple(reading: Reading, { schema, pointer }: SchemaPlace): number | undefined {
  const value = ownMember(schema, 'multipleOf')
  if (value === undefined || (typeof value === 'number' && Number.isSafeInteger(value) && value > 0))
    return value
  const mend = 'Give a positive integer.'
  note(reading, `${pointer}/multipleOf`, 'bound_malformed', 'multipleOf is not a positive integer.', mend)
  return undefined
}

function readLeafParts(reading: Reading, place: SchemaPlace, type: LeafType) {
  const title = titleOf(reading, place)
  const kind = kindOf(reading, place)
  const allowed = readAllowed(reading, place, type)
  return { category: requireCategory(reading, place), kind, title, allowed }
}

function readAllowed(reading: Reading, place: SchemaPlace, type: LeafType): readonly JsonValue[] | undefined {
  const { schema, pointer } = place
  const only = ownMember(schema, 'const')
  const values = ownMember(schema, 'enum')
  if (only === undefined && values === undefined) return undefined
  const listed = values === undefined && only !== undefined ? [only] : values
  const isFit =
    isJsonArray(listed) &&
    listed.length > 0 &&
    listed.length <= MAX_ENUM_VALUES &&
    new Set(listed).size === listed.length &&
    listed.every((value) => isOfType(value, type)) &&
    (only === undefined || values === undefined)
  if (isFit) return listed
  const mend = `Give enum or const, with 1 to ${MAX_ENUM_VALUES} different values, all of type ${type}.`
  note(reading, pointer, 'enum_malformed', `The allowed values are not values of type ${type}.`, mend)
  return undefined
}

function isOfType(value: JsonValue, type: LeafType): boolean {
  if (type === 'string') return typeof value === 'string' && checkText(value, 'plain') === undefined
  if (type === 'boolean') return typeof value === 'boolean'
  return type === 'integer' ? Number.isSafeInteger(value) : Number.isFinite(value)
}

function checkKind(reading: Reading, { schema, pointer, isInList }: SchemaPlace, node: LeafNode): void {
  if (node.kind === undefined) return
  const at = `${pointer}/x-kind`
  const isAmount = node.kind === 'amount' || node.kind === 'quotedAmount'
  if (node.type !== 'string' && !(isAmount && node.type === 'integer')) {
    const mend = isAmount
      ? 'Give amounts as an integer of minor units or as a decimal string.'
      : 'Make the field a string, or leave x-kind out.'
    note(reading, at, 'kind_unfit', `A field of kind ${node.kind} cannot be of type ${node.type}.`, mend)
  }
  if (!isBrokerFilled(node)) return
  if (isInList) {
    const mend = 'Move the field out of the list; the broker fills single places only.'
    note(reading, at, 'broker_field_in_list', 'A field the broker fills stands inside a list or map.', mend)
  }
  if (node.allowed !== undefined || Object.hasOwn(schema, 'default')) {
    const mend = 'Remove enum, const and default.'
    note(reading, at, 'broker_field_with_value', 'A field the broker fills states its value.', mend)
  }
}
