import { escapeToken } from '../../json-pointer.ts'
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue, ownMember } from '../../json-value.ts'
import { compilePattern } from '../../schema/linear-pattern.ts'
import { FORMATS } from '../../schema/string-format.ts'
import { checkText } from '../../text-rules.ts'

/** What stands in where a tool states no bound. A reviewer is told of each, and may know better. */
export const DEFAULT_BOUNDS = {
  argumentCharacters: 2_000,
  resultCharacters: 60_000,
  items: 100,
  members: 100,
  nameCharacters: 128,
  number: 1_000_000_000,
} as const

const CHARACTERS_MOST = 262_144
const MATCHED_CHARACTERS_MOST = 8_192
const ITEMS_MOST = 1_000
const DEPTH_MOST = 10

/** Something a reviewer has to look at, with the place it is about. */
export type SchemaRemark = { readonly pointer: string; readonly remark: string }

export type ClosedSchema = { readonly schema: JsonObject; readonly remarks: readonly SchemaRemark[] }

type Side = 'input' | 'result'

/**
 * Makes a schema of our closed profile from the JSON Schema a tool is served with, as far as one follows from it: every
 * object lists its members, every text, list and number is bounded. What does not follow becomes `{}`, which the lint
 * refuses until somebody has written what belongs there; nothing is guessed and nothing is left open.
 */
export function closeSchema(schema: JsonValue, side: Side, category: string): ClosedSchema {
  const root = isJsonObject(schema) ? schema : {}
  const closer = new Closer(root, side)
  const closed = isObjectSchema(root)
    ? closer.object(root, '', [])
    : { type: 'object', properties: {}, additionalProperties: false }
  return { schema: { ...closed, 'x-category': category }, remarks: closer.remarks }
}

function isObjectSchema(schema: JsonObject): boolean {
  return ownMember(schema, 'type') === 'object' || isJsonObject(ownMember(schema, 'properties'))
}

class Closer {
  readonly remarks: SchemaRemark[] = []
  readonly #root: JsonObject
  readonly #side: Side

  constructor(root: JsonObject, side: Side) {
    this.#root = root
    this.#side = side
  }

  /** @param expanding references on the way here: one that comes again never ends. */
  node(given: JsonValue | undefined, pointer: string, expanding: readonly string[]): JsonObject {
    if (!isJsonObject(given) || expanding.length + pointer.split('/').length > DEPTH_MOST * 2)
      return this.#open(pointer, 'says nothing about its value')
    const reference = ownMember(given, '$ref')
    if (typeof reference === 'string') {
      const target = this.#resolve(reference)
      if (!target || expanding.includes(reference))
        return this.#open(pointer, `refers to ${reference}, which cannot be written out`)
      return this.node(target, pointer, [...expanding, reference])
    }
    const only = onlyAlternative(given)
    if (only === 'several')
      return this.#open(pointer, 'may be one of several things; describe the one you want')
    const schema = only ?? given
    switch (typeOf(schema)) {
      case 'string':
        return this.#string(schema, pointer)
      case 'integer':
      case 'number':
        return this.#number(schema, pointer)
      case 'boolean':
        return { type: 'boolean', ...this.#about(schema, (value) => typeof value === 'boolean') }
      case 'array':
        return this.#array(schema, pointer, expanding)
      case 'object':
        return this.object(schema, pointer, expanding)
      default:
        return this.#open(pointer, 'has no single type')
    }
  }

  object(schema: JsonObject, pointer: string, expanding: readonly string[]): JsonObject {
    const properties = ownMember(schema, 'properties')
    const others = ownMember(schema, 'additionalProperties')
    if (!isJsonObject(properties) && isJsonObject(others) && pointer !== '') {
      this.#note(pointer, `a map: at most ${DEFAULT_BOUNDS.members} members stand in for no bound`)
      return {
        type: 'object',
        propertyNames: { maxLength: DEFAULT_BOUNDS.nameCharacters },
        additionalProperties: this.node(others, `${pointer}/*`, expanding),
        maxProperties: DEFAULT_BOUNDS.members,
      }
    }
    if (others !== false && others !== undefined)
      this.#note(pointer, 'accepts members it does not list; those are refused')
    const entries = isJsonObject(properties) ? Object.entries(properties) : []
    const listed = ownMember(schema, 'required')
    const required = isJsonArray(listed)
      ? listed.filter((name) => entries.some(([other]) => other === name))
      : []
    return {
      type: 'object',
      properties: Object.fromEntries(
        entries.map(([name, child]) => [
          name,
          this.node(child, `${pointer}/${escapeToken(name)}`, expanding),
        ]),
      ),
      ...(required.length > 0 ? { required } : {}),
      additionalProperties: false,
    }
  }

  #array(schema: JsonObject, pointer: string, expanding: readonly string[]): JsonObject {
    const most = wholeNumber(ownMember(schema, 'maxItems'))
    const least = wholeNumber(ownMember(schema, 'minItems'))
    if (most === undefined) this.#note(pointer, `at most ${DEFAULT_BOUNDS.items} items stand in for no bound`)
    const maxItems = Math.min(most ?? DEFAULT_BOUNDS.items, ITEMS_MOST)
    return {
      type: 'array',
      items: withoutDefault(this.node(ownMember(schema, 'items'), `${pointer}/*`, expanding)),
      ...(least !== undefined && least <= maxItems ? { minItems: least } : {}),
      maxItems,
    }
  }

