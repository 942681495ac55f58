import type { AgentRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import type { CancelInFlight, CancelReport } from './cancel-in-flight.ts'
import { type LeafSealer, sealerFor } from './leaf-sealer.ts'
import { findOwnAgent } from './own-rows.ts'
import { cancelRecorded, recordRevocation, toCancel } from './record-revocation.ts'
import { revocationParts } from './revocation-leaf.ts'
import { type Revocation, revokeInScope } from './revoke-in-scope.ts'

export type AgentDisconnected =
  | {
      kind: 'disconnected'
      /** Of its receipt. */
      revocationId: string
      revocation: Revocation
      cancelled: readonly CancelReport[]
    }
  | { kind: 'not_found' }

/** Takes back the user's yes to connect an agent and all that was given to it. A second time changes nothing. */
export async function disconnectAgent(
  broker: Broker,
  input: { userId: string; agentId: string },
  cancelInFlight: CancelInFlight,
): Promise<AgentDisconnected> {
  const seal = await sealerFor(broker, { userId: input.userId, skillId: '' })
  const done = await broker.store.transaction(async (tx) => {
    const agent = await findOwnAgent(tx, input.userId, input.agentId)
    return agent && disconnectInTx(broker, tx, seal, agent)
  }, input)
  if (!done) return { kind: 'not_found' }
  broker.notices.wake()
  const { revocation, revocationId } = done
  const ids = toCancel(revocation)
  const cancelled = await cancelRecorded(broker, input.userId, revocationId, ids, cancelInFlight)
  return { kind: 'disconnected', revocationId, revocation, cancelled }
}

/** The part of it that is kept or not together with whatever else the transaction does. */
export async function disconnectInTx(
  broker: Broker,
  tx: Tx,
  seal: LeafSealer,
  agent: AgentRow,
): Promise<{ revocation: Revocation; revocationId: string }> {
  await tx.agents.setStatus(agent.id, 'disconnected')
  await tx.tokenFamilies.endOfAgent(agent.userId, agent.id, tx.nowMs)
  const scope = { kind: 'agent', id: agent.id } as const
  const revocation = await revokeInScope(tx, agent.userId, scope)
  const leaf = seal(
    {
      type: 'agent',
      outcome: 'disconnected',
      reason: 'by_user',
      ...revocationParts(agent.userId, scope, revocation),
    },
    tx.nowMs,
  )
  await tx.log.append(leaf, tx.nowMs)
  const revocationId = await recordRevocation(broker, tx, seal, agent.userId, scope, revocation, leaf.eventId)
  broker.logger.info('agent_disconnected', { grants: revocation.grants.length })
  return { revocation, revocationId }
}
