import type { Enforcement } from '../core/decision/decision.ts'
import type { ActionRow } from '../ports/rows.ts'
import { authorityStands } from './authority-stands.ts'
import { type Authorization, authorizeAction } from './authorize-action.ts'
import type { Broker } from './broker.ts'
import type { AskedAction } from './load-facts.ts'

/** What somebody who carries actions out by themselves asks for. */
export type ReserveRequest = AskedAction & { idempotencyKey: string; enforcement: Enforcement }

export type Reserved =
  | Extract<Authorization, { kind: 'invalid' | 'key_conflict' | 'denied' | 'ask' }>
  /** Permitted, durable and handed over: whoever asked may do it now, once. */
  | { kind: 'reserved'; row: ActionRow; replayed: boolean }
  /** Reserved before under this key, and the authority has been taken back since: it must not be done. */
  | { kind: 'overtaken'; row: ActionRow }
  /** The key has had its permit, and what became of that is settled or in doubt: it is not given again. */
  | { kind: 'used'; row: ActionRow }
  /** The key was refused before, and stays refused. */
  | { kind: 'refused_before'; row: ActionRow }

/**
 * Decides as authorizeAction does, with the same leaf and the same reservation, and hands the permit to whoever asked
 * instead of calling the skill. The same key again answers the same permit for as long as it is not settled and its
 * authority stands (P4).
 *
 * With `reportWithinMs` the permit is settled by what is reported (settle-reservation.ts), and is in doubt once the time
 * is over. Without it the outcome is never known: the permit counts as taken at once, spending is refused, and the
 * same key is not answered with a permit again.
 *
 * @throws (rejects) StoreUnavailable as authorizeAction does.
 */
export async function reserveAction(broker: Broker, asked: ReserveRequest): Promise<Reserved> {
  const authorization = await authorizeAction(broker, asked)
  switch (authorization.kind) {
    case 'permit':
      return { kind: 'reserved', row: authorization.permit.row, replayed: false }
    case 'remembered':
      return remembered(broker, authorization.row)
    default:
      return authorization
  }
}

async function remembered(broker: Broker, row: ActionRow): Promise<Reserved> {
  if (row.status === 'refused') return { kind: 'refused_before', row }
  if (row.status !== 'dispatched') return { kind: 'used', row }
  const { stands, nowMs } = await broker.store.read(async (tx) => ({
    stands: await authorityStands(tx, row),
    nowMs: tx.nowMs,
  }))
  if (!stands) return { kind: 'overtaken', row }
  return isOverdue(row, nowMs) ? { kind: 'used', row } : { kind: 'reserved', row, replayed: true }
}

/** Whether the time in which a reservation is to be reported has passed. */
export function isOverdue(row: ActionRow, nowMs: number): boolean {
  return row.nextCheckAtMs !== null && nowMs >= row.nextCheckAtMs
}