  #string(schema: JsonObject, pointer: string): JsonObject {
    const about = this.#about(schema, (value) => typeof value === 'string')
    if (about.enum !== undefined) return { type: 'string', ...about }
    const stated = wholeNumber(ownMember(schema, 'maxLength'))
    const standIn =
      this.#side === 'input' ? DEFAULT_BOUNDS.argumentCharacters : DEFAULT_BOUNDS.resultCharacters
    if (stated === undefined) this.#note(pointer, `at most ${standIn} characters stand in for no bound`)
    const maxLength = Math.min(stated ?? standIn, CHARACTERS_MOST)
    const minLength = wholeNumber(ownMember(schema, 'minLength'))
    const format = FORMATS.find((known) => known === ownMember(schema, 'format'))
    const pattern = this.#pattern(schema, pointer, maxLength)
    const bounds = {
      ...(minLength !== undefined && minLength <= maxLength ? { minLength } : {}),
      maxLength,
      ...(pattern === undefined ? {} : { pattern }),
    }
    if (format === 'uri') return { type: 'string', ...about, ...bounds, format, 'x-kind': 'url' }
    if (format !== undefined || pattern !== undefined)
      return { type: 'string', ...about, ...bounds, ...(format ? { format } : {}) }
    // Text of any content may carry anything: so it counts, until a reviewer knows better.
    return { type: 'string', ...about, ...bounds, 'x-kind': 'freeText' }
  }

  #pattern(schema: JsonObject, pointer: string, maxLength: number): string | undefined {
    const source = ownMember(schema, 'pattern')
    if (typeof source !== 'string') return undefined
    if (maxLength <= MATCHED_CHARACTERS_MOST && !('fault' in compilePattern(source))) return source
    this.#note(pointer, 'its pattern cannot be checked in linear time and was left out')
    return undefined
  }

  #number(schema: JsonObject, pointer: string): JsonObject {
    const type = typeOf(schema) === 'integer' ? 'integer' : 'number'
    const about = this.#about(schema, (value) => typeof value === 'number')
    if (about.enum !== undefined) return { type, ...about }
    const bounds: { [name: string]: JsonValue } = {}
    for (const [inclusive, exclusive, standIn] of [
      ['minimum', 'exclusiveMinimum', -DEFAULT_BOUNDS.number],
      ['maximum', 'exclusiveMaximum', DEFAULT_BOUNDS.number],
    ] as const) {
      const stated = [inclusive, exclusive].find((name) => isBound(ownMember(schema, name), type))
      if (stated === undefined) this.#note(pointer, `${inclusive} ${standIn} stands in for no bound`)
      bounds[stated ?? inclusive] = (stated === undefined ? standIn : ownMember(schema, stated)) ?? standIn
    }
    const multiple = wholeNumber(ownMember(schema, 'multipleOf'))
    return { type, ...about, ...bounds, ...(type === 'integer' && multiple ? { multipleOf: multiple } : {}) }
  }

  /** Description, default and listed values, as far as the profile takes them. */
  #about(schema: JsonObject, fits: (value: JsonValue) => boolean): { readonly [name: string]: JsonValue } {
    const description = ownMember(schema, 'description')
    const fallback = ownMember(schema, 'default')
    const listed = ownMember(schema, 'enum') ?? listOf(ownMember(schema, 'const'))
    return {
      ...(typeof description === 'string' && isReadable(description) ? { description } : {}),
      ...(isJsonArray(listed) && listed.length > 0 && listed.every(fits) ? { enum: listed } : {}),
      ...(this.#side === 'input' && fallback !== undefined && fits(fallback) ? { default: fallback } : {}),
    }
  }

  #resolve(reference: string): JsonObject | undefined {
    const [, member, name] = /^#\/(\$defs|definitions)\/([^/]+)$/.exec(reference) ?? []
    const definitions = member === undefined ? undefined : ownMember(this.#root, member)
    const target = name !== undefined && isJsonObject(definitions) ? ownMember(definitions, name) : undefined
    return isJsonObject(target) ? target : undefined
  }

  #open(pointer: string, why: string): JsonObject {
    this.#note(pointer, `${why}: write its schema, or leave it out`)
    return {}
  }

  #note(pointer: string, remark: string): void {
    this.remarks.push({ pointer, remark })
  }
}

