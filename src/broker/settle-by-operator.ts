import type { ActionRow } from '../ports/rows.ts'
import type { Broker } from './broker.ts'
import { type OperatorAct, type ReasonRefused, refuseReason } from './operator-act.ts'
import { settleAction } from './settle-action.ts'

/** What an operator found out about an execution in doubt, with a reason that becomes part of the log. */
export type OperatorSettlement = OperatorAct & {
  actionId: string
  outcome: { kind: 'captured'; amountMinor: number | null } | { kind: 'released' }
}

export type OperatorSettled =
  | ReasonRefused
  | { kind: 'settled'; row: ActionRow }
  | { kind: 'not_found' }
  | { kind: 'not_in_doubt'; row: ActionRow }

/** Settles by hand what neither the skill nor its receipts could; only what is in doubt, and only once. */
export async function settleByOperator(
  broker: Broker,
  settlement: OperatorSettlement,
): Promise<OperatorSettled> {
  const { actionId, operatorId, reason, outcome } = settlement
  const refused = refuseReason(settlement)
  if (refused) return refused
  const row = await broker.store.read(async (tx) => tx.actions.find(actionId))
  if (!row) return { kind: 'not_found' }
  if (row.status !== 'in_doubt') return { kind: 'not_in_doubt', row }
  const by = { by: 'operator', operatorId, reason } as const
  const { kind, row: after } = await settleAction(
    broker,
    row,
    null,
    outcome.kind === 'released'
      ? { kind: 'failed', code: 'released_by_operator', by }
      : {
          kind: 'succeeded',
          result: null,
          charged:
            outcome.amountMinor !== null && row.currency !== null
              ? { amountMinor: outcome.amountMinor, currency: row.currency }
              : null,
          by,
        },
  )
  return kind === 'settled' ? { kind: 'settled', row: after } : { kind: 'not_in_doubt', row: after }
}
