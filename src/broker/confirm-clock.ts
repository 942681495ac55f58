import type { Broker } from './broker.ts'
import { sealerFor } from './leaf-sealer.ts'
import { type OperatorAct, type ReasonRefused, refuseReason } from './operator-act.ts'

export type ConfirmClockOutcome =
  | ReasonRefused
  | { readonly kind: 'clock_is_trusted' }
  | { readonly kind: 'confirmed'; readonly beforeMs: number; readonly nowMs: number }

/**
 * Takes the wall clock for right after it ran ahead and spending stopped. The leaf comes first, under the time
 * that was still believed: a confirmation that is not on record must not open new budget windows.
 */
export async function confirmClock(broker: Broker, input: OperatorAct): Promise<ConfirmClockOutcome> {
  const refused = refuseReason(input)
  if (refused) return refused
  const seal = await sealerFor(broker, { userId: '', skillId: '' })
  const before = await broker.store.transaction(async (tx) => {
    if (tx.clockTrusted) return undefined
    const leaf = seal(
      {
        type: 'operator',
        outcome: 'clock_confirmed',
        reason: 'operator',
        subj: { operator: input.operatorId },
        body: { reason: input.reason },
      },
      tx.nowMs,
    )
    await tx.log.append(leaf, tx.nowMs)
    return tx.nowMs
  })
  if (before === undefined) return { kind: 'clock_is_trusted' }
  broker.store.confirmClock()
  return { kind: 'confirmed', beforeMs: before, nowMs: broker.store.now().nowMs }
}
