import type { JsonValue } from '../core/json-value.ts'
import type { LeafContent } from '../core/log/leaf.ts'

/** What became of an erasure. Codes are stable. */
export type ErasureEvent = 'requested' | 'cancelled' | 'delayed' | 'begun' | 'recorded' | 'done'

/**
 * The leaf of one event of an erasure. From `begun` on it names nobody: what it says outlives the person's keys, and only
 * the erasure's own row leads from it to an id.
 */
export function erasureLeaf(
  outcome: ErasureEvent,
  reason: string,
  core: Readonly<Record<string, JsonValue>>,
  subj?: JsonValue,
): LeafContent {
  return { type: 'erasure', outcome, reason, core, ...(subj === undefined ? {} : { subj }) }
}
