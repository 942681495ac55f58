import type { JsonObject } from '../core/json-value.ts'
import type { LeafContent } from '../core/log/leaf.ts'

export type MemoryOutcome = 'remembered' | 'forgotten' | 'destroyed'

/**
 * The leaf of what became of items of memory. Neither leaf nor parts hold a word of an item, nor a digest that a guess
 * could be held against: a part is kept longer than an item may be.
 */
export function memoryLeaf(
  outcome: MemoryOutcome,
  reason: string,
  core: JsonObject,
  subj: JsonObject,
): LeafContent {
  return { type: 'memory', outcome, reason, core, subj }
}
