import type { Broker } from './broker.ts'
import { destroyItems } from './destroy-memory.ts'

/** How long an item that has ended may still have its key, in milliseconds: the pause between two sweeps. */
export const MEMORY_SWEEP_PAUSE_MS = 15_000
const AT_ONCE = 1_000

/**
 * Destroys what has expired or ended, the longest due first, until nothing is due: keys, then rows. A crash at any point
 * loses nothing, since what still has a row is still due. Users whose data is held for a dispute are left alone: what
 * they had expired stays unreadable, and goes when the hold does.
 *
 * @returns how many items went.
 */
export async function sweepExpiredMemory(broker: Broker): Promise<number> {
  await endWithSessions(broker)
  let total = 0
  for (;;) {
    const due = await broker.store.read(async (tx) => tx.memoryItems.due(tx.nowMs, AT_ONCE))
    total += await destroyItems(broker, due)
    if (due.length < AT_ONCE) return total
  }
}

/** What was kept for a session ends when its tokens were taken back; otherwise by its own time. */
async function endWithSessions(broker: Broker): Promise<void> {
  for (;;) {
    const items = await broker.store.read(async (tx) => tx.memoryItems.ofEndedSessions(AT_ONCE))
    for (const [userId, own] of Map.groupBy(items, (item) => item.userId)) {
      await broker.store.transaction(
        async (tx) => {
          for (const { id } of own) await tx.memoryItems.end(userId, id, 'session', tx.nowMs)
        },
        { userId },
      )
    }
    if (items.length < AT_ONCE) return
  }
}
