import { isJsonObject, type JsonObject, type JsonValue, ownMember } from '../core/json-value.ts'

/** What the bytes of an event stream begin with; see `firstEvent`. */
export type FirstEvent =
  | { readonly kind: 'unfinished' }
  /** The first event is a JSON-RPC response: all there is to know. */
  | { readonly kind: 'response'; readonly message: JsonObject }
  /** Something else comes first, such as progress: read as the stream it is. */
  | { readonly kind: 'other' }

/**
 * Looks whether a stream of server-sent events begins with the one JSON-RPC response that it was opened for, as the
 * answers of most tools do. Then nobody needs to read it as a stream.
 */
export function firstEvent(chunks: readonly Buffer[]): FirstEvent {
  const text = (chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))?.toString('utf8') ?? ''
  const end = /\r?\n\r?\n/.exec(text)
  if (!end) return { kind: 'unfinished' }
  let data = ''
  for (const line of text.slice(0, end.index).split(/\r?\n/)) {
    if (line.startsWith('data:')) data += `${data === '' ? '' : '\n'}${line.slice(line[5] === ' ' ? 6 : 5)}`
    else if (line.startsWith('event:') && line.slice(6).trim() !== 'message') return { kind: 'other' }
  }
  const message = parsed(data)
  const isResponse =
    isJsonObject(message) &&
    ownMember(message, 'method') === undefined &&
    (ownMember(message, 'result') !== undefined || ownMember(message, 'error') !== undefined)
  return isResponse ? { kind: 'response', message } : { kind: 'other' }
}

function parsed(data: string): JsonValue | undefined {
  try {
    return JSON.parse(data) as JsonValue
  } catch {
    return undefined
  }
}
