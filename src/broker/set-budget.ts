import { z } from 'zod'
import { isCurrency } from '../core/currency.ts'
import type { LeafContent } from '../core/log/leaf.ts'
import { isSameJson, plainJson } from '../core/manifest/manifest-change.ts'
import { type BudgetLimit, budgetLimitShape } from '../core/spending/budget-limit.ts'
import type { UserBudgetRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { sealerFor } from './leaf-sealer.ts'
import { findOwnAgent } from './own-rows.ts'
import { type RecoveredRecently, recoveredRecently } from './recovered-recently.ts'

/** Every decision reads all of a user's budgets, so there are only so many. */
const BUDGETS_MOST = 100

const id = z.string().min(1).max(64)

export const setBudgetShape = z.strictObject({
  /** What the budget covers: all the user's agents do, one agent, or one skill. */
  scope: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('user') }),
    z.strictObject({ kind: z.literal('agent'), agentId: id }),
    z.strictObject({ kind: z.literal('skill'), skill: id }),
  ]),
  budget: budgetLimitShape.refine((budget) => budget.measure === 'count' || isCurrency(budget.currency), {
    path: ['currency'],
    message: 'must be an ISO 4217 code',
  }),
})

export type SetBudget = z.infer<typeof setBudgetShape> & { userId: string }

export type BudgetSet =
  | { kind: 'set'; budget: UserBudgetRow; replaced: string | null }
  /** The agent is not this user's, or there is no such skill. */
  | { kind: 'not_found' }
  | { kind: 'too_many_budgets' }
  | RecoveredRecently

/**
 * Sets a limit, in place of the one for the same scope, measure, currency, window and action if there is one. Raised
 * or lowered, the window and what is used in it go on: a counter does not know its limit.
 */
export async function setBudget(broker: Broker, input: SetBudget): Promise<BudgetSet> {
  const seal = await sealerFor(broker, { userId: input.userId, skillId: '' })
  return broker.store.transaction(async (tx) => {
    const scopeId = await scopeIdOf(tx, input)
    if (scopeId === undefined) return { kind: 'not_found' }
    const rows = await tx.budgets.list(input.userId)
    const same = rows.find(
      (row) =>
        row.scope === input.scope.kind &&
        row.scopeId === scopeId &&
        isSameWindow(budgetOf(row), input.budget),
    )
    if (!same && rows.length >= BUDGETS_MOST) return { kind: 'too_many_budgets' }
    const isRaised = same !== undefined && input.budget.limit > budgetOf(same).limit
    if (isRaised && (await recoveredRecently(tx, input.userId))) return { kind: 'recovered_recently' }
    if (same) await tx.budgets.remove(same.id)
    const budget: UserBudgetRow = {
      id: broker.newId('budget'),
      userId: input.userId,
      scope: input.scope.kind,
      scopeId,
      budget: JSON.stringify(input.budget),
      createdAtMs: tx.nowMs,
    }
    await tx.budgets.insert(budget)
    const leaf = seal(budgetLeaf('set', budget, same ? budgetOf(same) : null), tx.nowMs)
    await tx.log.append(leaf, tx.nowMs)
    return { kind: 'set', budget, replaced: same?.id ?? null }
  }, input)
}

/** A limit is taken away; grants and the other budgets go on limiting. */
export async function removeBudget(
  broker: Broker,
  input: { userId: string; budgetId: string },
): Promise<{ kind: 'removed' } | { kind: 'not_found' } | RecoveredRecently> {
  const seal = await sealerFor(broker, { userId: input.userId, skillId: '' })
  return broker.store.transaction(async (tx) => {
    const row = (await tx.budgets.list(input.userId)).find((budget) => budget.id === input.budgetId)
    if (!row) return { kind: 'not_found' }
    if (await recoveredRecently(tx, input.userId)) return { kind: 'recovered_recently' }
    await tx.budgets.remove(row.id)
    await tx.log.append(seal(budgetLeaf('removed', row, null), tx.nowMs), tx.nowMs)
    return { kind: 'removed' }
  }, input)
}

/** The limit of a stored budget. It was checked when it was written. */
export function budgetOf(row: UserBudgetRow): BudgetLimit {
  return JSON.parse(row.budget) as BudgetLimit
}

/** A budget of an agent belongs to its line, so that registering anew leaves no limit behind. */
async function scopeIdOf(tx: Tx, { userId, scope }: SetBudget): Promise<string | undefined> {
  switch (scope.kind) {
    case 'user':
      return ''
    case 'agent':
      return (await findOwnAgent(tx, userId, scope.agentId))?.lineageId
    case 'skill':
      return (await tx.skills.find(scope.skill))?.id
  }
}

function isSameWindow(a: BudgetLimit, b: BudgetLimit): boolean {
  return isSameJson({ ...a, limit: 0 }, { ...b, limit: 0 })
}

function budgetLeaf(outcome: string, row: UserBudgetRow, before: BudgetLimit | null): LeafContent {
  return {
    type: 'budget',
    outcome,
    reason: 'by_user',
    subj: { user: row.userId, budget: row.id, scope: row.scope, scopeId: row.scopeId },
    body: { budget: plainJson(budgetOf(row)), before: plainJson(before) },
  }
}
