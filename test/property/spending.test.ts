import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { counterFaults } from '../../src/core/spending/recount.ts'
import { captureOf } from '../../src/core/spending/settlement.ts'
import { type LocalDates, lookUpLocalDates } from '../support/local-dates.ts'
import { createBook } from '../support/spending-book.ts'
import { createOracle, type OwnedBudget, type Try } from '../support/spending-oracle.ts'
import { BUDGETS, type Step, stepArbitrary, ZONES } from '../support/spending-steps.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const UNASKED = { currency: 'CNY', windowMs: 2 * HOUR_MS }
/** Both change clocks within days; the second skips 2011-12-30 in Apia and holds a leap day. */
const ERAS_MS = [Date.parse('2025-03-27T09:00:00Z'), Date.parse('2011-12-27T22:00:00Z')]
const ERA_LENGTH_MS = 150 * DAY_MS

const tables = new Map<string, LocalDates>()
function datesIn(eraMs: number, zone: string): LocalDates {
  const key = `${zone} ${eraMs}`
  const known = tables.get(key)
  if (known) return known
  const table = lookUpLocalDates(zone, eraMs - 40 * DAY_MS, eraMs + ERA_LENGTH_MS + 80 * DAY_MS)
  tables.set(key, table)
  return table
}

describe('the ledger', () => {
  it('agrees with a recount of everything, at any interleaving, clock and zone', () => {
    const seen = {
      steps: 0,
      reserved: 0,
      exceeds_limit: 0,
      currency_without_budget: 0,
      settled: 0,
      overruns: 0,
    }
    fc.assert(
      fc.property(
        fc.constantFrom(...ERAS_MS),
        fc.constantFrom(...ZONES),
        fc.array(stepArbitrary, { minLength: 60, maxLength: 140 }),
        (eraMs, zone, steps) => live(eraMs, zone, steps, seen),
      ),
      { seed: 1, numRuns: 250 },
    )
    // A run that never came near a limit, or never settled anything, would prove nothing.
    expect(seen.steps).toBeGreaterThan(15_000)
    expect(seen.reserved).toBeGreaterThan(2000)
    expect(seen.exceeds_limit).toBeGreaterThan(1000)
    expect(seen.currency_without_budget).toBeGreaterThan(500)
    expect(seen.settled).toBeGreaterThan(1000)
    expect(seen.overruns).toBeGreaterThan(100)
  })
})

type Seen = Record<
  'steps' | 'reserved' | 'exceeds_limit' | 'currency_without_budget' | 'settled' | 'overruns',
  number
>

