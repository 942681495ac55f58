import { isWithinRecoveryRest } from '../core/people/recovery-rest.ts'
import type { Tx } from '../ports/store.ts'

/** The refusal of anything wider within a day of a recovery. */
export type RecoveredRecently = { kind: 'recovered_recently' }

/** Whether this user came in by a recovery code so recently that nothing wider may be given. */
export async function recoveredRecently(tx: Tx, userId: string): Promise<boolean> {
  const person = await tx.people.find({ kind: 'user', id: userId })
  return isWithinRecoveryRest(person?.recoveredAtMs ?? null, tx.nowMs)
}
