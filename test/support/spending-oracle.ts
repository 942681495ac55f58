import type { BudgetLimit } from '../../src/core/spending/budget-limit.ts'
import type { BudgetOwner } from '../../src/core/spending/counter.ts'
import { type LocalDates, periodOfDate } from './local-dates.ts'

/** One permitted action, kept for ever. */
export interface Entry {
  readonly atMs: number
  readonly agent: string
  readonly skill: string
  readonly action: string
  readonly currency: string | null
  readonly reservedMinor: number
  readonly asked: boolean
  state: 'open' | 'captured' | 'released'
  capturedMinor: number
}

/** A budget as its owner wrote it, for one agent and skill where its owner is bound to them. */
export interface OwnedBudget {
  readonly owner: BudgetOwner
  readonly agent: string
  readonly skill: string
  readonly budget: BudgetLimit
}

export interface Try {
  readonly atMs: number
  readonly agent: string
  readonly skill: string
  readonly action: string
  readonly currency: string | null
  readonly amountMinor: number
}

export type Verdict =
  | { kind: 'reserved' }
  | { kind: 'currency_without_budget' }
  | { kind: 'exceeds_limit'; owner: BudgetOwner; availableMinor: number }

interface Stretch {
  readonly name: string
  readonly next: string
  readonly startMs: number
  readonly endMs: number
}

/**
 * Recounts everything from all entries each time, knows no counters, and reads dates from tables. The only thing it
 * remembers besides entries is which stretch of time each calendar window stands at, since moving changes that.
 */
export function createOracle(datesOf: (zone: string) => LocalDates) {
  const entries: Entry[] = []
  const stretches = new Map<string, Stretch>()
  const yeses = new Map<string, number>()

  const covering = ({ owner, agent, skill, budget }: OwnedBudget, by: Omit<Try, 'atMs' | 'amountMinor'>) =>
    (owner === 'user' || owner === 'skill' || agent === by.agent) &&
    (owner === 'user' || owner === 'agent' || skill === by.skill) &&
    (budget.action === undefined || budget.action === by.action) &&
    (budget.measure === 'count' || budget.currency === by.currency)

  const worth = (entry: Entry, measure: 'amount' | 'count') => {
    if (entry.state === 'released') return 0
    if (measure === 'count') return 1
    return entry.state === 'open' ? entry.reservedMinor : entry.capturedMinor
  }

  /** What makes two budgets share their past: everything but the limit. */
  const keyOf = ({ owner, agent, skill, budget }: OwnedBudget) =>
    JSON.stringify([
      owner === 'grant' || owner === 'agent' ? agent : '',
      owner === 'grant' || owner === 'skill' ? skill : '',
      { ...budget, limit: 0 },
    ])

  const stretchOf = (key: string, period: 'day' | 'week' | 'month', atMs: number, zone: string): Stretch => {
    const dates = datesOf(zone)
    const known = stretches.get(key)
    const endMs = known ? Math.max(known.endMs, dates.startOf(known.next)) : 0
    if (known && atMs < endMs) {
      const same = { ...known, endMs }
      stretches.set(key, same)
      return same
    }
    const { first, next } = periodOfDate(dates.at(atMs), period)
    if (known && known.name >= first) throw new Error('a period began twice')
    const startMs = Math.max(endMs, dates.startOf(first))
    const fresh = { name: first, next, startMs, endMs: dates.startOf(next) }
    stretches.set(key, fresh)
    return fresh
  }

  const inWindow = (owned: OwnedBudget, atMs: number, zone: string): ((entry: Entry) => boolean) => {
    const { window } = owned.budget
    if (window.kind === 'per_action') return () => false
    if (window.kind === 'lifetime') return () => true
    if (window.kind === 'rolling') return (entry) => entry.atMs + window.ms > atMs
    const { startMs, endMs } = stretchOf(keyOf(owned), window.period, atMs, zone)
    return (entry) => entry.atMs >= startMs && entry.atMs < endMs
  }

  const usedOf = (owned: OwnedBudget, atMs: number, zone: string) =>
    entries
      .filter((entry) => covering(owned, entry))
      .filter(inWindow(owned, atMs, zone))
      .reduce((sum, entry) => sum + worth(entry, owned.budget.measure), 0)

  return {
    entries,
    usedOf,
    /** Windows that cover an action follow the user's zone at each of its decisions, limit in force or not. */
    follow(known: readonly OwnedBudget[], by: Try, zone: string) {
      for (const owned of known) {
        const sees = { ...by, currency: owned.budget.measure === 'amount' ? owned.budget.currency : null }
        if (covering(owned, sees)) inWindow(owned, by.atMs, zone)
      }
    },
    verdict(budgets: readonly OwnedBudget[], by: Try, zone: string): Verdict {
      const binding = budgets.filter((owned) => covering(owned, by))
      if (by.currency !== null && !binding.some(({ budget }) => budget.measure === 'amount'))
        return { kind: 'currency_without_budget' }
      for (const owned of binding) {
        const left = owned.budget.limit - usedOf(owned, by.atMs, zone)
        const wanted = owned.budget.measure === 'count' ? 1 : by.amountMinor
        if (wanted > left)
          return { kind: 'exceeds_limit', owner: owned.owner, availableMinor: left > 0 ? left : 0 }
      }
      return { kind: 'reserved' }
    },
    yes(agent: string, skill: string, atMs: number) {
      yeses.set(`${agent} ${skill}`, atMs)
    },
    /** What went without a yes since the last one, in a rolling window. */
    unaskedOf(agent: string, skill: string, currency: string, windowMs: number, atMs: number) {
      const sinceMs = yeses.get(`${agent} ${skill}`) ?? -1
      return entries
        .filter((entry) => entry.agent === agent && entry.skill === skill && entry.currency === currency)
        .filter((entry) => !entry.asked && entry.atMs > sinceMs && entry.atMs + windowMs > atMs)
        .reduce((sum, entry) => sum + worth(entry, 'amount'), 0)
    },
  }
}
