import { type InnerList, serializeInnerList, serializeItem } from './structured-fields.ts'

/** A message whose parts a signature covers. Header names are lower case; a field sent several times has several values. */
export type SignedMessage = {
  readonly method: string
  /** Absolute, as the signer addressed it. */
  readonly targetUri: string
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** Of a response only. */
  readonly status?: number
}

/**
 * The bytes that are signed (RFC 9421 section 2.5), or undefined where a covered component is not in the message, is
 * named twice, or has parameters, which are not supported here.
 */
export function signatureBase(message: SignedMessage, input: InnerList): string | undefined {
  const lines: string[] = []
  const seen = new Set<string>()
  for (const item of input.value) {
    if (typeof item.value !== 'string' || item.parameters.size > 0) return undefined
    const name = serializeItem(item)
    const value = componentValue(message, item.value)
    if (value === undefined || seen.has(name)) return undefined
    seen.add(name)
    lines.push(`${name}: ${value}`)
  }
  lines.push(`"@signature-params": ${serializeInnerList(input)}`)
  return lines.join('\n')
}

function componentValue(message: SignedMessage, name: string): string | undefined {
  if (!name.startsWith('@')) return fieldValue(message.headers[name])
  if (name === '@status') return message.status === undefined ? undefined : String(message.status)
  if (message.status !== undefined || !URL.canParse(message.targetUri)) return undefined
  const url = new URL(message.targetUri)
  switch (name) {
    case '@method':
      return message.method
    case '@target-uri':
      return url.href
    case '@authority':
      return url.host
    case '@scheme':
      return url.protocol.slice(0, -1)
    case '@request-target':
      return `${url.pathname}${url.search}`
    case '@path':
      return url.pathname
    case '@query':
      return url.search === '' ? '?' : url.search
    default:
      return undefined
  }
}

/** RFC 9421 section 2.1: each value without surrounding space, folded lines made one, joined by a comma and a space. */
function fieldValue(value: string | readonly string[] | undefined): string | undefined {
  if (value === undefined) return undefined
  const values = typeof value === 'string' ? [value] : value
  return values.map((one) => one.replace(/[ \t]*\r\n[ \t]+/g, ' ').trim()).join(', ')
}
