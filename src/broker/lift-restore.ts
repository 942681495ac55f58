import { statusAfter } from '../core/grant/grant-state.ts'
import { FORGOTTEN_PAYMENT } from '../core/restore-marks.ts'
import type { Broker } from './broker.ts'
import { forgottenOf } from './forgotten-of.ts'
import { sealerFor } from './leaf-sealer.ts'
import { type OperatorAct, type ReasonRefused, refuseReason } from './operator-act.ts'

export type RestoreLifted =
  | ReasonRefused
  | { readonly kind: 'user_unknown' }
  /** The store was never restored, or this was lifted for the user before. */
  | { readonly kind: 'nothing_forgotten' }
  | { readonly kind: 'lifted'; readonly grants: readonly string[]; readonly debts: readonly string[] }

/**
 * Takes what a restore has forgotten of one user for settled: an operator knows from elsewhere what happened after the
 * backup. Suspended grants go on without the user, windows count as they stand, and debts can be paid again.
 */
export async function liftRestore(
  broker: Broker,
  input: OperatorAct & { readonly userId: string },
): Promise<RestoreLifted> {
  const refused = refuseReason(input)
  if (refused) return refused
  const { userId } = input
  const seal = await sealerFor(broker, { userId, skillId: '' })
  return broker.store.transaction(async (tx): Promise<RestoreLifted> => {
    if (!(await tx.users.find(userId))) return { kind: 'user_unknown' }
    const spans = await forgottenOf(broker, tx, userId)
    if (spans.length === 0) return { kind: 'nothing_forgotten' }
    for (const { epoch } of spans) await tx.restoreLifts.lift(userId, epoch, tx.nowMs)

    const suspended = (await tx.grants.live(userId)).filter((grant) => grant.status === 'suspended')
    for (const grant of suspended) {
      const status = statusAfter('suspended', 'confirm') ?? grant.status
      await tx.grants.update({ ...grant, status, revision: grant.revision + 1, changedAtMs: tx.nowMs })
    }
    const debts = await tx.debts.reopen(userId, FORGOTTEN_PAYMENT)
    const leaf = seal(
      {
        type: 'operator',
        outcome: 'restore_lifted',
        reason: 'operator',
        core: { epochs: spans.map(({ epoch }) => epoch) },
        subj: { user: userId, operator: input.operatorId, grants: suspended.map(({ id }) => id), debts },
        body: { reason: input.reason },
      },
      tx.nowMs,
    )
    await tx.log.append(leaf, tx.nowMs)
    return { kind: 'lifted', grants: suspended.map(({ id }) => id), debts }
  })
}
