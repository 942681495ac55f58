import {
  type Counter,
  type CounterSpec,
  counterIdOf,
  type Leg,
  type Sum,
  weightOf,
} from '../core/spending/counter.ts'
import {
  applySlide,
  decisionTime,
  dueSlide,
  initialRange,
  newCounter,
  rollPeriod,
} from '../core/spending/window.ts'
import type { Tx } from '../ports/store.ts'
import { fromCounter, toCounter, toLeg } from './counter-rows.ts'

export type CountersNow = {
  counters: Counter[]
  /** When an action decided now would count: a little later than now where a window already stands there. */
  reservedAtMs: number
  /** Those that differ from what is stored, to be saved whatever is decided: no leg is summed twice. */
  moved: Counter[]
  /** Those that are in the store already; the others are new. */
  stored: ReadonlySet<string>
}

export type Whose = {
  userId: string
  lineageId: string
  skillId: string
  action: string
  currency: string | null
  zone: string
}

/**
 * Brings the user's counters up to this instant, and makes those that are wanted and not there yet from the
 * legs of their window, so that a limit that is new counts what was spent before it.
 *
 * @param beyondAction load all of the user's counters, not just those that cover this action.
 */
export async function loadCounters(
  tx: Tx,
  whose: Whose,
  wanted: readonly CounterSpec[],
  beyondAction: boolean,
): Promise<CountersNow> {
  const { userId, lineageId, skillId, action, currency, zone } = whose
  const rows = beyondAction
    ? await tx.counters.list(userId)
    : await tx.counters.covering(userId, lineageId, skillId, action, currency)
  const stored = rows.map(toCounter)
  const reservedAtMs = decisionTime(stored, tx.nowMs)

  const known = new Set(rows.map((row) => row.counterId))
  const storedIds: ReadonlySet<string> = new Set(known)
  const isMissing = (spec: CounterSpec) => {
    const id = counterIdOf(spec)
    return !known.has(id) && known.add(id)
  }
  // All at once: over a network every window would cost a wait of its own otherwise.
  const [current, made] = await Promise.all([
    Promise.all(stored.map((counter) => bringUpTo(tx, userId, counter, reservedAtMs, zone))),
    Promise.all(
      wanted.filter(isMissing).map(async (spec) => {
        const range = initialRange(spec.window, reservedAtMs, zone)
        return newCounter(spec, await sumOf(tx, userId, spec, range), reservedAtMs, zone)
      }),
    ),
  ])
  const counters = [...current, ...made]
  const moved = [...current.filter((counter, i) => counter !== stored[i]), ...made]
  return { counters, reservedAtMs, moved, stored: storedIds }
}

/** Keeps where counters stand now; those that are not stored yet are added. */
export async function saveCounters(
  tx: Tx,
  userId: string,
  counters: readonly Counter[],
  stored: ReadonlySet<string>,
): Promise<void> {
  const isNew = (counter: Counter) => !stored.has(counter.counterId)
  if (counters.some(isNew)) {
    await tx.counters.insert(counters.filter(isNew).map((counter) => fromCounter(userId, counter)))
  }
  await tx.counters.move(
    userId,
    counters.filter((counter) => !isNew(counter)),
  )
}

async function bringUpTo(
  tx: Tx,
  userId: string,
  counter: Counter,
  atMs: number,
  zone: string,
): Promise<Counter> {
  const due = dueSlide(counter, atMs)
  if (due) return applySlide(counter, await sumOf(tx, userId, counter, due), due.toMs)
  return rollPeriod(counter, atMs, zone)
}

async function sumOf(
  tx: Tx,
  userId: string,
  spec: CounterSpec,
  range: { fromMs: number; toMs: number },
): Promise<Sum> {
  const rows = await tx.counters.legs({
    userId,
    lineageId: spec.scope.agentLineage,
    skillId: spec.scope.skill,
    action: spec.scope.action,
    currency: spec.currency,
    ...range,
  })
  return rows
    .map((row): Leg => toLeg(row))
    .map((leg) => weightOf(spec, leg))
    .reduce((sum, leg) => ({ held: sum.held + leg.held, captured: sum.captured + leg.captured }), {
      held: 0,
      captured: 0,
    })
}
