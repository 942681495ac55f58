import type { AgentRow } from '../ports/rows.ts'
import { deploymentsOf, type RegisteredDeployment } from './agent-deployments.ts'
import type { Broker } from './broker.ts'

export type AgentView = {
  agentId: string
  lineageId: string
  name: string
  keyThumbprint: string
  deployments: readonly RegisteredDeployment[]
  status: string
  createdAtMs: number
}

/** Every agent the user ever connected, those disconnected since among them. */
export function listAgents(broker: Broker, input: { userId: string }): Promise<AgentView[]> {
  return broker.store.read(async (tx) => {
    const rows = await tx.agents.list(input.userId)
    return rows.map(agentView)
  })
}

/** An agent as its user sees it. */
export function agentView(row: AgentRow): AgentView {
  return {
    agentId: row.id,
    lineageId: row.lineageId,
    name: row.name,
    keyThumbprint: row.keyThumbprint,
    deployments: deploymentsOf(row),
    status: row.status,
    createdAtMs: row.createdAtMs,
  }
}
