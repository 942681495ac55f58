import { z } from 'zod'
import { ERASURE_AFTER_MS, ERASURE_STEPS } from '../core/erasure/erasure-steps.ts'
import { stateOf, statusAfter } from '../core/grant/grant-state.ts'
import type { GrantStatus } from '../core/grant/terms.ts'
import type { ErasureRow } from '../ports/erasure-rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { erasureLeaf } from './erasure-leaf.ts'
import { type LeafSealer, sealerFor } from './leaf-sealer.ts'
import { pauseAgentInTx } from './pause-agent.ts'
import { tellInTx } from './tell.ts'

export const requestErasureShape = z.strictObject({ scope: z.literal('everything') })

/** What a request paused, and lets go on when it is cancelled. */
const pausedShape = z.strictObject({ agents: z.array(z.string()), grants: z.array(z.string()) })
export type PausedByErasure = z.infer<typeof pausedShape>

export type ErasureRequested =
  /** `isNew` is false when it was asked for before: then nothing was written. */
  { kind: 'requested'; erasure: ErasureRow; isNew: boolean } | { kind: 'under_way' }

/**
 * Asks for everything about a person to be erased in 72 hours. Until then nothing is permitted: all of their agents and
 * live grants are paused, their agents' tokens end, and open questions are withdrawn. Whether the person stepped up is
 * the caller's check.
 */
export async function requestErasure(
  broker: Broker,
  { userId }: { userId: string },
): Promise<ErasureRequested> {
  const seal = await sealerFor(broker, { userId, skillId: '' })
  const outcome = await broker.store.transaction<ErasureRequested>(
    async (tx) => {
      const before = await tx.erasures.newestOf(userId)
      if (before?.status === 'waiting') return { kind: 'requested', erasure: before, isNew: false }
      if (before && before.status !== 'cancelled') return { kind: 'under_way' }

      const paused = await pauseEverything(broker, tx, seal, userId)
      const dueAtMs = tx.nowMs + ERASURE_AFTER_MS
      const erasure: ErasureRow = {
        id: broker.newId('erasure'),
        userId,
        scope: 'everything',
        scopeId: null,
        status: 'waiting',
        step: ERASURE_STEPS[0],
        waitsFor: null,
        paused: JSON.stringify(paused),
        cells: '[]',
        partsTotal: 0,
        partsDone: 0,
        requestedAtMs: tx.nowMs,
        dueAtMs,
        checkAtMs: dueAtMs,
        steppedAtMs: tx.nowMs,
        endedAtMs: null,
      }
      await tx.erasures.insert(erasure)
      const leaf = erasureLeaf(
        'requested',
        'by_user',
        { erasure: erasure.id, scope: 'everything', dueAtMs },
        { user: userId, ...paused },
      )
      await tx.log.append(seal(leaf, tx.nowMs), tx.nowMs)
      await tellInTx(broker, tx, userId, { kind: 'erasure_scheduled', id: erasure.id, expiresAtMs: dueAtMs })
      return { kind: 'requested', erasure, isNew: true }
    },
    { userId },
  )
  if (outcome.kind === 'requested' && outcome.isNew) broker.deliveries.wake()
  return outcome
}

/** What was paused by a request; nothing once it is done. */
export function pausedBy(erasure: ErasureRow): PausedByErasure {
  return pausedShape.parse(JSON.parse(erasure.paused))
}

async function pauseEverything(
  broker: Broker,
  tx: Tx,
  seal: LeafSealer,
  userId: string,
): Promise<PausedByErasure> {
  const agents: string[] = []
  const grants: string[] = []
  for (const agent of await tx.agents.list(userId)) {
    if (agent.status !== 'connected') continue
    grants.push(...(await pauseAgentInTx(broker, tx, seal, agent, 'erasure')))
    agents.push(agent.id)
  }
  // Of agents that were paused before, but whose grants were not.
  for (const grant of await tx.grants.live(userId)) {
    const state = stateOf({ status: grant.status as GrantStatus, expiresAtMs: grant.expiresAtMs }, tx.nowMs)
    const status = statusAfter(state, 'pause')
    if (status === undefined || grants.includes(grant.id)) continue
    await tx.grants.update({ ...grant, status, revision: grant.revision + 1, changedAtMs: tx.nowMs })
    grants.push(grant.id)
  }
  await tx.tokenFamilies.endOfUser(userId, tx.nowMs)
  return { agents, grants }
}
