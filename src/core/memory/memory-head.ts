import { z } from 'zod'
import { KEY_CHARACTERS_MOST, PURPOSE_CHARACTERS_MOST } from './memory-limits.ts'
import { LIMITED_BY } from './retention.ts'

/** What an item says of itself besides its content. It is sealed: the store sees ids, class, size and times only. */
export const memoryHeadShape = z.strictObject({
  /** The name it is found by; null for an item that has none. */
  key: z.string().max(KEY_CHARACTERS_MOST).nullable(),
  /** The data category it is of. */
  category: z.string().max(48),
  /** What the agent says it is kept for. */
  purpose: z.string().max(PURPOSE_CHARACTERS_MOST),
  /** The action it came of; null for what no action brought. */
  originActionId: z.string().max(64).nullable(),
  limitedBy: z.enum(LIMITED_BY),
  /** Whether its session had read a stranger's words by then. */
  untrusted: z.boolean(),
  /** Every category its session had read by then, any of which its words may carry. */
  categories: z.array(z.string().max(48)).max(256),
  /** What the same idempotency key has to ask for again. */
  requestDigest: z.string().max(64),
})
export type MemoryHead = z.infer<typeof memoryHeadShape>
