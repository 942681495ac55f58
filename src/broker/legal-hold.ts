import type { LegalHoldRow } from '../ports/erasure-rows.ts'
import type { Broker } from './broker.ts'
import { sealerFor } from './leaf-sealer.ts'
import { type OperatorAct, type ReasonRefused, refuseReason } from './operator-act.ts'

type HoldInput = OperatorAct & { readonly userId: string }

export type HoldPlaced = ReasonRefused | { readonly kind: 'held'; readonly isNew: boolean }
export type HoldLifted = ReasonRefused | { readonly kind: 'lifted' | 'not_held' }

/** Keeps one user's data from being erased, for a dispute or an investigation, until it is lifted. */
export async function placeLegalHold(broker: Broker, input: HoldInput): Promise<HoldPlaced> {
  const refused = refuseReason(input)
  if (refused) return refused
  const { userId, operatorId, reason } = input
  const seal = await sealerFor(broker, { userId: '', skillId: '' })
  return broker.store.transaction(
    async (tx): Promise<HoldPlaced> => {
      if (await tx.legalHolds.find(userId)) return { kind: 'held', isNew: false }
      await tx.legalHolds.insert({ userId, operatorId, reason, createdAtMs: tx.nowMs })
      await tx.log.append(seal(holdLeaf('hold_placed', input), tx.nowMs), tx.nowMs)
      return { kind: 'held', isNew: true }
    },
    { userId },
  )
}

/** Lets an erasure that waited for it go on. */
export async function liftLegalHold(broker: Broker, input: HoldInput): Promise<HoldLifted> {
  const refused = refuseReason(input)
  if (refused) return refused
  const { userId } = input
  const seal = await sealerFor(broker, { userId: '', skillId: '' })
  return broker.store.transaction(
    async (tx): Promise<HoldLifted> => {
      if (!(await tx.legalHolds.find(userId))) return { kind: 'not_held' }
      await tx.legalHolds.remove(userId)
      await tx.log.append(seal(holdLeaf('hold_lifted', input), tx.nowMs), tx.nowMs)
      return { kind: 'lifted' }
    },
    { userId },
  )
}

/** Every hold that stands, the oldest first. */
export function listLegalHolds(broker: Broker): Promise<LegalHoldRow[]> {
  return broker.store.read(async (tx) => tx.legalHolds.list())
}

function holdLeaf(outcome: 'hold_placed' | 'hold_lifted', { userId, operatorId, reason }: HoldInput) {
  return {
    type: 'operator' as const,
    outcome,
    reason: 'operator',
    subj: { user: userId, operator: operatorId },
    body: { reason },
  }
}
