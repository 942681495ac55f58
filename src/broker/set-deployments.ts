import { z } from 'zod'
import { plainJson } from '../core/manifest/manifest-change.ts'
import {
  deploymentsOf,
  deploymentsShape,
  type RegisteredDeployment,
  storedDeployments,
} from './agent-deployments.ts'
import type { Broker } from './broker.ts'
import { sealerFor } from './leaf-sealer.ts'
import { findOwnAgent } from './own-rows.ts'

export const setDeploymentsShape = z.strictObject({ deployments: deploymentsShape })

export type SetDeployments = z.infer<typeof setDeploymentsShape> & { userId: string; agentId: string }

export type DeploymentsSet =
  | { kind: 'set'; deployments: readonly RegisteredDeployment[] }
  | { kind: 'not_found' }
  | { kind: 'agent_not_connected' }

/** Replaces the models that the user lets an agent say it runs on. Grants limited to one that is gone deny. */
export async function setDeployments(broker: Broker, input: SetDeployments): Promise<DeploymentsSet> {
  const seal = await sealerFor(broker, { userId: input.userId, skillId: '' })
  return broker.store.transaction(async (tx) => {
    const agent = await findOwnAgent(tx, input.userId, input.agentId)
    if (!agent) return { kind: 'not_found' }
    if (agent.status !== 'connected') return { kind: 'agent_not_connected' }
    const stored = storedDeployments(input.deployments)
    const deployments = deploymentsOf({ deployments: stored })
    await tx.agents.setDeployments(agent.id, stored)
    const leaf = seal(
      {
        type: 'agent',
        outcome: 'deployments_set',
        reason: 'by_user',
        subj: { user: input.userId, agent: agent.id },
        body: { deployments: plainJson(deployments) },
      },
      tx.nowMs,
    )
    await tx.log.append(leaf, tx.nowMs)
    return { kind: 'set', deployments }
  }, input)
}
