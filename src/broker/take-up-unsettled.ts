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

/**
 * While running: what could not be settled because the store failed is in doubt as after a restart. Without this its
 * key would be answered with "in flight" and its money held until there is one. What fails again is tried again.
 */
export async function takeUpLost(broker: Broker): Promise<void> {
  const lost = broker.inFlight.takeLost()
  await Promise.allSettled(lost.map((id) => broker.inFlight.track(id, putInDoubt(broker, id))))
}

async function putInDoubt(broker: Broker, actionId: string): Promise<void> {
  const row = await broker.store.read(async (tx) => tx.actions.find(actionId))
  if (row?.status !== 'dispatched') return
  const { nowMs } = broker.store.now()
  await settleAction(broker, row, null, { kind: 'in_doubt', reason: 'broker_failed', nextCheckAtMs: nowMs })
}
