/** Waits; ends early, without a fault, when the signal does. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal?.addEventListener('abort', done, { once: true })
  })
}

export type Pause = typeof pause

/** What `Retry-After` asks for in milliseconds (RFC 9110 section 10.2.3); null where it asks for nothing readable. */
export function retryAfterMs(headers: Headers, nowMs: number): number | null {
  const text = headers.get('retry-after')?.trim() ?? ''
  if (/^\d{1,7}$/.test(text)) return Number(text) * 1000
  // Anything is a date to somebody; in HTTP one begins with the name of its day.
  const atMs = /^[A-Z][a-z]{2}, /.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - nowMs)
}

/** How long before the next try: doubling, and spread so that many who failed together do not come back together. */
export function backoffMs(tries: number, random: () => number, mostMs = 8_000): number {
  return Math.min(mostMs, 200 * 2 ** (tries - 1)) * (0.5 + random() / 2)
}
