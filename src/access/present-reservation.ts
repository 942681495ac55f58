import { z } from 'zod'
import type { Reserved } from '../broker/reserve-action.ts'
import type { RefusalCode } from '../core/decision/decision.ts'
import { amountShape } from '../http/action-answer.ts'
import { timeMs } from '../http/path-id.ts'
import { publicFacts, publicReason } from '../http/problem.ts'
import { approvalUrlOf } from '../http/wait-query.ts'
import { ACTION_STATUSES, type ActionRow } from '../ports/rows.ts'

export const reservationShape = z.strictObject({
  id: z.string(),
  status: z.enum(['reserved', ...ACTION_STATUSES]),
  /** By when it has to be reported; null once it is settled or in doubt. */
  reportByMs: timeMs.nullable(),
  amount: amountShape.nullable(),
})

export const reservedShape = z.strictObject({
  decision: z.boolean(),
  reservation: reservationShape.optional(),
  context: z.looseObject({ reason: z.string() }).optional(),
  promises: z.array(z.string()).optional().meta({
    description: "The log's signed promises to include the leaves behind this answer, compact JWS.",
  }),
})

export function presentReservation(row: ActionRow): z.input<typeof reservationShape> {
  const status = ACTION_STATUSES.find((known) => known === row.status) ?? 'in_doubt'
  return {
    id: row.id,
    status: status === 'dispatched' ? 'reserved' : status,
    reportByMs: status === 'dispatched' ? row.nextCheckAtMs : null,
    amount:
      row.currency === null
        ? null
        : {
            currency: row.currency,
            reservedMinor: row.reservedMinor,
            heldMinor: row.heldMinor,
            capturedMinor: row.capturedMinor,
            overrunMinor: row.overrunMinor,
          },
  }
}

/** Tells an enforcement point what came of its request; a refusal says no more than the agent would be told. */
export function presentReserved(
  reserved: Exclude<Reserved, { kind: 'key_conflict' }>,
  promises: readonly string[],
  issuer: string,
): z.input<typeof reservedShape> {
  const owed = promises.length > 0 ? { promises: [...promises] } : {}
  const denied = (context: { reason: string; [name: string]: unknown }) => ({
    decision: false,
    context,
    ...owed,
  })
  switch (reserved.kind) {
    case 'reserved':
      return { decision: true, reservation: presentReservation(reserved.row), ...owed }
    case 'ask':
      return denied({
        reason: 'approval_required',
        questions: [...reserved.questions],
        approvalId: reserved.approval.id,
        approvalUrl: approvalUrlOf(issuer, reserved.approval.id),
        expiresAtMs: reserved.approval.expiresAtMs,
      })
    case 'denied':
      return denied({ reason: publicReason(reserved.refusal.code), ...publicFacts(reserved.refusal) })
    case 'refused_before':
      return denied({ reason: reasonOf(reserved.row), newKeyNeeded: true })
    case 'overtaken':
      return { ...denied({ reason: 'overtaken' }), reservation: presentReservation(reserved.row) }
    case 'used':
      return { ...denied({ reason: 'key_used' }), reservation: presentReservation(reserved.row) }
    case 'invalid':
      return denied({ reason: 'invalid_arguments', faults: reserved.faults })
  }
}

/** A stored reason; one that an older version wrote and nobody knows any more tells nothing. */
function reasonOf(row: ActionRow): string {
  return publicReason(row.reason as RefusalCode) ?? 'decision_failed'
}