/** Lives one user's life twice, in the ledger and in the oracle, and compares them after every step. */
function live(eraMs: number, firstZone: string, steps: readonly Step[], seen: Seen): void {
  const datesOf = (name: string) => datesIn(eraMs, name)
  const book = createBook(UNASKED)
  const oracle = createOracle(datesOf)
  const inForce: (OwnedBudget | null)[] = BUDGETS.map((owned) => withLimit(owned, owned.limits[0] ?? 0))
  const known = new Set<OwnedBudget>()
  const openLegs = () => book.legs.flatMap((leg, index) => (leg.open ? [index] : []))
  let clockMs = eraMs
  let latestMs = 0
  let zone = firstZone

  for (const step of steps) {
    seen.steps += 1
    switch (step.kind) {
      case 'act': {
        const atMs = book.timeAt(clockMs)
        expect(atMs).toBeGreaterThanOrEqual(Math.max(clockMs, latestMs))
        expect(atMs).toBeLessThanOrEqual(Math.max(clockMs, latestMs) + 1)
        latestMs = atMs
        const by: Try = { ...step, atMs }
        const budgets = inForce.filter((owned) => owned !== null)
        for (const owned of budgets) if (isMet(owned, by)) known.add(owned)
        oracle.follow([...known], by, zone)
        const verdict = oracle.verdict(budgets, by, zone)
        const outcome = book.act(by, step.asked, budgets, zone)
        expect(outcome).toMatchObject(verdict)
        if (outcome.kind !== 'total_not_safe') seen[outcome.kind] += 1
        if (outcome.kind === 'reserved') {
          const reservedMinor = by.currency === null ? 0 : by.amountMinor
          oracle.entries.push({ ...by, reservedMinor, asked: step.asked, state: 'open', capturedMinor: 0 })
          for (const owned of budgets) {
            if (isMet(owned, by))
              expect(oracle.usedOf(owned, atMs, zone)).toBeLessThanOrEqual(owned.budget.limit)
          }
        }
        for (const owned of known) {
          const counter = isCovered(owned, by) ? book.counterOf(owned) : undefined
          if (counter) expect(counter.held + counter.captured).toBe(oracle.usedOf(owned, atMs, zone))
        }
        const unasked = book.unaskedCounter(by.agent, by.skill)
        expect((unasked?.held ?? 0) + (unasked?.captured ?? 0)).toBe(
          oracle.unaskedOf(by.agent, by.skill, UNASKED.currency, UNASKED.windowMs, atMs),
        )
        break
      }
      case 'report': {
        const index = chosen(openLegs(), step.pick)
        const leg = index === undefined ? undefined : book.legs[index]
        const entry = index === undefined ? undefined : oracle.entries[index]
        if (index === undefined || !leg || !entry) break
        const reserved = { amountMinor: leg.heldMinor, currency: leg.currency ?? '' }
        const reported = { amountMinor: step.minor, currency: step.currency }
        const took = captureOf(reserved, leg.currency === null ? null : reported)
        expect(took.capturedMinor).toBeLessThanOrEqual(leg.heldMinor)
        if (leg.currency === step.currency && step.minor >= 0) {
          expect(took.capturedMinor + took.overrunMinor).toBe(step.minor)
        } else expect(took.capturedMinor).toBe(leg.heldMinor)
        if (took.overrunMinor > 0) seen.overruns += 1
        book.settle(index, { kind: 'capture', capturedMinor: took.capturedMinor })
        entry.state = 'captured'
        entry.capturedMinor = took.capturedMinor
        seen.settled += 1
        break
      }
      case 'release': {
        const index = chosen(openLegs(), step.pick)
        const entry = index === undefined ? undefined : oracle.entries[index]
        if (index === undefined || !entry) break
        book.settle(index, { kind: 'release' })
        entry.state = 'released'
        seen.settled += 1
        break
      }
      case 'yes':
        latestMs = book.timeAt(clockMs)
        book.yes(step.agent, step.skill, latestMs)
        oracle.yes(step.agent, step.skill, latestMs)
        break
      case 'limit': {
        const slot = step.pick % BUDGETS.length
        const owned = BUDGETS[slot]
        if (owned)
          inForce[slot] = step.inForce ? withLimit(owned, chosen(owned.limits, step.limit) ?? 0) : null
        break
      }
      case 'move':
        zone = step.zone
        break
      case 'wait':
        if (Math.max(clockMs, latestMs) + step.ms < eraMs + ERA_LENGTH_MS) clockMs += step.ms
        break
      case 'stepBack':
        clockMs -= step.ms
        break
      case 'toMidnight': {
        const nowMs = Math.max(clockMs, latestMs)
        const tomorrow = new Date(Date.parse(datesOf(zone).at(nowMs)) + DAY_MS).toISOString().slice(0, 10)
        if (nowMs < eraMs + ERA_LENGTH_MS) clockMs = datesOf(zone).startOf(tomorrow) - step.beforeMs
        break
      }
    }
    for (const counter of book.counters.values()) expect(counterFaults(counter, book.legs)).toEqual([])
  }
}

function withLimit(owned: OwnedBudget, limit: number): OwnedBudget {
  const { owner, agent, skill, budget } = owned
  return { owner, agent, skill, budget: { ...budget, limit } }
}

function chosen<T>(from: readonly T[], pickAt: number): T | undefined {
  return from.length === 0 ? undefined : from[pickAt % from.length]
}

function isCovered({ owner, agent, skill, budget }: OwnedBudget, by: Try): boolean {
  const ofAgent = owner === 'user' || owner === 'skill' || agent === by.agent
  const ofSkill = owner === 'user' || owner === 'agent' || skill === by.skill
  return ofAgent && ofSkill && (budget.action === undefined || budget.action === by.action)
}

function isMet(owned: OwnedBudget, by: Try): boolean {
  return isCovered(owned, by) && (owned.budget.measure === 'count' || owned.budget.currency === by.currency)
}
