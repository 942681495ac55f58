/** The most an item of memory may be, whatever is configured. */
export const KEY_CHARACTERS_MOST = 120
export const PURPOSE_CHARACTERS_MOST = 200
export const WORDS_CHARACTERS_MOST = 200
/** Items in one answer of a recall. */
export const RECALLED_MOST = 50

/** What a platform allows of memory, read once at start. */
export type MemoryLimits = {
  /** No item is kept longer, whatever manifest and grant allow. */
  readonly mostDays: number
  /** Bytes of one item's content in UTF-8. */
  readonly itemBytesMost: number
  /** Items and bytes of one user; one grant may use half of each. */
  readonly itemsMost: number
  readonly bytesMost: number
}

export type MemoryUse = { readonly items: number; readonly bytes: number }

export type QuotaRefusal = 'item_too_large' | 'memory_full' | 'grant_memory_full'

/**
 * Whether one more item of so many bytes fits; undefined if it does. One agent must not be able to take all the room
 * there is, so a grant has half of it.
 *
 * @param replaced what it takes the place of in the same grant, which counts no more.
 */
export function checkQuota(
  limits: MemoryLimits,
  sizeBytes: number,
  ofUser: MemoryUse,
  ofGrant: MemoryUse,
  replaced: MemoryUse = { items: 0, bytes: 0 },
): QuotaRefusal | undefined {
  if (sizeBytes > limits.itemBytesMost) return 'item_too_large'
  const exceeds = (use: MemoryUse, items: number, bytes: number) =>
    use.items - replaced.items + 1 > items || use.bytes - replaced.bytes + sizeBytes > bytes
  const { itemsMost, bytesMost } = limits
  if (exceeds(ofUser, itemsMost, bytesMost)) return 'memory_full'
  return exceeds(ofGrant, Math.ceil(itemsMost / 2), Math.ceil(bytesMost / 2))
    ? 'grant_memory_full'
    : undefined
}
