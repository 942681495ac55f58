import { stateOf, statusAfter } from '../core/grant/grant-state.ts'
import type { GrantStatus } from '../core/grant/terms.ts'
import type { ErasureRow } from '../ports/erasure-rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { erasureLeaf } from './erasure-leaf.ts'
import { sealerFor } from './leaf-sealer.ts'
import { type PausedByErasure, pausedBy } from './request-erasure.ts'
import { tellInTx } from './tell.ts'

export type ErasureCancelled =
  /**
   * What goes on again. Nothing does where an incident was opened meanwhile: the person lets each go on themselves, once
   * they have looked.
   */
  | { kind: 'cancelled'; erasure: ErasureRow; resumed: PausedByErasure; heldBack: boolean }
  | { kind: 'not_requested' }
  /** It has begun, and what it ended cannot be given back. */
  | { kind: 'under_way' }

/**
 * Thinks better of an erasure before it begins: what it paused goes on as it was, and what was paused before stays so.
 * Agents with tokens of ours have to sign in anew. Whether the person stepped up is the caller's check.
 */
export async function cancelErasure(
  broker: Broker,
  { userId }: { userId: string },
): Promise<ErasureCancelled> {
  const seal = await sealerFor(broker, { userId, skillId: '' })
  const outcome = await broker.store.transaction<ErasureCancelled>(
    async (tx) => {
      const before = await tx.erasures.newestOf(userId)
      if (!before || before.status === 'cancelled') return { kind: 'not_requested' }
      if (before.status !== 'waiting') return { kind: 'under_way' }
      const since = (await tx.incidents.openOf(userId)).filter(
        ({ openedAtMs }) => openedAtMs >= before.requestedAtMs,
      )
      const heldBack = since.length > 0
      const resumed = heldBack
        ? { agents: [], grants: [] }
        : await resumeWhatWasPaused(tx, userId, pausedBy(before))
      const erasure: ErasureRow = {
        ...before,
        status: 'cancelled',
        waitsFor: null,
        steppedAtMs: tx.nowMs,
        endedAtMs: tx.nowMs,
      }
      await tx.erasures.update(erasure)
      const leaf = erasureLeaf(
        'cancelled',
        'by_user',
        { erasure: erasure.id, heldBack },
        { user: userId, ...resumed },
      )
      await tx.log.append(seal(leaf, tx.nowMs), tx.nowMs)
      await tellInTx(broker, tx, userId, { kind: 'erasure_cancelled', id: erasure.id })
      return { kind: 'cancelled', erasure, resumed, heldBack }
    },
    { userId },
  )
  if (outcome.kind === 'cancelled') broker.deliveries.wake()
  return outcome
}

async function resumeWhatWasPaused(
  tx: Tx,
  userId: string,
  paused: PausedByErasure,
): Promise<PausedByErasure> {
  const agents: string[] = []
  for (const agent of await tx.agents.list(userId)) {
    if (!paused.agents.includes(agent.id) || agent.status !== 'paused') continue
    await tx.agents.setStatus(agent.id, 'connected')
    agents.push(agent.id)
  }
  const grants: string[] = []
  for (const grant of await tx.grants.live(userId)) {
    if (!paused.grants.includes(grant.id)) continue
    const state = stateOf({ status: grant.status as GrantStatus, expiresAtMs: grant.expiresAtMs }, tx.nowMs)
    const status = statusAfter(state, 'resume')
    if (status === undefined) continue
    await tx.grants.update({ ...grant, status, revision: grant.revision + 1, changedAtMs: tx.nowMs })
    grants.push(grant.id)
  }
  return { agents, grants }
}
