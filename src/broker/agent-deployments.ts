import { z } from 'zod'
import { type Deployment, deploymentShape } from '../core/model/deployment.ts'
import { deploymentIdOf } from '../core/model/deployment-id.ts'
import type { AgentRow } from '../ports/rows.ts'
import { refuseOddTexts } from './plain-text.ts'

/** What an agent says it runs on: at least one model, few enough for a person to read. */
export const deploymentsShape = z.array(deploymentShape.superRefine(refuseOddTexts)).min(1).max(8)

export type RegisteredDeployment = { readonly id: string; readonly deployment: Deployment }

/** The text that is stored; the same deployment twice is one. */
export function storedDeployments(deployments: readonly Deployment[]): string {
  const byId = new Map(deployments.map((deployment) => [deploymentIdOf(deployment), deployment]))
  return JSON.stringify([...byId].map(([id, deployment]) => ({ id, deployment })))
}

/** The deployments of an agent's row. They were checked when they were written. */
export function deploymentsOf(agent: Pick<AgentRow, 'deployments'>): RegisteredDeployment[] {
  return JSON.parse(agent.deployments) as RegisteredDeployment[]
}
