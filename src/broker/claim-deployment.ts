import { plainJson } from '../core/manifest/manifest-change.ts'
import { deploymentsOf, type RegisteredDeployment, storedDeployments } from './agent-deployments.ts'
import type { Broker } from './broker.ts'
import { sealerFor } from './leaf-sealer.ts'
import { findOwnAgent } from './own-rows.ts'
import type { SetDeployments } from './set-deployments.ts'

export type DeploymentClaimed =
  | { kind: 'claimed' | 'same'; deployments: readonly RegisteredDeployment[] }
  | { kind: 'agent_not_connected' }
  /** Others are registered: what an agent may say it runs on is changed by its user alone. */
  | { kind: 'deployments_registered' }

/**
 * Lets an agent say once what it runs on, where nothing is registered for it. That allows it nothing: from then on it
 * has to name one of these with each call, and its user reads them with what it asks for.
 */
export async function claimDeployment(broker: Broker, input: SetDeployments): Promise<DeploymentClaimed> {
  const seal = await sealerFor(broker, { userId: input.userId, skillId: '' })
  return broker.store.transaction(async (tx) => {
    const agent = await findOwnAgent(tx, input.userId, input.agentId)
    if (agent?.status !== 'connected') return { kind: 'agent_not_connected' }
    const stored = storedDeployments(input.deployments)
    const deployments = deploymentsOf({ deployments: stored })
    const before = deploymentsOf(agent)
    if (before.length > 0) {
      const known = new Set(before.map(({ id }) => id))
      return deployments.every(({ id }) => known.has(id))
        ? { kind: 'same', deployments: before }
        : { kind: 'deployments_registered' }
    }
    await tx.agents.setDeployments(agent.id, stored)
    const leaf = seal(
      {
        type: 'agent',
        outcome: 'deployments_set',
        reason: 'by_agent',
        subj: { user: input.userId, agent: agent.id },
        body: { deployments: plainJson(deployments) },
      },
      tx.nowMs,
    )
    await tx.log.append(leaf, tx.nowMs)
    return { kind: 'claimed', deployments }
  }, input)
}
