import { pointerOf } from './json-pointer.ts'
import type { JsonValue } from './json-value.ts'
import { isExactNumber } from './number-text.ts'

export type { JsonValue } from './json-value.ts'

export type JsonLimits = {
  /** Size of the text in UTF-8 bytes. */
  readonly maxBytes: number
  /** How many objects and arrays may stand inside each other; a lone scalar has depth 0. */
  readonly maxDepth: number
  /** Object members and array elements in the whole document. */
  readonly maxMembers: number
}

export type JsonFaultCode =
  | 'malformed_json'
  | 'duplicate_key'
  | 'lone_surrogate'
  | 'too_deep'
  | 'too_large'
  | 'number_not_exact'

export type JsonFault = {
  readonly ok: false
  readonly code: JsonFaultCode
  /** JSON Pointer of the value (or of the object holding the name) that is at fault. */
  readonly pointer: string
  readonly detail: string
}

export type StrictJson = { readonly ok: true; readonly value: JsonValue } | JsonFault

/** Enough for any request body and any manifest; surfaces pass tighter ones. */
export const DEFAULT_JSON_LIMITS: JsonLimits = { maxBytes: 262_144, maxDepth: 32, maxMembers: 20_000 }

/**
 * Parses JSON that two readers cannot understand differently (RFC 8259, and I-JSON, RFC 7493, section 2).
 *
 * Refused besides malformed text: duplicate names, lone surrogates, nesting and size beyond the limits, and
 * numbers that their double does not print back. Never throws, whatever the depth. `__proto__` is an own
 * member, and -0 becomes 0, as its canonical form (RFC 8785) cannot tell them apart.
 */
export function parseStrictJson(text: string, limits: JsonLimits = DEFAULT_JSON_LIMITS): StrictJson {
  // One UTF-16 unit is at most three bytes, so most bodies need no second look.
  if (text.length * 3 > limits.maxBytes && Buffer.byteLength(text) > limits.maxBytes) {
    return refusal('too_large', `The text is larger than ${limits.maxBytes} bytes.`)
  }
  return new Reader(text, limits).readDocument()
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Parses bytes as `parseStrictJson` does, and refuses a byte order mark and bytes that are not UTF-8. */
export function parseStrictJsonBytes(
  bytes: Uint8Array,
  limits: JsonLimits = DEFAULT_JSON_LIMITS,
): StrictJson {
  if (bytes.byteLength > limits.maxBytes) {
    return refusal('too_large', `The text is larger than ${limits.maxBytes} bytes.`)
  }
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    return refusal('malformed_json', 'The text starts with a byte order mark.')
  }
  let text: string
  try {
    text = decoder.decode(bytes)
  } catch {
    return refusal('malformed_json', 'The bytes are not valid UTF-8.')
  }
  return parseStrictJson(text, limits)
}

function refusal(code: JsonFaultCode, detail: string, pointer = ''): JsonFault {
  return { ok: false, code, pointer, detail }
}

const FAILED = Symbol('failed')

/**
 * One pass over the text. A fault is kept aside and `FAILED` returned, so that the callers on the way up
 * can add their tokens: the pointer costs nothing while all is well.
 */
class Reader {
  readonly text: string
  readonly limits: JsonLimits
  pos = 0
  depth = 0
  members = 0
  fault: { code: JsonFaultCode; detail: string; path: string[] } | undefined

  constructor(text: string, limits: JsonLimits) {
    this.text = text
    this.limits = limits
  }

  readDocument(): StrictJson {
    const value = this.readValue()
    if (value === FAILED) return this.refused()
    if (this.peek() === END) return { ok: true, value }
    this.fail('malformed_json', `Something follows the value at position ${this.pos}.`)
    return this.refused()
  }

  refused(): JsonFault {
    if (!this.fault) throw new Error('a failed parse must have named its fault')
    return refusal(this.fault.code, this.fault.detail, pointerOf(this.fault.path.reverse()))
  }

  fail(code: JsonFaultCode, detail: string): typeof FAILED {
    this.fault = { code, detail, path: [] }
    return FAILED
  }

  malformed(expected: string): typeof FAILED {
    return this.fail('malformed_json', `Expected ${expected} at position ${this.pos}.`)
  }

  /** Skips white space and returns the code unit there, or `END`. */
  peek(): number {
    const { text } = this
    for (let pos = this.pos; ; pos += 1) {
      const unit = pos < text.length ? text.charCodeAt(pos) : END
      if (unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09) continue
      this.pos = pos
      return unit
    }
  }

  readValue(): JsonValue | typeof FAILED {
    const unit = this.peek()
    if (unit === QUOTE) return this.readString()
    if (unit === OPEN_OBJECT) return this.readObject()
    if (unit === OPEN_ARRAY) return this.readArray()
    if (unit === MINUS || (unit >= ZERO && unit <= NINE)) return this.readNumber()
    if (this.text.startsWith('true', this.pos)) return this.skipWord(4, true)
    if (this.text.startsWith('false', this.pos)) return this.skipWord(5, false)
    if (this.text.startsWith('null', this.pos)) return this.skipWord(4, null)
    return this.malformed('a value')
  }

  skipWord(length: number, value: boolean | null): boolean | null {
    this.pos += length
    return value
  }

