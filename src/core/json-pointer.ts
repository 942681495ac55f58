import type { JsonValue } from './json-value.ts'
import { isJsonArray, isJsonObject, ownMember, withMember } from './json-value.ts'

/** In our pointers, a token that stands for every element of an array or every value of a map. */
export const EVERY = '*'

export type PointerMatch = { readonly pointer: string; readonly value: JsonValue }

export type PointerSelection =
  | { readonly kind: 'missing' }
  | { readonly kind: 'found'; readonly matches: readonly PointerMatch[] }

/** Returns the tokens of a pointer, or undefined if it is not one (RFC 6901 sections 3 and 4). */
export function parsePointer(pointer: string): readonly string[] | undefined {
  if (pointer === '') return []
  if (!pointer.startsWith('/') || /~(?![01])/.test(pointer)) return undefined
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** Returns the pointer with these tokens (RFC 6901 section 3). */
export function pointerOf(tokens: readonly string[]): string {
  return tokens.map((token) => `/${escapeToken(token)}`).join('')
}

/** Escapes one token; most names need no change. */
export function escapeToken(token: string): string {
  return /[~/]/.test(token) ? token.replaceAll('~', '~0').replaceAll('/', '~1') : token
}

/** Returns the value a pointer names, or undefined; `*` is a plain name here (RFC 6901 section 4). */
export function readPointer(value: JsonValue, pointer: string): JsonValue | undefined {
  let found: JsonValue | undefined = value
  for (const token of parsePointer(pointer) ?? [undefined]) {
    if (found === undefined || token === undefined) return undefined
    found = childOf(found, token)
  }
  return found
}

/**
 * Returns every value a pointer with `*` names, each with its own pointer.
 *
 * Missing as soon as anything on the way is missing: an absent or empty array, and one element that lacks
 * the rest. "Every element is allowed" must not be true because there was nothing to look at.
 */
export function selectPointer(value: JsonValue, pointer: string): PointerSelection {
  const tokens = parsePointer(pointer)
  if (!tokens) return { kind: 'missing' }
  let matches: PointerMatch[] = [{ pointer: '', value }]
  for (const token of tokens) {
    const next: PointerMatch[] = []
    for (const match of matches) {
      const children = token === EVERY ? childrenOf(match) : namedChildOf(match, token)
      if (children.length === 0) return { kind: 'missing' }
      for (const child of children) next.push(child)
    }
    matches = next
  }
  return { kind: 'found', matches }
}

/**
 * Returns a copy with the value at a concrete pointer set; undefined if its parent does not exist or the
 * index is not in the array, so that a wrong pointer is noticed and never invents structure.
 */
export function setPointer(value: JsonValue, pointer: string, member: JsonValue): JsonValue | undefined {
  const tokens = parsePointer(pointer)
  return tokens ? setTokens(value, tokens, member) : undefined
}

function setTokens(value: JsonValue, tokens: readonly string[], member: JsonValue): JsonValue | undefined {
  const [token, ...rest] = tokens
  if (token === undefined) return member
  const child = childOf(value, token)
  if (child === undefined && (rest.length > 0 || !isJsonObject(value))) return undefined
  const changed = setTokens(child ?? null, rest, member)
  if (changed === undefined) return undefined
  if (isJsonArray(value)) return value.with(Number(token), changed)
  return isJsonObject(value) ? withMember(value, token, changed) : undefined
}

/** Returns a copy without what a pointer names, `*` included; unchanged (the same value) if it is missing. */
export function omitPointer(value: JsonValue, pointer: string): JsonValue {
  const tokens = parsePointer(pointer)
  return tokens && tokens.length > 0 ? omitTokens(value, tokens) : value
}

function omitTokens(value: JsonValue, tokens: readonly string[]): JsonValue {
  const [token = '', ...rest] = tokens
  const isNamed = (name: string) => token === EVERY || token === name
  if (isJsonArray(value)) {
    const names = value.map((_, index) => String(index))
    if (!names.some(isNamed)) return value
    if (rest.length === 0) return value.filter((_, index) => !isNamed(String(index)))
    return value.map((element, index) => (isNamed(String(index)) ? omitTokens(element, rest) : element))
  }
  if (!isJsonObject(value) || !Object.keys(value).some(isNamed)) return value
  const kept = Object.entries(value).flatMap(([name, member]): [string, JsonValue][] => {
    if (!isNamed(name)) return [[name, member]]
    return rest.length === 0 ? [] : [[name, omitTokens(member, rest)]]
  })
  return Object.fromEntries(kept)
}

function childOf(value: JsonValue, token: string): JsonValue | undefined {
  if (isJsonObject(value)) return ownMember(value, token)
  // RFC 6901 section 4: no leading zeros, and `-` names nothing that exists.
  if (isJsonArray(value) && /^(?:0|[1-9]\d{0,8})$/.test(token)) return value[Number(token)]
  return undefined
}

function namedChildOf(match: PointerMatch, token: string): PointerMatch[] {
  const value = childOf(match.value, token)
  return value === undefined ? [] : [{ pointer: `${match.pointer}/${escapeToken(token)}`, value }]
}

function childrenOf({ pointer, value }: PointerMatch): PointerMatch[] {
  if (isJsonArray(value)) {
    return value.map((element, index) => ({ pointer: `${pointer}/${index}`, value: element }))
  }
  if (!isJsonObject(value)) return []
  return Object.entries(value).map(([name, member]) => ({
    pointer: `${pointer}/${escapeToken(name)}`,
    value: member,
  }))
}

/**
 * Returns every value there is under a pointer with `*`, passing over elements that lack it. For finding all
 * of something, where `selectPointer` is for checking that all of it holds.
 */
export function valuesAt(value: JsonValue, pointer: string): JsonValue[] {
  let found: PointerMatch[] = [{ pointer: '', value }]
  for (const token of parsePointer(pointer) ?? []) {
    found = found.flatMap((match) => (token === EVERY ? childrenOf(match) : namedChildOf(match, token)))
  }
  return parsePointer(pointer) ? found.map((match) => match.value) : []
}
