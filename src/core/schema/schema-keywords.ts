import { escapeToken } from '../json-pointer.ts'
import type { JsonObject, JsonValue } from '../json-value.ts'
import { isJsonObject, ownMember } from '../json-value.ts'
import { checkText } from '../text-rules.ts'
import type { Reading } from './schema-fault.ts'
import { note } from './schema-fault.ts'
import type { FieldKind, Title } from './schema-node.ts'
import { FIELD_KINDS } from './schema-node.ts'

/** One schema object while it is read. */
export type SchemaPlace = {
  readonly schema: JsonObject
  readonly pointer: string
  /** The nearest category stated on the way here, this schema's own included. */
  readonly category: string | undefined
  readonly depth: number
  /** Inside items or map values, where the broker could not know which place to fill. */
  readonly isInList: boolean
  /** How often this place can occur in one value: the product of the maxima of the lists around it. */
  readonly repeats: number
  /** Names of the definitions being expanded. */
  readonly expanding: readonly string[]
}

export const ANNOTATIONS = ['title', 'description', 'default', 'x-category', 'x-kind', 'x-title']
const CATEGORY = /^[a-z][a-z0-9_]{0,47}$/

/** Refuses every keyword the profile does not know: one that is ignored promises what nobody checks. */
export function allowKeywords(
  reading: Reading,
  { schema, pointer }: SchemaPlace,
  allowed: readonly string[],
): void {
  for (const keyword of Object.keys(schema)) {
    if (allowed.includes(keyword)) continue
    const at = `${pointer}/${escapeToken(keyword)}`
    const mend = `Remove it. Allowed here: ${allowed.join(', ')}.`
    note(reading, at, 'keyword_not_allowed', `${JSON.stringify(keyword)} is not allowed here.`, mend)
  }
}

/**
 * Reads an integer keyword between two ceilings of our own; `fallback` undefined means it must be there.
 * A fault still returns a number, so that reading goes on and finds the rest.
 */
export function boundOf(
  reading: Reading,
  { schema, pointer }: SchemaPlace,
  keyword: string,
  most: number,
  fallback: number | undefined,
): number {
  const value = ownMember(schema, keyword)
  const mend = `Give ${keyword} as an integer from 0 to ${most}.`
  if (value === undefined) {
    if (fallback === undefined) note(reading, pointer, 'bound_missing', `${keyword} is missing.`, mend)
    return fallback ?? most
  }
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most) return value
  note(reading, `${pointer}/${keyword}`, 'bound_malformed', `${keyword} is not an integer in range.`, mend)
  return most
}

export function checkOrder(reading: Reading, place: SchemaPlace, least: number, most: number): void {
  if (least <= most) return
  const message = `The least, ${least}, is above the most, ${most}: nothing could ever fit.`
  note(reading, place.pointer, 'bounds_crossed', message, 'Swap or mend the two bounds.')
}

export function categoryOf(reading: Reading, schema: JsonObject, pointer: string): string | undefined {
  const value = ownMember(schema, 'x-category')
  if (value === undefined) return undefined
  if (typeof value === 'string' && CATEGORY.test(value)) return value
  const mend = 'Name one of the data categories of the manifest, such as order_items.'
  note(reading, `${pointer}/x-category`, 'category_malformed', 'x-category is not a category name.', mend)
  return undefined
}

export function requireCategory(reading: Reading, place: SchemaPlace): string {
  if (place.category === undefined) {
    const mend = 'State x-category here or on an object around it.'
    note(reading, place.pointer, 'category_missing', 'No data category covers this field.', mend)
  }
  return place.category ?? ''
}

export function kindOf(reading: Reading, { schema, pointer }: SchemaPlace): FieldKind | undefined {
  const value = ownMember(schema, 'x-kind')
  const kind = FIELD_KINDS.find((known) => known === value)
  if (value !== undefined && kind === undefined) {
    const mend = `Use one of ${FIELD_KINDS.join(', ')}, or leave x-kind out.`
    note(reading, `${pointer}/x-kind`, 'kind_unknown', 'x-kind is none that is known.', mend)
  }
  return kind
}

export function titleOf(reading: Reading, { schema, pointer }: SchemaPlace): Title | undefined {
  for (const keyword of ['title', 'description']) {
    const text = ownMember(schema, keyword)
    if (text === undefined || isReadable(text, 1000)) continue
    const mend = 'Write plain text of at most 1000 characters.'
    note(reading, `${pointer}/${keyword}`, 'annotation_malformed', `${keyword} is not plain text.`, mend)
  }
  const value = ownMember(schema, 'x-title')
  if (value === undefined) return undefined
  if (isJsonObject(value) && Object.keys(value).length === 2) {
    const en = ownMember(value, 'en')
    const zh = ownMember(value, 'zh')
    if (isReadable(en, 80) && isReadable(zh, 80)) return { en, zh }
  }
  const mend = 'Give x-title as {"en": "…", "zh": "…"}, each 1 to 80 visible characters.'
  note(
    reading,
    `${pointer}/x-title`,
    'annotation_malformed',
    'x-title is not a title in both languages.',
    mend,
  )
  return undefined
}

function isReadable(text: JsonValue | undefined, most: number): text is string {
  return typeof text === 'string' && text.length > 0 && text.length <= most && !checkText(text, 'plain')
}
