import type { JsonValue } from './json-value.ts'
import { isJsonArray, isJsonObject } from './json-value.ts'

/**
 * Names that open or close a part of a model's prompt, without separators and in small letters: the tool
 * markers of Qwen's templates and their thinking markers. Everything that starts with `<|` is one anyway.
 */
const MARKER_NAMES = [
  'toolcall',
  'toolresponse',
  'toolresult',
  'tools',
  'function',
  'parameter',
  'think',
  'imstart',
  'imend',
  'endoftext',
]
const LONGEST_NAME = 12
const OPENERS = /[<＜﹤]|✿(?=\s*[A-Za-z])/gu
/** What a reader skips: spaces, invisible characters, and what separates the words of a marker's name. */
const SKIPPED = /[\s\p{Default_Ignorable_Code_Point}\p{Cc}_＿▁-]/u
const BARS = new Set(['|', '｜', '¦', '│'])
const SLASHES = new Set(['/', '／', '\\', '⁄', '∕'])

/**
 * Rewrites everything a model might take for a marker of its own prompt (`<tool_call>`, `</tool_response>`,
 * `<|im_start|>`, `<think>`, `✿FUNCTION✿` …), in any casing, spacing or full-width form, so that it stays
 * readable but marks nothing: the opening sign becomes its HTML entity.
 *
 * Takes time linear in the length: a look-ahead ends at the next opening sign.
 */
export function escapeProtocolMarkers(text: string): string {
  if (!text.includes('<') && !/[＜﹤✿]/u.test(text)) return text
  return text.replace(OPENERS, (opener, at: number) => {
    // Qwen-Agent's older format marks calls by flowers and has nothing but names between them.
    if (opener === '✿') return '&#10047;'
    return opensMarker(text, at + opener.length) ? '&lt;' : opener
  })
}

function opensMarker(text: string, start: number): boolean {
  let name = ''
  for (let at = start; at < text.length && name.length < LONGEST_NAME; ) {
    const character = String.fromCodePoint(text.codePointAt(at) ?? 0)
    at += character.length
    if (SKIPPED.test(character)) continue
    if (name === '' && BARS.has(character)) return true
    if (name === '' && SLASHES.has(character)) continue
    const letters = character.normalize('NFKC').toLowerCase()
    if (!/^[a-z]+$/.test(letters)) break
    name += letters
  }
  return MARKER_NAMES.some((marker) => name.startsWith(marker))
}

/** Escapes the markers in every string of a value, names included; the rest is the same. */
export function escapeMarkersIn(value: JsonValue): JsonValue {
  if (typeof value === 'string') return escapeProtocolMarkers(value)
  if (isJsonArray(value)) return value.map(escapeMarkersIn)
  if (!isJsonObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [escapeProtocolMarkers(name), escapeMarkersIn(member)]),
  )
}
