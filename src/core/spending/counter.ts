import type { BudgetLimit, BudgetWindow } from './budget-limit.ts'

/** Whose actions a counter counts; null covers all. An agent is its lineage, so registering anew starts nothing. */
export interface CounterScope {
  readonly agentLineage: string | null
  readonly skill: string | null
  readonly action: string | null
}

/** Who does what: the part of an action that scopes look at. */
export interface Subject {
  readonly agentLineage: string
  readonly skill: string
  readonly action: string
}

/**
 * What is added up: minor units of one currency, permitted actions, or minor units that went without a yes
 * (for the ask-first rule `above_unasked`).
 */
export type Measure = 'amount' | 'count' | 'unasked'

/** A limit per action compares one action with itself, so it needs no counter. */
export type CounterWindow = Exclude<BudgetWindow, { kind: 'per_action' }>

/** What makes a counter this one and no other. Limit, zone, grant and manifest are not part of it. */
export interface CounterSpec {
  readonly scope: CounterScope
  readonly measure: Measure
  /** Null exactly for the measure `count`. */
  readonly currency: string | null
  readonly window: CounterWindow
}

/** Minor units, or actions where the measure is `count`. Overrun is in neither. */
export interface Sum {
  readonly held: number
  readonly captured: number
}

/** One row per user and `counterId`; held and captured always equal the sum of the legs in its window. */
export interface Counter extends CounterSpec, Sum {
  readonly counterId: string
  /** The zone in which the current calendar period was named; without meaning for other windows. */
  readonly zone: string
  /** Legs at or before this instant have left or were never counted. */
  readonly tailMs: number
  /** The calendar period [start, end); from 0 to the end of safe integers for other windows. */
  readonly periodStartMs: number
  readonly periodEndMs: number
  /** The most that held + captured may reach; the database checks it. */
  readonly ceiling: number
}

/** One permitted action as it stands now, as the rows of `actions` tell it. */
export interface Leg extends Subject {
  readonly reservedAtMs: number
  readonly currency: string | null
  /** Zero once settled. */
  readonly heldMinor: number
  /** Zero until settled. */
  readonly capturedMinor: number
  /** Neither settled nor released. Amounts do not tell: what is free holds nothing and is open all the same. */
  readonly open: boolean
  /** A person said yes to it. */
  readonly asked: boolean
  /** False once released. */
  readonly counted: boolean
}

/** Whose budget it is. */
export type BudgetOwner = 'grant' | 'agent' | 'skill' | 'user'

export function covers(scope: CounterScope, subject: Subject): boolean {
  return (
    (scope.agentLineage === null || scope.agentLineage === subject.agentLineage) &&
    (scope.skill === null || scope.skill === subject.skill) &&
    (scope.action === null || scope.action === subject.action)
  )
}

/** Whether the window that the counter stands at holds this instant. */
export function inWindow(counter: Counter, atMs: number): boolean {
  return atMs > counter.tailMs && atMs >= counter.periodStartMs && atMs < counter.periodEndMs
}

/** Whether an action of this subject, currency and asking is of the kind that the counter adds up. */
export function counts(
  spec: CounterSpec,
  leg: Subject & { readonly currency: string | null; readonly asked: boolean },
): boolean {
  if (!covers(spec.scope, leg)) return false
  switch (spec.measure) {
    case 'amount':
      return leg.currency !== null && leg.currency === spec.currency
    case 'count':
      return true
    case 'unasked':
      return !leg.asked && leg.currency !== null && leg.currency === spec.currency
  }
}

/** What a leg adds to a counter that counts it, wherever the window stands. */
export function weightOf(spec: CounterSpec, leg: Leg): Sum {
  if (!leg.counted || !counts(spec, leg)) return { held: 0, captured: 0 }
  if (spec.measure !== 'count') return { held: leg.heldMinor, captured: leg.capturedMinor }
  return leg.open ? { held: 1, captured: 0 } : { held: 0, captured: 1 }
}

/** A stable text key: equal specs give equal keys and different ones different keys, whatever the names hold. */
export function counterIdOf(spec: CounterSpec): string {
  const { scope, window } = spec
  return [
    `a:${partOf(scope.agentLineage)}`,
    `s:${partOf(scope.skill)}`,
    `x:${partOf(scope.action)}`,
    spec.measure,
    partOf(spec.currency),
    windowKey(window),
  ].join('|')
}

/** Keys come back with every row, and there are few different ones for each user. */
const specs = new Map<string, CounterSpec>()
const SPECS_KEPT = 100_000

/**
 * Reads a counter's key back.
 *
 * @throws Error for a key this version does not know: counting it wrongly would be worse than not at all.
 */
export function counterSpecFrom(counterId: string): CounterSpec {
  const known = specs.get(counterId)
  if (known) return known
  const [agentLineage, skill, action, measure, currency, window] = counterId.split('|')
  if (measure !== 'amount' && measure !== 'count' && measure !== 'unasked') {
    throw new Error(`a counter of an unknown measure: ${counterId}`)
  }
  const spec: CounterSpec = {
    scope: {
      agentLineage: fromPart(agentLineage?.slice(2)),
      skill: fromPart(skill?.slice(2)),
      action: fromPart(action?.slice(2)),
    },
    measure,
    currency: fromPart(currency),
    window: windowFrom(window),
  }
  if (counterIdOf(spec) !== counterId) throw new Error(`not a counter's key: ${counterId}`)
  if (specs.size >= SPECS_KEPT) specs.clear()
  specs.set(counterId, spec)
  return spec
}

function windowFrom(key: string | undefined): CounterWindow {
  if (key === 'lifetime') return { kind: 'lifetime' }
  if (key === 'day' || key === 'week' || key === 'month') return { kind: 'calendar', period: key }
  return { kind: 'rolling', ms: Number(key?.slice(1)) }
}

function fromPart(part: string | undefined): string | null {
  if (part === undefined || part === '*') return null
  return part.replace(/%([0-9a-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
}

function windowKey(window: CounterWindow): string {
  switch (window.kind) {
    case 'rolling':
      return `r${window.ms}`
    case 'calendar':
      return window.period
    case 'lifetime':
      return 'lifetime'
  }
}

/** A star stands for all, so a literal star, and what the key is made of, are escaped. */
function partOf(value: string | null): string {
  return value === null ? '*' : value.replace(/[%|*]/g, (found) => `%${found.charCodeAt(0).toString(16)}`)
}

/** The counter a budget of this owner is kept in, or null for a limit per action, which needs none. */
export function counterSpecOf(owner: BudgetOwner, subject: Subject, budget: BudgetLimit): CounterSpec | null {
  if (budget.window.kind === 'per_action') return null
  return {
    scope: {
      agentLineage: owner === 'grant' || owner === 'agent' ? subject.agentLineage : null,
      skill: owner === 'grant' || owner === 'skill' ? subject.skill : null,
      action: budget.action ?? null,
    },
    measure: budget.measure,
    currency: budget.measure === 'amount' ? budget.currency : null,
    window: budget.window,
  }
}
