import { stateOf, statusAfter } from '../core/grant/grant-state.ts'
import type { GrantStatus } from '../core/grant/terms.ts'
import type { AgentRow, GrantRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { erasureStands } from './erasure-stands.ts'
import { type LeafSealer, sealerFor } from './leaf-sealer.ts'
import { findOwnAgent } from './own-rows.ts'
import { queueAuthorityEvents } from './queue-authority-events.ts'
import { withdrawQuestions } from './withdraw-questions.ts'

/**
 * Stops a connection until its user lets it go on: its active grants are paused, its tokens end and are renewed no more,
 * and its open questions are withdrawn. An agent that is paused already stays so, and nothing is written.
 *
 * @returns the grants that were paused now.
 */
export async function pauseAgentInTx(
  broker: Broker,
  tx: Tx,
  seal: LeafSealer,
  agent: AgentRow,
  reason: 'by_user' | 'not_me' | 'erasure',
): Promise<string[]> {
  if (agent.status !== 'connected') return []
  await tx.agents.setStatus(agent.id, 'paused')
  await tx.tokenFamilies.endOfAgent(agent.userId, agent.id, tx.nowMs)
  await withdrawQuestions(tx, agent)
  const paused: GrantRow[] = []
  for (const grant of (await tx.grants.live(agent.userId)).filter((row) => row.agentId === agent.id)) {
    const state = stateOf({ status: grant.status as GrantStatus, expiresAtMs: grant.expiresAtMs }, tx.nowMs)
    const status = statusAfter(state, 'pause')
    if (status === undefined) continue
    const changed = { ...grant, status, revision: grant.revision + 1, changedAtMs: tx.nowMs }
    await tx.grants.update(changed)
    paused.push(changed)
  }
  await queueAuthorityEvents(broker, tx, {
    userId: agent.userId,
    type: 'authority.suspended',
    grants: paused,
    executions: [],
    revocationId: '',
  })
  const ids = paused.map(({ id }) => id)
  await tx.log.append(agentLeaf(seal, agent, 'paused', reason, ids, tx.nowMs), tx.nowMs)
  return ids
}

export type AgentResumed =
  /** `isNew` is false when it was connected already: then nothing was written. */
  | { kind: 'resumed'; agent: AgentRow; isNew: boolean }
  | { kind: 'not_found' }
  /** It was disconnected, which is for good. */
  | { kind: 'agent_not_connected' }
  /** Its user asked to be erased: that is cancelled first. */
  | { kind: 'erasure_pending' }

/**
 * Lets a paused agent connect again. Its grants stay paused, each until its user resumes it, and it has to sign in anew:
 * a yes to the connection is no yes to what it may do.
 */
export async function resumeAgent(
  broker: Broker,
  input: { userId: string; agentId: string },
): Promise<AgentResumed> {
  const seal = await sealerFor(broker, { userId: input.userId, skillId: '' })
  return broker.store.transaction<AgentResumed>(async (tx) => {
    const agent = await findOwnAgent(tx, input.userId, input.agentId)
    if (!agent) return { kind: 'not_found' }
    if (agent.status === 'connected') return { kind: 'resumed', agent, isNew: false }
    if (agent.status !== 'paused') return { kind: 'agent_not_connected' }
    if (await erasureStands(tx, input.userId)) return { kind: 'erasure_pending' }
    await tx.agents.setStatus(agent.id, 'connected')
    await tx.log.append(agentLeaf(seal, agent, 'resumed', 'by_user', [], tx.nowMs), tx.nowMs)
    return { kind: 'resumed', agent: { ...agent, status: 'connected' }, isNew: true }
  })
}

export type AgentPaused =
  | { kind: 'paused'; grants: readonly string[]; isNew: boolean }
  | { kind: 'not_found' }
  | { kind: 'agent_not_connected' }

/** The user stops one of their agents for a while. */
export async function pauseAgent(
  broker: Broker,
  input: { userId: string; agentId: string },
): Promise<AgentPaused> {
  const seal = await sealerFor(broker, { userId: input.userId, skillId: '' })
  return broker.store.transaction<AgentPaused>(async (tx) => {
    const agent = await findOwnAgent(tx, input.userId, input.agentId)
    if (!agent) return { kind: 'not_found' }
    if (agent.status === 'paused') return { kind: 'paused', grants: [], isNew: false }
    if (agent.status !== 'connected') return { kind: 'agent_not_connected' }
    return { kind: 'paused', grants: await pauseAgentInTx(broker, tx, seal, agent, 'by_user'), isNew: true }
  })
}

function agentLeaf(
  seal: LeafSealer,
  agent: AgentRow,
  outcome: 'paused' | 'resumed',
  reason: string,
  grants: string[],
  nowMs: number,
) {
  return seal(
    {
      type: 'agent',
      outcome,
      reason,
      subj: { user: agent.userId, agent: agent.id, lineage: agent.lineageId, grants },
    },
    nowMs,
  )
}
