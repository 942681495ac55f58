import { LRUCache } from 'lru-cache'
import { createRateLimit } from '../http/rate-limit.ts'

export type FetchDocument = (url: string) => Promise<Response>

/** Documents of one host that are fetched a minute: strangers choose the host. */
const FETCHES = { perMinute: 30, burst: 10, keysMost: 5_000 }
/** How long a document that could not be had is not asked for again, in milliseconds. */
const FAILED_MS = 30_000
const FAILURES_MOST = 5_000

/**
 * Fetches what clients publish, so that nobody can make us flood a host: so many documents of one host a minute, and
 * none again at once that has just failed.
 *
 * @returns a function that rejects where nothing was fetched.
 */
export function politeFetch(fetchDocument: FetchDocument, monotonicMs: () => number): FetchDocument {
  const fetches = createRateLimit(FETCHES)
  const failedAtMs = new LRUCache<string, number>({ max: FAILURES_MOST })
  return async (url) => {
    const failedMs = failedAtMs.get(url)
    if (failedMs !== undefined && monotonicMs() - failedMs < FAILED_MS) throw new Error('failed a moment ago')
    if (fetches.take(new URL(url).host, monotonicMs()) > 0) throw new Error('fetched too often')
    try {
      const response = await fetchDocument(url)
      if (!response.ok) failedAtMs.set(url, monotonicMs())
      return response
    } catch (error) {
      failedAtMs.set(url, monotonicMs())
      throw error
    }
  }
}
