/**
 * Remembers token ids until they expire. A skill on several machines shares one, for instance a table with the
 * token id as its primary key.
 */
export interface ReplayStore {
  /** True when the id was not known before; false for a replay. Throws when it cannot tell. */
  remember(tokenId: string, expiresAtMs: number): Promise<boolean> | boolean
}

/**
 * A replay store for a skill that is one process. When it is full of ids that have not expired it throws, so that
 * the call is refused: forgetting one would let its token be replayed.
 */
export function createMemoryReplayStore(
  options: { maxEntries?: number; now?: () => number } = {},
): ReplayStore {
  const maxEntries = options.maxEntries ?? 100_000
  const now = options.now ?? Date.now
  const expiryOf = new Map<string, number>()

  function forgetExpired(nowMs: number): void {
    for (const [tokenId, expiresAtMs] of expiryOf) if (expiresAtMs <= nowMs) expiryOf.delete(tokenId)
  }

  return {
    remember(tokenId, expiresAtMs) {
      if (expiryOf.has(tokenId)) return false
      if (expiryOf.size >= maxEntries) forgetExpired(now())
      if (expiryOf.size >= maxEntries) throw new Error('replay store is full')
      expiryOf.set(tokenId, expiresAtMs)
      return true
    },
  }
}
