import { escapeToken } from '../json-pointer.ts'
import type { JsonObject, JsonValue } from '../json-value.ts'
import { isJsonArray, isJsonObject, ownMember } from '../json-value.ts'
import type { ManifestChange } from './manifest-change.ts'
import { changeOf, isSameJson } from './manifest-change.ts'

type Code = 'input_widened' | 'result_widened'
type Judgement = (before: JsonValue | undefined, after: JsonValue | undefined) => boolean

/** Upper bounds: absent is unlimited, so adding one or lowering it allows less. */
const notRaised: Judgement = (before, after) =>
  before === undefined || (typeof before === 'number' && typeof after === 'number' && after <= before)
const notLowered: Judgement = (before, after) =>
  before === undefined || (typeof before === 'number' && typeof after === 'number' && after >= before)
const addedOrEqual: Judgement = (before, after) => before === undefined || isSameJson(before, after)
const onlyEqual: Judgement = (before, after) => isSameJson(before, after)

/** For each keyword, whether the newer value provably allows no more. Keywords not listed must be equal. */
const ALLOWS_NO_MORE: { readonly [keyword: string]: Judgement } = {
  type: (before, after) => isSameJson(before, after) || (before === 'number' && after === 'integer'),
  maximum: notRaised,
  exclusiveMaximum: notRaised,
  maxLength: notRaised,
  maxItems: notRaised,
  maxProperties: notRaised,
  minimum: notLowered,
  exclusiveMinimum: notLowered,
  minLength: notLowered,
  minItems: notLowered,
  minProperties: notLowered,
  pattern: addedOrEqual,
  format: addedOrEqual,
  multipleOf: addedOrEqual,
  propertyNames: addedOrEqual,
  uniqueItems: (before, after) => before !== true || after === true,
  required: (before, after) => isSubset(before ?? [], after ?? []),
}

/** Handled by their structure below. */
const STRUCTURAL = ['properties', 'additionalProperties', 'items', 'enum', 'const']
/** What a field means to people, grants and budgets: any difference needs a new yes. */
const MEANING = ['x-category', 'x-kind', 'x-title', 'title', 'description', 'default']

/**
 * Lists where the newer schema is not proven to allow at most what the older one allowed, and where a field
 * changed its meaning. Conservative: a rewrite that allows the same in other words is listed too.
 */
export function schemaWidenings(
  code: Code,
  pointer: string,
  before: JsonValue | undefined,
  after: JsonValue | undefined,
): ManifestChange[] {
  if (isSameJson(before, after)) return []
  if (!isJsonObject(before) || !isJsonObject(after)) return [changeOf(code, pointer, before, after)]

  const changes: ManifestChange[] = []
  const keywords = new Set([...Object.keys(before), ...Object.keys(after)])
  for (const keyword of keywords) {
    if (STRUCTURAL.includes(keyword)) continue
    const [older, newer] = [ownMember(before, keyword), ownMember(after, keyword)]
    const isNoMore = (Object.hasOwn(ALLOWS_NO_MORE, keyword) && ALLOWS_NO_MORE[keyword]) || onlyEqual
    if (isNoMore(older, newer)) continue
    const found = MEANING.includes(keyword) ? 'field_meaning_changed' : code
    changes.push(changeOf(found, `${pointer}/${escapeToken(keyword)}`, older, newer))
  }
  return [
    ...changes,
    ...valueListWidenings(code, pointer, before, after),
    ...propertyWidenings(code, pointer, before, after),
    ...childWidenings(code, pointer, before, after, 'items'),
    ...childWidenings(code, pointer, before, after, 'additionalProperties'),
  ]
}

function valueListWidenings(
  code: Code,
  pointer: string,
  before: JsonObject,
  after: JsonObject,
): ManifestChange[] {
  const [older, newer] = [listedValues(before), listedValues(after)]
  if (older === undefined || (newer !== undefined && isSubset(newer, older))) return []
  return [changeOf(code, `${pointer}/enum`, older, newer)]
}

/** A closed object with a property less allows less, if nobody had to send it; a property more allows more. */
function propertyWidenings(
  code: Code,
  pointer: string,
  before: JsonObject,
  after: JsonObject,
): ManifestChange[] {
  const [older, newer] = [propertiesOf(before), propertiesOf(after)]
  const changes: ManifestChange[] = []
  for (const name of new Set([...Object.keys(older), ...Object.keys(newer)])) {
    const at = `${pointer}/properties/${escapeToken(name)}`
    const [was, is] = [ownMember(older, name), ownMember(newer, name)]
    // Left out of `properties`, a name falls under additionalProperties, which proves nothing unless closed.
    if (is === undefined && ownMember(after, 'additionalProperties') === false && !isRequired(before, name)) {
      continue
    }
    changes.push(...schemaWidenings(code, at, was, is))
  }
  return changes
}

function childWidenings(
  code: Code,
  pointer: string,
  before: JsonObject,
  after: JsonObject,
  keyword: 'items' | 'additionalProperties',
): ManifestChange[] {
  const [older, newer] = [ownMember(before, keyword), ownMember(after, keyword)]
  if (newer === false) return []
  return schemaWidenings(code, `${pointer}/${keyword}`, older, newer)
}

function listedValues(schema: JsonObject): readonly JsonValue[] | undefined {
  const only = ownMember(schema, 'const')
  if (only !== undefined) return [only]
  const values = ownMember(schema, 'enum')
  return isJsonArray(values) ? values : undefined
}

function propertiesOf(schema: JsonObject): JsonObject {
  const properties = ownMember(schema, 'properties')
  return isJsonObject(properties) ? properties : {}
}

function isRequired(schema: JsonObject, name: string): boolean {
  const required = ownMember(schema, 'required')
  return isJsonArray(required) && required.includes(name)
}

function isSubset(part: JsonValue, whole: JsonValue): boolean {
  if (!isJsonArray(part) || !isJsonArray(whole)) return false
  return part.every((value) => whole.some((other) => isSameJson(value, other)))
}
