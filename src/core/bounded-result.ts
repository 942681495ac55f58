import { escapeToken } from './json-pointer.ts'
import type { JsonValue } from './json-value.ts'
import { isJsonObject } from './json-value.ts'

/** Characters of JSON a result may have before members are left out; more would crowd everything else out of a model. */
export const RESULT_CHARACTERS_MOST = 100_000

export type BoundedResult = {
  readonly value: JsonValue
  /** Pointers of the members that were left out for their size. */
  readonly tooLong: readonly string[]
}

/** Leaves out the largest members of a result until it fits, and names them. */
export function boundResult(value: JsonValue, most = RESULT_CHARACTERS_MOST): BoundedResult {
  let size = JSON.stringify(value).length
  if (size <= most || !isJsonObject(value)) return { value, tooLong: [] }
  const members = Object.entries(value)
    .map(([name, member]) => ({ name, member, size: JSON.stringify(member).length }))
    .sort((a, b) => b.size - a.size)
  const out = new Set<string>()
  for (const member of members) {
    if (size <= most) break
    out.add(member.name)
    size -= member.size
  }
  const kept = members.filter(({ name }) => !out.has(name))
  return {
    value: Object.fromEntries(kept.map(({ name, member }) => [name, member])),
    tooLong: [...out].map((name) => `/${escapeToken(name)}`).sort(),
  }
}
