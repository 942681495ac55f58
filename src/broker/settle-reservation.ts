import type { Amount } from '../core/decision/amount-of.ts'
import type { ActionRow } from '../ports/rows.ts'
import { authorityStands } from './authority-stands.ts'
import type { Broker } from './broker.ts'
import { isOverdue } from './reserve-action.ts'
import { type ActionOutcome, settleAction } from './settle-action.ts'

/** Why a reservation is given back; all of it is released. */
export const RELEASE_REASONS = ['not_done', 'failed', 'refused'] as const

/** What an enforcement point says became of what it was permitted. */
export type Report =
  /** It was done. @param charged what it took; null where that is not known, and then all that was reserved counts. */
  { kind: 'done'; charged: Amount | null } | { kind: 'released'; reason: (typeof RELEASE_REASONS)[number] }

export type ReservationReported =
  | { kind: 'settled'; row: ActionRow; replayed: boolean }
  /** There is none, or it is another enforcement point's. */
  | { kind: 'not_found' }
  /** An amount was reported for what was never said to spend. */
  | { kind: 'spends_nothing' }
  /** It was settled before, and not in this way. */
  | { kind: 'settled_otherwise'; row: ActionRow }
  /** The time to report has passed: it is in doubt, and an operator settles it (P11). */
  | { kind: 'too_late'; row: ActionRow }

/** Finds a reservation of this enforcement point; another's is as unknown as none. */
export async function findReservation(
  broker: Broker,
  pointId: string,
  reservationId: string,
): Promise<ActionRow | undefined> {
  const row = await broker.store.read(async (tx) => tx.actions.find(reservationId))
  return row?.nodeId === pointId ? row : undefined
}

/** Whether what permitted a reservation stands, so that it may still be carried out. */
export function reservationStands(broker: Broker, row: ActionRow): Promise<boolean> {
  return broker.store.read(async (tx) => inTime(row, tx.nowMs) && (await authorityStands(tx, row)))
}

/**
 * Settles a reservation by what its enforcement point reports, by the rules of the ledger and once. The same report
 * again is answered as the first was.
 */
export async function settleReservation(
  broker: Broker,
  pointId: string,
  reservationId: string,
  report: Report,
): Promise<ReservationReported> {
  const found = await findReservation(broker, pointId, reservationId)
  if (!found) return { kind: 'not_found' }
  if (report.kind === 'done' && report.charged !== null && found.currency === null)
    return { kind: 'spends_nothing' }
  const { kind, row } = await settleAction(broker, found, null, outcomeOf(report, pointId), inTime)
  if (kind === 'settled') return { kind, row, replayed: false }
  if (row.status === 'dispatched' || row.status === 'in_doubt') return { kind: 'too_late', row }
  return isSame(report, row, pointId)
    ? { kind: 'settled', row, replayed: true }
    : { kind: 'settled_otherwise', row }
}

function inTime(row: ActionRow, nowMs: number): boolean {
  return row.status === 'dispatched' && !isOverdue(row, nowMs)
}

function outcomeOf(report: Report, pointId: string): ActionOutcome {
  const by = { by: 'enforcement_point', pointId } as const
  return report.kind === 'done'
    ? { kind: 'succeeded', result: null, charged: report.charged, by }
    : { kind: 'failed', code: report.reason, by }
}

/** Whether a settled row is what this report would have made of it. */
function isSame(report: Report, row: ActionRow, pointId: string): boolean {
  if (row.settledBy !== pointId) return false
  if (report.kind === 'released') return row.status === 'failed' && row.reason === report.reason
  if (row.status !== 'succeeded') return false
  const { charged } = report
  if (charged === null) return row.overrunMinor === 0 && row.capturedMinor === (row.reservedMinor ?? 0)
  return row.currency === charged.currency && row.capturedMinor + row.overrunMinor === charged.amountMinor
}
