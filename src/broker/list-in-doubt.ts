import type { ActionRow } from '../ports/rows.ts'
import type { Broker } from './broker.ts'
import { sealerFor } from './leaf-sealer.ts'

/** A permit whose end nobody knows, and how long it has been so, in milliseconds. */
export type InDoubt = Pick<
  ActionRow,
  'id' | 'userId' | 'agentId' | 'skillId' | 'action' | 'status' | 'currency' | 'heldMinor' | 'decidedAtMs'
> & { readonly forMs: number }

/**
 * What was permitted and is not settled, oldest first: all of it keeps counting against budgets until a signed
 * receipt, a status answer or an operator settles it (P11). It says who did what, so the look is a leaf first.
 */
export async function listInDoubt(broker: Broker, operatorId: string): Promise<InDoubt[]> {
  const seal = await sealerFor(broker, { userId: '', skillId: '' })
  return broker.store.transaction(async (tx) => {
    const leaf = seal(
      { type: 'operator', outcome: 'looked_at', reason: 'in_doubt', subj: { operator: operatorId } },
      tx.nowMs,
    )
    await tx.log.append(leaf, tx.nowMs)
    return (await tx.actions.unsettled(null)).map((row) => ({
      id: row.id,
      userId: row.userId,
      agentId: row.agentId,
      skillId: row.skillId,
      action: row.action,
      status: row.status,
      currency: row.currency,
      heldMinor: row.heldMinor,
      decidedAtMs: row.decidedAtMs,
      forMs: Math.max(0, tx.nowMs - row.decidedAtMs),
    }))
  })
}
