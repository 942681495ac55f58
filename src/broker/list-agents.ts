import type { AgentRow } from '../ports/rows.ts'
import { deploymentsOf, type RegisteredDeployment } from './agent-deployments.ts'
import type { Broker } from './broker.ts'

export type AgentView = {
  agentId: string
  lineageId: string
  name: string
  /** Null for an agent without a key of its own. */
  keyThumbprint: string | null
  /** The OAuth client it connected as, whose name is only claimed; null for one the user registered. */
  client: { id: string; host: string } | null
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
    keyThumbprint: row.keyThumbprint === '' ? null : row.keyThumbprint,
    client: row.clientId === null ? null : { id: row.clientId, host: row.clientHost ?? '' },
    deployments: deploymentsOf(row),
    status: row.status,
    createdAtMs: row.createdAtMs,
  }
}
