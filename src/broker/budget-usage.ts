import type { BudgetLimit } from '../core/spending/budget-limit.ts'
import {
  type BudgetOwner,
  type CounterSpec,
  counterIdOf,
  counterSpecOf,
  type Subject,
} from '../core/spending/counter.ts'
import { type ForgottenSpan, isForgotten } from '../core/spending/forgotten.ts'
import type { Tx } from '../ports/store.ts'
import { loadCounters } from './load-counters.ts'
import { userZone } from './user-zone.ts'

/** A budget with what it holds at this instant: minor units of its currency, or actions for a count. */
export type BudgetUsage = {
  owner: BudgetOwner
  budget: BudgetLimit
  /** Null for a limit per action, which adds nothing up. Nothing is left of what a restore has partly forgotten. */
  used: { held: number; captured: number; left: number } | null
}

export type OwnedBudget = { owner: BudgetOwner; budget: BudgetLimit; lineageId: string; skillId: string }

/** Reads what budgets hold now. Windows are moved on in memory only: reading changes no counter. */
export async function budgetUsage(
  tx: Tx,
  userId: string,
  budgets: readonly OwnedBudget[],
  forgotten: readonly ForgottenSpan[],
): Promise<BudgetUsage[]> {
  const specs = budgets.map(specOf)
  const wanted = specs.filter((spec) => spec !== null)
  const zone = await userZone(tx, userId)
  const whose = { userId, lineageId: '', skillId: '', action: '', currency: null, zone }
  const { counters } = await loadCounters(tx, whose, wanted, true)
  const byId = new Map(counters.map((counter) => [counter.counterId, counter]))
  return budgets.map(({ owner, budget }, index) => {
    const spec = specs[index]
    const counter = spec ? byId.get(counterIdOf(spec)) : undefined
    if (!counter) return { owner, budget, used: null }
    const { held, captured } = counter
    const left = isForgotten(counter, forgotten) ? 0 : Math.max(0, budget.limit - held - captured)
    return { owner, budget, used: { held, captured, left } }
  })
}

function specOf({ owner, budget, lineageId, skillId }: OwnedBudget): CounterSpec | null {
  // A budget names its own action, if any: the subject's is not looked at.
  const subject: Subject = { agentLineage: lineageId, skill: skillId, action: '' }
  return counterSpecOf(owner, subject, budget)
}
