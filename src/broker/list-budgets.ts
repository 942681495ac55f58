import type { UserBudgetRow } from '../ports/rows.ts'
import type { Broker } from './broker.ts'
import { type BudgetUsage, budgetUsage, type OwnedBudget } from './budget-usage.ts'
import { forgottenOf } from './forgotten-of.ts'
import { budgetOf } from './set-budget.ts'

export type UserBudgetView = BudgetUsage & {
  budgetId: string
  /** The agent's line or the skill; empty for the user as a whole. */
  scopeId: string
  createdAtMs: number
}

/** The limits the user set on everything, on agents and on skills, with what is used of each. */
export function listBudgets(broker: Broker, input: { userId: string }): Promise<UserBudgetView[]> {
  return broker.store.read(async (tx) => {
    const rows = await tx.budgets.list(input.userId)
    const forgotten = await forgottenOf(broker, tx, input.userId)
    const usage = await budgetUsage(tx, input.userId, rows.map(ownedBudget), forgotten)
    return rows.flatMap((row, index) => {
      const used = usage[index]
      return used ? [{ ...used, budgetId: row.id, scopeId: row.scopeId, createdAtMs: row.createdAtMs }] : []
    })
  })
}

function ownedBudget(row: UserBudgetRow): OwnedBudget {
  const { scope, scopeId } = row
  if (scope !== 'user' && scope !== 'agent' && scope !== 'skill') {
    throw new Error(`budget of an unknown scope: ${scope}`)
  }
  return {
    owner: scope,
    budget: budgetOf(row),
    lineageId: scope === 'agent' ? scopeId : '',
    skillId: scope === 'skill' ? scopeId : '',
  }
}
