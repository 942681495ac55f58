import {
  type CoveringLimit,
  coveringLimit,
  type ReserveOutcome,
  reserve,
} from '../../src/core/spending/budget.ts'
import {
  type Counter,
  type CounterSpec,
  counterIdOf,
  counterSpecOf,
  covers,
  type Leg,
  type Sum,
  weightOf,
} from '../../src/core/spending/counter.ts'
import { type Settlement, settle, settledLeg } from '../../src/core/spending/settlement.ts'
import {
  applySlide,
  decisionTime,
  dueSlide,
  initialRange,
  type LegRange,
  newCounter,
  restart,
  rollPeriod,
} from '../../src/core/spending/window.ts'
import type { OwnedBudget, Try } from './spending-oracle.ts'

/** One user's counters and legs, driven the way a store drives them: load, slide, roll, reserve, save. */
export function createBook(unasked: { readonly currency: string; readonly windowMs: number }) {
  const legs: Leg[] = []
  const counters = new Map<string, Counter>()
  let lastSeenMs = 0

  const save = (changed: readonly Counter[]) => {
    for (const counter of changed) {
      // What the database checks of every row.
      const used = counter.held + counter.captured
      if (!(counter.held >= 0 && counter.captured >= 0 && used <= counter.ceiling))
        throw new Error(`the row ${JSON.stringify(counter)} breaks its constraint`)
      counters.set(counter.counterId, counter)
    }
  }
  const sumOf = (spec: CounterSpec, { fromMs, toMs }: LegRange): Sum => {
    const sums = legs
      .filter((leg) => leg.reservedAtMs > fromMs && leg.reservedAtMs <= toMs)
      .map((leg) => weightOf(spec, leg))
    return {
      held: sums.reduce((total, sum) => total + sum.held, 0),
      captured: sums.reduce((total, sum) => total + sum.captured, 0),
    }
  }
  const open = (spec: CounterSpec | null, nowMs: number, zone: string) => {
    if (spec === null || counters.has(counterIdOf(spec))) return
    save([newCounter(spec, sumOf(spec, initialRange(spec.window, nowMs, zone)), nowMs, zone)])
  }
  const advance = (counter: Counter, nowMs: number, zone: string): Counter => {
    const due = dueSlide(counter, nowMs)
    return due ? applySlide(counter, sumOf(counter, due), due.toMs) : rollPeriod(counter, nowMs, zone)
  }
  const unaskedSpec = (agent: string, skill: string): CounterSpec => ({
    scope: { agentLineage: agent, skill, action: null },
    measure: 'unasked',
    currency: unasked.currency,
    window: { kind: 'rolling', ms: unasked.windowMs },
  })
  const limitsFor = (budgets: readonly OwnedBudget[], by: Try): CoveringLimit[] =>
    budgets
      .filter(({ owner, agent }) => owner === 'user' || owner === 'skill' || agent === by.agent)
      .filter(({ owner, skill }) => owner === 'user' || owner === 'agent' || skill === by.skill)
      .map(({ owner, budget }) => coveringLimit(owner, { ...by, agentLineage: by.agent }, budget))
      .filter((limit) => limit !== null)

  return {
    legs,
    counters,
    /** The time of an action by `agent`; never before the last one. */
    timeAt(clockMs: number): number {
      lastSeenMs = decisionTime([...counters.values()], Math.max(clockMs, lastSeenMs))
      return lastSeenMs
    },
    counterOf(owned: OwnedBudget): Counter | undefined {
      const spec = counterSpecOf(
        owned.owner,
        { agentLineage: owned.agent, skill: owned.skill, action: '' },
        owned.budget,
      )
      return spec ? counters.get(counterIdOf(spec)) : undefined
    },
    unaskedCounter: (agent: string, skill: string) => counters.get(counterIdOf(unaskedSpec(agent, skill))),
    act(by: Try, asked: boolean, budgets: readonly OwnedBudget[], zone: string): ReserveOutcome {
      const subject = { agentLineage: by.agent, skill: by.skill, action: by.action }
      const limits = limitsFor(budgets, by)
      for (const { owner, budget } of limits) {
        if (budget.measure === 'count' || budget.currency === by.currency)
          open(counterSpecOf(owner, subject, budget), by.atMs, zone)
      }
      open(unaskedSpec(by.agent, by.skill), by.atMs, zone)
      save(
        [...counters.values()]
          .filter((counter) => covers(counter.scope, subject))
          .map((counter) => advance(counter, by.atMs, zone)),
      )
      const amount = by.currency === null ? null : { amountMinor: by.amountMinor, currency: by.currency }
      const wanted = { ...subject, reservedAtMs: by.atMs, amount, asked }
      const covering = [...counters.values()].filter((counter) => covers(counter.scope, subject))
      const outcome = reserve(wanted, covering, limits)
      if (outcome.kind !== 'reserved') return outcome
      save(outcome.counters)
      legs.push({
        ...subject,
        reservedAtMs: by.atMs,
        currency: by.currency,
        heldMinor: by.currency === null ? 0 : by.amountMinor,
        capturedMinor: 0,
        open: true,
        asked,
        counted: true,
      })
      return outcome
    },
    settle(index: number, settlement: Settlement) {
      const leg = legs[index]
      if (!leg) throw new Error('no such leg')
      save(settle([...counters.values()], leg, settlement))
      legs[index] = settledLeg(leg, settlement)
    },
    yes(agent: string, skill: string, atMs: number) {
      const counter = counters.get(counterIdOf(unaskedSpec(agent, skill)))
      if (counter) save([restart(counter, atMs)])
    },
  }
}
