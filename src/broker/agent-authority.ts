import type { GrantState } from '../core/grant/grant-state.ts'
import { toolNameOf } from '../core/manifest/tool-name.ts'
import type { GrantRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { type BudgetUsage, budgetUsage } from './budget-usage.ts'
import { forgottenOf } from './forgotten-of.ts'
import { termsOf } from './grant-terms.ts'
import { grantSummary } from './list-grants.ts'

/** One grant as far as its agent may know it. */
export type AgentGrant = {
  readonly grantId: string
  readonly skill: string
  readonly state: GrantState
  readonly actions: readonly { readonly action: string; readonly tool: string }[]
  readonly oneTime: boolean
  readonly expiresAtMs: number
  /** What its own budgets hold; null unless the user shares that. */
  readonly budgets: readonly BudgetUsage[] | null
}

/** The grants of one agent that have not ended, newest first. Whose recipients and which limits is not told. */
export function agentAuthority(
  broker: Broker,
  { userId, agentId }: { readonly userId: string; readonly agentId: string },
): Promise<AgentGrant[]> {
  return broker.store.read(async (tx) => {
    const rows = (await tx.grants.live(userId)).filter((row) => row.agentId === agentId)
    const living = rows.filter((row) => tx.nowMs < row.expiresAtMs)
    const grants: AgentGrant[] = []
    for (const row of living.sort((a, b) => b.createdAtMs - a.createdAtMs || (a.id < b.id ? 1 : -1))) {
      grants.push(await agentGrant(broker, tx, row))
    }
    return grants
  })
}

async function agentGrant(broker: Broker, tx: Tx, row: GrantRow): Promise<AgentGrant> {
  const { grantId, skill, state } = grantSummary(row, tx.nowMs)
  const { terms } = termsOf(row)
  const own = terms.budgets.map((budget) => ({
    owner: 'grant' as const,
    budget,
    lineageId: row.lineageId,
    skillId: row.skillId,
  }))
  return {
    grantId,
    skill,
    state,
    actions: terms.actions.map(({ name }) => ({ action: name, tool: toolNameOf(skill, name) })),
    oneTime: terms.oneTime,
    expiresAtMs: row.expiresAtMs,
    budgets: terms.sharesBudget
      ? await budgetUsage(tx, row.userId, own, await forgottenOf(broker, tx, row.userId))
      : null,
  }
}
