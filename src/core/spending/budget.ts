import type { BudgetLimit } from './budget-limit.ts'
import {
  type BudgetOwner,
  type Counter,
  counterIdOf,
  counterSpecOf,
  counts,
  inWindow,
  type Measure,
  type Subject,
} from './counter.ts'
import { type ForgottenSpan, isForgotten } from './forgotten.ts'

/** Minor units of one currency, an ISO 4217 code. */
export interface Amount {
  readonly amountMinor: number
  readonly currency: string
}

/** A budget that covers an action, with the counter it is kept in; null for a limit per action. */
export interface CoveringLimit {
  readonly counterId: string | null
  readonly owner: BudgetOwner
  readonly budget: BudgetLimit
}

/** What an action that is about to be permitted will count as. */
export interface Wanted extends Subject {
  readonly reservedAtMs: number
  /** Null for an action that spends nothing. */
  readonly amount: Amount | null
  readonly asked: boolean
}

/** In order of precedence; the first budget that cannot hold the action is the one named. */
export type ReserveOutcome =
  | { readonly kind: 'currency_without_budget'; readonly currency: string }
  | {
      readonly kind: 'exceeds_limit'
      readonly owner: BudgetOwner
      readonly budget: BudgetLimit
      /** Minor units or actions that would still fit. */
      readonly availableMinor: number
    }
  | { readonly kind: 'total_not_safe' }
  | { readonly kind: 'reserved'; readonly counters: readonly Counter[] }

/** The limit that a budget puts on a subject, or null if the budget is for another action. */
export function coveringLimit(
  owner: BudgetOwner,
  subject: Subject,
  budget: BudgetLimit,
): CoveringLimit | null {
  if (budget.action !== undefined && budget.action !== subject.action) return null
  const spec = counterSpecOf(owner, subject, budget)
  return { counterId: spec && counterIdOf(spec), owner, budget }
}

/** `amountMinor` times over, for what makes a skill act again later; null when it is no safe integer. */
export function totalOf(amountMinor: number, times: number): number | null {
  requireMinor(amountMinor)
  requireMinor(times)
  const total = amountMinor * times
  return Number.isSafeInteger(total) ? total : null
}

/**
 * Holds an action's amount, and its count, in every counter that covers it, or in none.
 *
 * `counters` are the user's rows, slid and rolled to `wanted.reservedAtMs`; rows that do not cover the action are
 * left alone, and rows that no limit uses any more are kept up, so that a limit given again finds its past. An amount
 * needs at least one budget in its currency, of whatever window (a limit per action is one). A limit below what is
 * already used permits nothing more, and neither does one whose window holds time that a restore has forgotten. Returned are the rows that changed.
 *
 * @throws RangeError if the amount is negative or fractional, or a limit's counter is missing or not at this instant:
 * callers have parsed the one and prepared the other.
 */
export function reserve(
  wanted: Wanted,
  counters: readonly Counter[],
  limits: readonly CoveringLimit[],
  forgotten: readonly ForgottenSpan[] = [],
): ReserveOutcome {
  const { amount } = wanted
  if (amount) requireMinor(amount.amountMinor)
  const binding = limits.filter((limit) => binds(limit, wanted))

  if (amount && !binding.some((limit) => limit.budget.measure === 'amount'))
    return { kind: 'currency_without_budget', currency: amount.currency }

  for (const { counterId, owner, budget } of binding) {
    const left = leftOf(counterId, budget.limit, counters, wanted.reservedAtMs, forgotten)
    if (weight(budget.measure, amount) > left)
      return { kind: 'exceeds_limit', owner, budget, availableMinor: Math.max(0, left) }
  }

  const changed: Counter[] = []
  for (const counter of counters) {
    if (!counts(counter, { ...wanted, currency: amount?.currency ?? null })) continue
    if (startedAnewAt(counter, wanted.reservedAtMs)) continue
    requireAt(counter, wanted.reservedAtMs)
    const added = weight(counter.measure, amount)
    const total = counter.held + counter.captured + added
    if (!Number.isSafeInteger(total)) return { kind: 'total_not_safe' }
    changed.push({
      ...counter,
      held: counter.held + added,
      ceiling: ceilingOf(counter, total, binding),
    })
  }
  return { kind: 'reserved', counters: changed }
}

function binds({ budget }: CoveringLimit, { action, amount }: Wanted): boolean {
  if (budget.action !== undefined && budget.action !== action) return false
  return budget.measure === 'count' || budget.currency === amount?.currency
}

function weight(measure: Measure, amount: Amount | null): number {
  return measure === 'count' ? 1 : (amount?.amountMinor ?? 0)
}

function leftOf(
  counterId: string | null,
  limit: number,
  counters: readonly Counter[],
  atMs: number,
  forgotten: readonly ForgottenSpan[],
): number {
  if (counterId === null) return limit
  const counter = counters.find((row) => row.counterId === counterId)
  if (!counter) throw new RangeError(`no counter ${counterId}`)
  requireAt(counter, atMs)
  // What a restore has forgotten may have used all of it.
  return isForgotten(counter, forgotten) ? 0 : limit - counter.held - counter.captured
}

/** A counter left at an earlier period would lose this leg when it rolls, so nothing is reserved then. */
function requireAt(counter: Counter, atMs: number): void {
  if (!inWindow(counter, atMs)) throw new RangeError(`counter ${counter.counterId} is not at this instant`)
}

/** The instant of a yes itself is behind an unasked counter; `decisionTime` keeps actions out of it. */
function startedAnewAt(counter: Counter, atMs: number): boolean {
  return counter.measure === 'unasked' && atMs <= counter.tailMs
}

/** The strictest limit in force, so that the database itself refuses to overspend; without one, room as it was. */
function ceilingOf(counter: Counter, total: number, limits: readonly CoveringLimit[]): number {
  const inForce = limits
    .filter((limit) => limit.counterId === counter.counterId)
    .map((limit) => limit.budget.limit)
  return Math.max(total, inForce.length > 0 ? Math.min(...inForce) : counter.ceiling)
}

function requireMinor(value: number): void {
  if (!Number.isInteger(value) || value < 0) throw new RangeError('an amount is a whole number from 0')
}
