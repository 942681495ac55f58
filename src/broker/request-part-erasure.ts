import { z } from 'zod'
import { type ErasureScope, stepsOf } from '../core/erasure/erasure-steps.ts'
import type { ErasureRow } from '../ports/erasure-rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { erasureLeaf } from './erasure-leaf.ts'
import { sealerFor } from './leaf-sealer.ts'

/** Asked for again before all are done, the oldest are in the way. */
const OPEN_MOST = 20

export const requestPartErasureShape = z.strictObject({
  scope: z.enum(['skill', 'agent']),
  id: z.string().min(1).max(200),
})

export type PartErasureRequested =
  /** `isNew` is false when it is under way: then nothing was written. */
  | { kind: 'requested'; erasure: ErasureRow; isNew: boolean }
  /** No such agent is theirs, or no skill of that name is known. */
  | { kind: 'not_found' }
  | { kind: 'too_many' }
  /** Everything about them is being erased. */
  | { kind: 'under_way' }

/**
 * Asks for what one skill or one agent left of a person to be erased. It begins at once: an agent is disconnected first,
 * and what is in doubt, under an open incident or held is waited for. Whether the person stepped up is the caller's check.
 */
export async function requestPartErasure(
  broker: Broker,
  input: { userId: string; scope: 'skill' | 'agent'; id: string },
): Promise<PartErasureRequested> {
  const { userId, scope, id: scopeId } = input
  const seal = await sealerFor(broker, { userId, skillId: '' })
  return broker.store.transaction<PartErasureRequested>(
    async (tx) => {
      if (!(await isTheirs(tx, userId, { kind: scope, id: scopeId }))) return { kind: 'not_found' }
      const whole = await tx.erasures.newestOf(userId)
      if (whole && (whole.status === 'running' || whole.status === 'done')) return { kind: 'under_way' }
      const open = (await tx.erasures.ofParts(userId, 1_000)).filter(({ endedAtMs }) => endedAtMs === null)
      const same = open.find((row) => row.scope === scope && row.scopeId === scopeId)
      if (same) return { kind: 'requested', erasure: same, isNew: false }
      if (open.length >= OPEN_MOST) return { kind: 'too_many' }
      const erasure: ErasureRow = {
        id: broker.newId('erasure'),
        userId,
        scope,
        scopeId,
        status: 'waiting',
        step: stepsOf(scope)[0],
        waitsFor: null,
        paused: JSON.stringify({ agents: [], grants: [] }),
        cells: '[]',
        partsTotal: 0,
        partsDone: 0,
        requestedAtMs: tx.nowMs,
        dueAtMs: tx.nowMs,
        checkAtMs: tx.nowMs,
        steppedAtMs: tx.nowMs,
        endedAtMs: null,
      }
      await tx.erasures.insert(erasure)
      const subj = { user: userId, [scope]: scopeId }
      const leaf = erasureLeaf('requested', 'by_user', { erasure: erasure.id, scope }, subj)
      await tx.log.append(seal(leaf, tx.nowMs), tx.nowMs)
      return { kind: 'requested', erasure, isNew: true }
    },
    { userId },
  )
}

async function isTheirs(tx: Tx, userId: string, scope: ErasureScope): Promise<boolean> {
  if (scope.kind === 'skill') return (await tx.skills.find(scope.id)) !== undefined
  return scope.kind === 'agent' && (await tx.agents.find(scope.id, userId))?.userId === userId
}
