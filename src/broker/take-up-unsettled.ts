import type { Broker } from './broker.ts'
import { settleAction } from './settle-action.ts'

/**
 * At start: whatever was permitted and not settled when the process ended is in doubt, sent or not, and is
 * asked about at once. Returns how many there were.
 */
export async function takeUpUnsettled(broker: Broker): Promise<number> {
  const unsettled = await broker.store.read(async (tx) => tx.actions.unsettled(null))
  const dispatched = unsettled.filter((row) => row.status === 'dispatched' && !broker.inFlight.has(row.id))
  for (const row of dispatched) {
    await settleAction(broker, row, null, {
      kind: 'in_doubt',
      reason: 'restarted',
      nextCheckAtMs: broker.store.now().nowMs,
    })
  }
  return dispatched.length
}
