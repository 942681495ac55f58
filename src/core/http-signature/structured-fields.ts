/** What of RFC 8941 signatures need: dictionaries of items and inner lists with parameters. Strict; nothing is guessed. */

export type BareItem = string | number | boolean | Uint8Array | { readonly token: string }
export type Parameters = ReadonlyMap<string, BareItem>
export type Item = { readonly value: BareItem; readonly parameters: Parameters }
export type InnerList = { readonly value: readonly Item[]; readonly parameters: Parameters }
export type Dictionary = ReadonlyMap<string, Item | InnerList>

/** Longer than any signature of ours by far; parsing stops here. */
const MOST_CHARACTERS = 8_192
const MOST_MEMBERS = 32

const KEY = /[a-z*][a-z0-9_\-.*]*/y
const INTEGER = /-?\d{1,15}(?![\d.])/y
const STRING = /"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"/y
const BYTES = /:([A-Za-z0-9+/]*={0,2}):/y
const BOOLEAN = /\?([01])/y
const TOKEN = /[A-Za-z*][A-Za-z0-9!#$%&'*+\-.^_`|~:/]*/y

/** Parses a dictionary; undefined for anything that is not one, has a key twice, or is too long. */
export function parseDictionary(text: string): Dictionary | undefined {
  if (text.length > MOST_CHARACTERS) return undefined
  const reader = { text, at: 0 }
  const members = new Map<string, Item | InnerList>()
  skip(reader, / */y)
  while (reader.at < text.length) {
    const key = take(reader, KEY)?.[0]
    // A member given twice means two things to two readers, so it means nothing here.
    if (key === undefined || members.has(key) || members.size >= MOST_MEMBERS) return undefined
    const member = eat(reader, '=') ? parseMember(reader) : withParameters(reader, true)
    if (!member) return undefined
    members.set(key, member)
    skip(reader, /[ \t]*/y)
    if (reader.at === text.length) return members
    if (!eat(reader, ',')) return undefined
    skip(reader, /[ \t]*/y)
    if (reader.at === text.length) return undefined
  }
  return members
}

/** Spells an inner list with its parameters in the one way there is (RFC 8941 section 4.1.1.1). */
export function serializeInnerList({ value, parameters }: InnerList): string {
  return `(${value.map(serializeItem).join(' ')})${serializeParameters(parameters)}`
}

export function serializeItem({ value, parameters }: Item): string {
  return `${serializeBare(value)}${serializeParameters(parameters)}`
}

/**
 * @throws RangeError for a text with characters a structured string cannot have; a defect of ours, since what was
 * received has been parsed.
 */
function serializeBare(value: BareItem): string {
  if (typeof value === 'number') return String(value)
  if (typeof value === 'boolean') return value ? '?1' : '?0'
  if (value instanceof Uint8Array) return `:${Buffer.from(value).toString('base64')}:`
  if (typeof value === 'object') return value.token
  if (!/^[\x20-\x7e]*$/.test(value)) throw new RangeError('a structured string is ASCII')
  return `"${value.replace(/["\\]/g, (odd) => `\\${odd}`)}"`
}

function serializeParameters(parameters: Parameters): string {
  return [...parameters]
    .map(([name, value]) => (value === true ? `;${name}` : `;${name}=${serializeBare(value)}`))
    .join('')
}

type Reader = { readonly text: string; at: number }

function take(reader: Reader, pattern: RegExp): RegExpExecArray | undefined {
  pattern.lastIndex = reader.at
  const found = pattern.exec(reader.text)
  if (!found) return undefined
  reader.at = pattern.lastIndex
  return found
}

function skip(reader: Reader, pattern: RegExp): void {
  take(reader, pattern)
}

function eat(reader: Reader, character: string): boolean {
  if (reader.text[reader.at] !== character) return false
  reader.at += 1
  return true
}

function parseMember(reader: Reader): Item | InnerList | undefined {
  if (!eat(reader, '(')) return parseItem(reader)
  const items: Item[] = []
  for (;;) {
    skip(reader, / */y)
    if (eat(reader, ')')) break
    if (items.length >= MOST_MEMBERS) return undefined
    const item = parseItem(reader)
    if (!item) return undefined
    items.push(item)
    const next = reader.text[reader.at]
    if (next !== ' ' && next !== ')') return undefined
  }
  const parameters = parseParameters(reader)
  return parameters && { value: items, parameters }
}

function parseItem(reader: Reader): Item | undefined {
  const value = parseBare(reader)
  return value === undefined ? undefined : withParameters(reader, value)
}

function withParameters(reader: Reader, value: BareItem): Item | undefined {
  const parameters = parseParameters(reader)
  return parameters && { value, parameters }
}

function parseParameters(reader: Reader): Parameters | undefined {
  const parameters = new Map<string, BareItem>()
  while (eat(reader, ';')) {
    skip(reader, / */y)
    const name = take(reader, KEY)?.[0]
    if (name === undefined || parameters.has(name) || parameters.size >= MOST_MEMBERS) return undefined
    const value = eat(reader, '=') ? parseBare(reader) : true
    if (value === undefined) return undefined
    parameters.set(name, value)
  }
  return parameters
}

function parseBare(reader: Reader): BareItem | undefined {
  switch (reader.text[reader.at]) {
    case '"':
      return take(reader, STRING)?.[1]?.replace(/\\(["\\])/g, '$1')
    case ':': {
      const encoded = take(reader, BYTES)?.[1]
      if (encoded === undefined) return undefined
      const bytes = Buffer.from(encoded, 'base64')
      return bytes.toString('base64') === encoded ? bytes : undefined
    }
    case '?': {
      const bit = take(reader, BOOLEAN)?.[1]
      return bit === undefined ? undefined : bit === '1'
    }
    default: {
      const integer = take(reader, INTEGER)?.[0]
      if (integer !== undefined) return Number(integer)
      const token = take(reader, TOKEN)?.[0]
      return token === undefined ? undefined : { token }
    }
  }
}
