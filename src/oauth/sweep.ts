import type { Broker } from '../broker/broker.ts'

const UNCONNECTED_MS = 86_400_000
/** Removed in one unit of work, so that nothing else waits long behind it. */
const AT_ONCE = 500

/**
 * Removes what has expired and clients that nobody connected within a day. Bounded; what is left is for the next run.
 *
 * @returns how much was removed.
 */
export function sweepOauth(broker: Broker): Promise<number> {
  return broker.store.transaction(async (tx) => {
    const records = await tx.oauthRecords.expired(tx.nowMs, AT_ONCE)
    for (const ref of records) await tx.oauthRecords.remove(ref)
    const clients = await tx.oauthClients.unconnected(tx.nowMs - UNCONNECTED_MS, AT_ONCE)
    for (const { id } of clients) await tx.oauthClients.remove(id)
    return records.length + clients.length
  })
}
