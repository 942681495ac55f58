import type { RequestSource } from './load-client.ts'

/** What of a request differs from caller to caller, as bytes. */
export type CallerBytes = { readonly bytes: Buffer; readonly keyAt: number }

const KEY_DIGITS = 12
const KEY_PLACE = '0'.repeat(KEY_DIGITS)

/** Everything of a request after its `Host`, with room for an idempotency key. */
export function callerBytes(token: string, body: string): CallerBytes {
  const bytes = Buffer.from(
    [
      `authorization: Bearer ${token}`,
      'content-type: application/json',
      `content-length: ${Buffer.byteLength(body)}`,
      `idempotency-key: bench-${KEY_PLACE}`,
      '',
      body,
    ].join('\r\n'),
  )
  return { bytes, keyAt: bytes.indexOf(KEY_PLACE) }
}

/** Idempotency keys that are used once, whatever sources take them. */
export function keyCounter(): () => number {
  let used = 0
  return () => {
    used += 1
    return used
  }
}

/**
 * Makes requests for one address from prepared bytes: a copy and twelve digits each.
 *
 * @param pick says whose turn it is, as an index of `callers`.
 */
export function requestSource(
  target: { readonly port: number; readonly path: string },
  callers: readonly CallerBytes[],
  pick: () => number,
  nextKey: () => number,
): RequestSource {
  const start = Buffer.from(`POST ${target.path} HTTP/1.1\r\nhost: 127.0.0.1:${target.port}\r\n`)
  return (into) => {
    const caller = callers[pick()]
    if (caller === undefined) throw new RangeError('nobody is there to ask')
    start.copy(into)
    caller.bytes.copy(into, start.length)
    let rest = nextKey()
    for (let at = start.length + caller.keyAt + KEY_DIGITS - 1; rest > 0; at -= 1) {
      into[at] = 0x30 + (rest % 10)
      rest = Math.floor(rest / 10)
    }
    return start.length + caller.bytes.length
  }
}