function typeOf(schema: JsonObject): JsonValue | undefined {
  const type = ownMember(schema, 'type')
  // "or null" is what leaving a member out means here.
  if (isJsonArray(type)) {
    const real = type.filter((name) => name !== 'null')
    return real.length === 1 ? real[0] : undefined
  }
  if (type !== undefined) return type
  const listed = ownMember(schema, 'enum')
  const sample = isJsonArray(listed) ? listed[0] : ownMember(schema, 'const')
  return sample === undefined || sample === null ? undefined : typeof sample
}

/** The one thing a schema with alternatives allows besides null; undefined where it has none. */
function onlyAlternative(schema: JsonObject): JsonObject | 'several' | undefined {
  for (const keyword of ['anyOf', 'oneOf', 'allOf']) {
    const alternatives = ownMember(schema, keyword)
    if (!isJsonArray(alternatives)) continue
    const real = alternatives.filter((one) => !isJsonObject(one) || ownMember(one, 'type') !== 'null')
    const [only] = real
    if (real.length !== 1 || !isJsonObject(only)) return 'several'
    const { [keyword]: _, ...around } = schema
    return { ...around, ...only }
  }
  return undefined
}

function withoutDefault({ default: _, ...schema }: JsonObject): JsonObject {
  return schema
}

function listOf(value: JsonValue | undefined): JsonValue | undefined {
  return value === undefined ? undefined : [value]
}

function wholeNumber(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

/** Generators write the bounds of a safe integer for "none". */
function isBound(value: JsonValue | undefined, type: 'integer' | 'number'): boolean {
  if (typeof value !== 'number' || Math.abs(value) >= Number.MAX_SAFE_INTEGER) return false
  return type === 'number' || Number.isSafeInteger(value)
}

function isReadable(text: string): boolean {
  return text.length > 0 && text.length <= 1000 && checkText(text, 'plain') === undefined
}
