import { randomFillSync } from 'node:crypto'
import { type IdKind, idOf } from '../core/ids.ts'

const ID_BYTES = 16
/** Random bytes are asked for in blocks: one at a time costs more than the rest of an id. */
const BLOCK_BYTES = 4096
const PER_SECOND = 4096

/**
 * Makes ids, each with 128 random bits behind its order. An event's order is its second and a count, because a
 * leaf tells its time to the second and no closer; everything else is ordered by the millisecond.
 */
export function createIds(nowMs: () => number): (kind: IdKind) => string {
  const block = Buffer.alloc(BLOCK_BYTES)
  let used = BLOCK_BYTES
  let lastEvent = 0
  return (kind) => {
    if (used === BLOCK_BYTES) {
      randomFillSync(block)
      used = 0
    }
    const random = block.subarray(used, used + ID_BYTES)
    used += ID_BYTES
    const atMs = nowMs()
    if (kind !== 'event') return idOf(kind, atMs, random)
    lastEvent = Math.max(lastEvent + 1, Math.floor(atMs / 1000) * PER_SECOND)
    return idOf(kind, lastEvent, random)
  }
}
