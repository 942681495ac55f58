import type { Broker } from './broker.ts'
import { isOverdue } from './reserve-action.ts'
import { settleAction } from './settle-action.ts'

/** Looks at this many reservations at a time. */
const BATCH = 50

/**
 * Puts in doubt what enforcement points did not report in time: it may have been done. It keeps counting, and from then
 * on an operator settles it (P11). Returns how many there were.
 */
export async function doubtUnreported(broker: Broker): Promise<number> {
  const overdue = await broker.store.read(async (tx) => tx.actions.overdue(tx.nowMs, BATCH))
  for (const row of overdue) {
    const doubt = { kind: 'in_doubt', reason: 'not_reported', nextCheckAtMs: null } as const
    await settleAction(
      broker,
      row,
      null,
      doubt,
      (now, nowMs) => now.status === 'dispatched' && isOverdue(now, nowMs),
    )
  }
  return overdue.length
}