  readObject(): JsonValue | typeof FAILED {
    if (!this.enter()) return FAILED
    const object: { [name: string]: JsonValue } = {}
    if (this.peek() === CLOSE_OBJECT) return this.leave(object)
    for (;;) {
      if (this.peek() !== QUOTE) return this.malformed('a name in double quotes')
      const name = this.readString()
      if (name === FAILED) return FAILED
      if (Object.hasOwn(object, name)) {
        return this.fail('duplicate_key', `The name ${JSON.stringify(name)} stands twice in one object.`)
      }
      if (this.peek() !== COLON) return this.malformed("':'")
      this.pos += 1
      const value = this.countMember() ? this.readValue() : FAILED
      if (value === FAILED) return this.failedAt(name)
      // Plain assignment to `__proto__` would set the prototype instead of a member.
      if (name === '__proto__') {
        Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true })
      } else object[name] = value
      const next = this.peek()
      if (next === CLOSE_OBJECT) return this.leave(object)
      if (next !== COMMA) return this.malformed("',' or '}'")
      this.pos += 1
    }
  }

  readArray(): JsonValue | typeof FAILED {
    if (!this.enter()) return FAILED
    const array: JsonValue[] = []
    if (this.peek() === CLOSE_ARRAY) return this.leave(array)
    for (;;) {
      const value = this.countMember() ? this.readValue() : FAILED
      if (value === FAILED) return this.failedAt(String(array.length))
      array.push(value)
      const next = this.peek()
      if (next === CLOSE_ARRAY) return this.leave(array)
      if (next !== COMMA) return this.malformed("',' or ']'")
      this.pos += 1
    }
  }

  enter(): boolean {
    this.pos += 1
    this.depth += 1
    if (this.depth <= this.limits.maxDepth) return true
    this.fail('too_deep', `The nesting is deeper than ${this.limits.maxDepth}.`)
    return false
  }

  leave<T>(container: T): T {
    this.pos += 1
    this.depth -= 1
    return container
  }

  countMember(): boolean {
    this.members += 1
    if (this.members <= this.limits.maxMembers) return true
    this.fail('too_large', `There are more than ${this.limits.maxMembers} members and elements.`)
    return false
  }

  failedAt(token: string): typeof FAILED {
    this.fault?.path.push(token)
    return FAILED
  }

  readString(): string | typeof FAILED {
    const { text } = this
    const start = this.pos + 1
    let isEscaped = false
    let isAscii = true
    for (let pos = start; pos < text.length; pos += 1) {
      const unit = text.charCodeAt(pos)
      if (unit === QUOTE) {
        this.pos = pos + 1
        const value = isEscaped ? this.unescape(start, pos) : text.slice(start, pos)
        if (value === FAILED || (isAscii && !isEscaped) || value.isWellFormed()) return value
        return this.fail('lone_surrogate', 'A string holds half of a surrogate pair.')
      }
      if (unit < 0x20) {
        this.pos = pos
        return this.malformed('an escaped control character')
      }
      if (unit === BACKSLASH) {
        isEscaped = true
        pos += 1 // The next unit is part of the escape, even if it is a quotation mark.
      } else if (unit > 0x7f) isAscii = false
    }
    this.pos = text.length
    return this.malformed('the end of a string')
  }

  /** Only escapes are left to the platform's parser; it refuses the same ones as RFC 8259. */
  unescape(start: number, end: number): string | typeof FAILED {
    try {
      return String(JSON.parse(this.text.slice(start - 1, end + 1)))
    } catch {
      this.pos = start
      return this.malformed('valid escapes in a string')
    }
  }

  readNumber(): number | typeof FAILED {
    const { text } = this
    const start = this.pos
    const isNegative = text.charCodeAt(start) === MINUS
    const first = isNegative ? start + 1 : start
    let pos = first
    let integer = 0
    for (; isDigit(text.charCodeAt(pos)); pos += 1) integer = integer * 10 + text.charCodeAt(pos) - ZERO
    this.pos = pos
    if (pos === first) return this.malformed('a digit')
    if (pos - first > 1 && text.charCodeAt(first) === ZERO) return this.malformed('no leading zero')
    const next = text.charCodeAt(pos)
    const isPlain = next !== POINT && next !== LOWER_E && next !== UPPER_E
    // Up to 15 digits every integer is a double of its own.
    if (isPlain && pos - first <= 15) return isNegative && integer !== 0 ? -integer : integer
    return this.readLongNumber(start)
  }

  readLongNumber(start: number): number | typeof FAILED {
    NUMBER.lastIndex = start
    const match = NUMBER.exec(this.text)
    if (!match) return this.malformed('digits after a point or exponent')
    const [numberText] = match
    this.pos = start + numberText.length
    const value = Number(numberText)
    if (!isExactNumber(numberText, value)) {
      const shown = numberText.length > 40 ? `${numberText.slice(0, 40)}…` : numberText
      return this.fail('number_not_exact', `${shown} is not what a double prints back.`)
    }
    return value === 0 ? 0 : value
  }
}

function isDigit(unit: number): boolean {
  return unit >= ZERO && unit <= NINE
}

const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![.\deE])/y
const END = -1
const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const COMMA = 0x2c
const COLON = 0x3a
const MINUS = 0x2d
const ZERO = 0x30
const NINE = 0x39
const POINT = 0x2e
const LOWER_E = 0x65
const UPPER_E = 0x45
