import type { JsonValue } from '../json-value.ts'

/** What an update newly asks for, in words stable enough for pages, tests and logs. */
export type ManifestChangeCode =
  | 'action_added'
  | 'action_removed'
  | 'publisher_changed'
  | 'skill_changed'
  | 'endpoint_changed'
  | 'text_changed'
  | 'effects_changed'
  | 'input_widened'
  | 'result_widened'
  | 'field_meaning_changed'
  | 'amount_place_changed'
  | 'most_raised'
  | 'currency_added'
  | 'recurrence_changed'
  | 'payment_link_changed'
  | 'refusal_changed'
  | 'key_promise_changed'
  | 'recipient_added'
  | 'recipient_changed'
  | 'memory_added'
  | 'memory_changed'
  | 'retention_longer'
  | 'undo_removed'
  | 'undo_shortened'
  | 'companion_added'
  | 'companion_removed'
  | 'companion_changed'
  | 'guard_removed'
  | 'deletion_removed'
  | 'deletion_slower'
  | 'events_removed'

export interface ManifestChange {
  readonly code: ManifestChangeCode
  /** Into the newer manifest; into the consented one for what is gone. */
  readonly pointer: string
  readonly before?: JsonValue
  readonly after?: JsonValue
}

/** A change, with the side that does not exist left out. */
export function changeOf(
  code: ManifestChangeCode,
  pointer: string,
  before: unknown,
  after: unknown,
): ManifestChange {
  return {
    code,
    pointer,
    ...(before === undefined ? {} : { before: plainJson(before) }),
    ...(after === undefined ? {} : { after: plainJson(after) }),
  }
}

/** No change if both sides are the same JSON, else one change with this code. */
export function unlessEqual(
  code: ManifestChangeCode,
  pointer: string,
  before: unknown,
  after: unknown,
): ManifestChange[] {
  return isSameJson(before, after) ? [] : [changeOf(code, pointer, before, after)]
}

/**
 * True when two parsed values are the same JSON; the order of members is nothing, and a member that is undefined
 * is one that is absent.
 */
export function isSameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const [inA, inB] = [membersOf(a), membersOf(b)]
  return inA.size === inB.size && [...inA].every(([name, value]) => isSameJson(value, inB.get(name)))
}

function membersOf(value: object): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(value).filter(([, member]) => member !== undefined))
}

/** The value as plain JSON: optional members that are undefined are gone, as in the text that was signed. */
export function plainJson(value: unknown): JsonValue {
  return JSON.parse(JSON.stringify(value))
}
