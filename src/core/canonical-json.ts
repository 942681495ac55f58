import { hash } from 'node:crypto'
import type { JsonArray, JsonObject, JsonValue } from './json-value.ts'
import { isJsonArray } from './json-value.ts'

/**
 * Returns the one text of a JSON value that is hashed and signed (RFC 8785).
 *
 * @throws TypeError on what JSON cannot say: undefined, NaN, Infinity, lone surrogates, class instances.
 *   Parsed input holds none of these, so a throw is a defect of the caller.
 */
export function canonicalJson(value: JsonValue): string {
  if (typeof value === 'string') return canonicalString(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError('a number without a JSON form')
    return String(value)
  }
  if (value === null) return 'null'
  if (value === true) return 'true'
  if (value === false) return 'false'
  if (typeof value !== 'object') throw new TypeError(`a ${typeof value} has no JSON form`)
  return isJsonArray(value) ? canonicalArray(value) : canonicalObject(value)
}

/** Text that stands in JSON as it is; most names and ids do, and the test is cheaper than quoting them. */
const PLAIN_TEXT = /^[ !#-[\]-~]*$/

function canonicalString(text: string): string {
  if (text.length < 64 && PLAIN_TEXT.test(text)) return `"${text}"`
  if (!text.isWellFormed()) throw new TypeError('a string with a lone surrogate')
  return JSON.stringify(text)
}

function canonicalArray(array: JsonArray): string {
  let text = '['
  for (let index = 0; index < array.length; index += 1) {
    const element = array[index]
    if (element === undefined) throw new TypeError('undefined has no JSON form')
    text += index === 0 ? canonicalJson(element) : `,${canonicalJson(element)}`
  }
  return `${text}]`
}

function canonicalObject(object: JsonObject): string {
  const prototype: unknown = Object.getPrototypeOf(object)
  // A Date or a Map would silently hash as an empty object.
  if (prototype !== Object.prototype && prototype !== null) throw new TypeError('not a plain object')
  const names = sortNames(Object.keys(object))
  let text = '{'
  for (const name of names) {
    const member = object[name]
    if (member === undefined) throw new TypeError(`member ${name} is undefined`)
    text += `${text.length === 1 ? '' : ','}${canonicalString(name)}:${canonicalJson(member)}`
  }
  return `${text}}`
}

/**
 * Sorts in place by UTF-16 code units, as RFC 8785 section 3.2.3 asks and both `>` and sort() do. Insertion
 * is faster for the few names objects have, and takes one pass over names that are in order already.
 */
function sortNames(names: string[]): string[] {
  if (names.length > 16) return names.sort()
  for (let index = 1; index < names.length; index += 1) {
    const name = names[index] ?? ''
    let place = index
    for (let before = names[place - 1]; before !== undefined && before > name; before = names[place - 1]) {
      names[place] = before
      place -= 1
    }
    names[place] = name
  }
  return names
}

/** Returns the base64url SHA-256 of the canonical bytes of a value. */
export function digestOf(value: JsonValue): string {
  return hash('sha256', canonicalJson(value), 'base64url')
}

/**
 * Returns the digest of a value under a tag that says what it is for, so that a digest made for one purpose
 * is never valid for another. Injective: unlike joined text, no value can imitate another tag or field.
 */
export function taggedDigest(tag: string, value: JsonValue): string {
  return digestOf({ tag, value })
}
