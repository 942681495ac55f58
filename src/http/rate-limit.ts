import { LRUCache } from 'lru-cache'

export type RateLimitOptions = {
  /** Requests a minute in the long run. */
  readonly perMinute: number
  /** Requests at once after a pause. */
  readonly burst: number
  /** Callers remembered; the ones unseen for longest are forgotten first. */
  readonly keysMost: number
}

export type RateLimit = {
  /** Takes one request; returns 0, or how many seconds to wait. @param nowMs of a clock that never steps. */
  take(key: string, nowMs: number): number
}

/** A token bucket for each caller. One object a caller, changed in place: nothing is allocated per request. */
export function createRateLimit({ perMinute, burst, keysMost }: RateLimitOptions): RateLimit {
  const perMs = perMinute / 60_000
  const buckets = new LRUCache<string, { tokens: number; atMs: number }>({ max: keysMost })
  return {
    take(key, nowMs) {
      const bucket = buckets.get(key)
      if (!bucket) {
        buckets.set(key, { tokens: burst - 1, atMs: nowMs })
        return 0
      }
      bucket.tokens = Math.min(burst, bucket.tokens + (nowMs - bucket.atMs) * perMs)
      bucket.atMs = nowMs
      if (bucket.tokens >= 1) {
        bucket.tokens -= 1
        return 0
      }
      return Math.ceil((1 - bucket.tokens) / perMs / 1000)
    },
  }
}

/** An IPv6 host owns a /64: counted by address, one machine would be 2^64 callers. */
export function addressKey(address: string): string {
  if (!address.includes(':')) return address
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped?.[1]) return mapped[1]
  const [head = '', tail] = address.toLowerCase().split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const missing = Math.max(0, 8 - before.length - after.length)
  const groups = [...before, ...Array<string>(missing).fill('0'), ...after]
  return groups.slice(0, 4).join(':')
}
