import type { AgentRow, GrantRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { sealerFor } from './leaf-sealer.ts'
import { findOwnAgent } from './own-rows.ts'
import { type RecoveredRecently, recoveredRecently } from './recovered-recently.ts'
import { type UnsettledPermit, unsettledPermit } from './revoke-in-scope.ts'
import { tellInTx } from './tell.ts'
import { withdrawQuestions } from './withdraw-questions.ts'

export type ConnectionMoved =
  /** `unsettled` is what the older connection had under way; it goes on and settles by itself. */
  | {
      kind: 'moved'
      agent: AgentRow
      grants: readonly string[]
      unsettled: readonly UnsettledPermit[]
    }
  /** One of the two is not this user's. */
  | { kind: 'not_found' }
  | { kind: 'same_agent' }
  /** The older one has ended, or the newer one is not connected. */
  | { kind: 'not_connected' }
  /** The newer one has a past of its own: what two lines have used cannot be added up into one. */
  | { kind: 'lineage_conflict' }
  | RecoveredRecently

/**
 * Lets a new connection go on where an older one stood: its live grants and running windows become the new one's, and
 * the older one ends. The line continues, so no window starts anew. Whether the user stepped up is the caller's check.
 *
 * The older one's open questions are withdrawn: they named it, and a yes to them would be a yes to something else.
 */
export async function moveConnection(
  broker: Broker,
  input: { userId: string; fromAgentId: string; toAgentId: string },
): Promise<ConnectionMoved> {
  const { userId, fromAgentId, toAgentId } = input
  if (fromAgentId === toAgentId) return { kind: 'same_agent' }
  const seal = await sealerFor(broker, { userId, skillId: '' })
  const outcome = await broker.store.transaction<ConnectionMoved>(async (tx) => {
    const from = await findOwnAgent(tx, userId, fromAgentId)
    const to = await findOwnAgent(tx, userId, toAgentId)
    if (!from || !to) return { kind: 'not_found' }
    if (await recoveredRecently(tx, userId)) return { kind: 'recovered_recently' }
    if (from.status === 'disconnected' || to.status !== 'connected') return { kind: 'not_connected' }
    if (to.lineageId !== from.lineageId && (await hasPast(tx, to))) return { kind: 'lineage_conflict' }

    const agent = { ...to, lineageId: from.lineageId }
    await tx.agents.setLineage(to.id, agent.lineageId)
    const grants = (await tx.grants.live(userId)).filter((grant) => grant.agentId === from.id)
    for (const grant of grants) await tx.grants.update(heldBy(agent, grant, tx.nowMs))
    await withdrawQuestions(tx, from)
    await tx.agents.setStatus(from.id, 'disconnected')
    await tx.tokenFamilies.endOfAgent(userId, from.id, tx.nowMs)

    const unsettled = (await tx.actions.unsettled(userId)).filter((row) => row.agentId === from.id)
    const moved = grants.map(({ id }) => id)
    const leaf = seal(
      {
        type: 'agent',
        outcome: 'moved',
        reason: 'by_user',
        subj: {
          user: userId,
          agent: from.id,
          to: to.id,
          lineage: agent.lineageId,
          grants: moved,
          unsettled: unsettled.map(({ id }) => id),
        },
      },
      tx.nowMs,
    )
    await tx.log.append(leaf, tx.nowMs)
    await tellInTx(broker, tx, userId, { kind: 'connection_moved', id: to.id })
    return { kind: 'moved', agent, grants: moved, unsettled: unsettled.map(unsettledPermit) }
  }, input)
  if (outcome.kind === 'moved') broker.deliveries.wake()
  return outcome
}

/** Whether anything was ever counted, given or set for the line this agent began or is in. */
async function hasPast(tx: Tx, { userId, id, lineageId }: AgentRow): Promise<boolean> {
  if (lineageId !== id) return true
  if ((await tx.agents.list(userId)).some((other) => other.id !== id && other.lineageId === lineageId))
    return true
  if ((await tx.grants.live(userId)).some((grant) => grant.agentId === id)) return true
  if ((await tx.budgets.list(userId)).some((budget) => budget.scopeId === lineageId)) return true
  const search = { userId, agentId: id, skillId: null, status: null, fromMs: null, toMs: null }
  return (await tx.actions.list(search, { limit: 1, before: null })).length > 0
}

function heldBy(agent: AgentRow, grant: GrantRow, nowMs: number): GrantRow {
  return {
    ...grant,
    agentId: agent.id,
    lineageId: agent.lineageId,
    revision: grant.revision + 1,
    changedAtMs: nowMs,
  }
}
