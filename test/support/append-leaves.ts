import type { Broker } from '../../src/broker/broker.ts'
import { sealerFor } from '../../src/broker/leaf-sealer.ts'

/** Puts leaves into the log that say nothing. Returns their event ids. */
export async function appendLeaves(broker: Broker, count: number): Promise<string[]> {
  const seal = await sealerFor(broker, { userId: '', skillId: '' })
  return broker.store.transaction(async (tx) => {
    const eventIds: string[] = []
    for (let i = 0; i < count; i += 1) {
      const leaf = seal({ type: 'counted', outcome: 'counted', reason: 'test' }, tx.nowMs)
      await tx.log.append(leaf, tx.nowMs)
      eventIds.push(leaf.eventId)
    }
    return eventIds
  })
}
