import type { Broker } from './broker.ts'
import { sealerFor } from './leaf-sealer.ts'

/**
 * Puts what was only counted since the last time into one leaf: equal refusals, malformed input, failed
 * authentication, rate limits, dry runs. Nothing counted, no leaf. Returns whether there was anything.
 */
export async function flushCounts(broker: Broker): Promise<boolean> {
  const seal = await sealerFor(broker, { userId: '', skillId: '' })
  const counts = broker.recentRefusals.take()
  if (Object.keys(counts).length === 0) return false
  try {
    await broker.store.transaction(async (tx) => {
      const leaf = seal({ type: 'counted', outcome: 'counted', reason: 'summed', core: counts }, tx.nowMs)
      await tx.log.append(leaf, tx.nowMs)
    })
  } catch (error) {
    // What could not be written is counted again, for the next leaf.
    for (const [what, times] of Object.entries(counts))
      for (let i = 0; i < times; i += 1) broker.recentRefusals.count(what)
    throw error
  }
  return true
}
