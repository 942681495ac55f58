import { endOfNamed, periodAt } from './calendar.ts'
import { type Counter, type CounterSpec, type CounterWindow, counterIdOf, type Sum } from './counter.ts'

/** A stretch of time for summing legs: after `fromMs`, up to and including `toMs`. */
export interface LegRange {
  readonly fromMs: number
  readonly toMs: number
}

/**
 * The legs that a counter seen for the first time starts from, so that a new limit counts what was spent before.
 *
 * @throws RangeError for a zone this runtime does not know.
 */
export function initialRange(window: CounterWindow, nowMs: number, zone: string): LegRange {
  switch (window.kind) {
    case 'rolling':
      return { fromMs: nowMs - window.ms, toMs: nowMs }
    case 'calendar':
      return { fromMs: periodAt(nowMs, zone, window.period).startMs - 1, toMs: nowMs }
    case 'lifetime':
      return { fromMs: -1, toMs: nowMs }
  }
}

/** A counter that starts with `sum`, which the caller took over `initialRange` of the same window, instant and zone. */
export function newCounter(spec: CounterSpec, sum: Sum, nowMs: number, zone: string): Counter {
  const period =
    spec.window.kind === 'calendar'
      ? periodAt(nowMs, zone, spec.window.period)
      : { startMs: 0, endMs: Number.MAX_SAFE_INTEGER }
  return {
    counterId: counterIdOf(spec),
    scope: spec.scope,
    measure: spec.measure,
    currency: spec.currency,
    window: spec.window,
    zone,
    tailMs: initialRange(spec.window, nowMs, zone).fromMs,
    periodStartMs: period.startMs,
    periodEndMs: period.endMs,
    held: sum.held,
    captured: sum.captured,
    ceiling: sum.held + sum.captured,
  }
}

/**
 * The instant at which an action over these counters is decided and its leg reserved: the clock, but never before
 * what a counter has already seen, and never the instant of a yes, after which unasked spending starts anew
 * (a leg of that very millisecond would belong to neither side). Whoever keeps the last time seen keeps this one.
 */
export function decisionTime(counters: readonly Counter[], nowMs: number): number {
  let atMs = nowMs
  for (const counter of counters) {
    if (counter.measure === 'unasked') atMs = Math.max(atMs, counter.tailMs + 1)
    else if (counter.window.kind === 'rolling') atMs = Math.max(atMs, counter.tailMs + counter.window.ms)
    else atMs = Math.max(atMs, counter.periodStartMs)
  }
  return atMs
}

/**
 * The legs that have left a rolling window and are still counted, or null if none can have. A leg counts until
 * exactly the window's length has passed: one reserved at t is out at t + ms, and in one millisecond before.
 * Each leg is in one such range only, however often it is asked.
 */
export function dueSlide(counter: Counter, nowMs: number): LegRange | null {
  if (counter.window.kind !== 'rolling') return null
  const toMs = nowMs - counter.window.ms
  return toMs > counter.tailMs ? { fromMs: counter.tailMs, toMs } : null
}

/** Takes out the legs of `dueSlide`, summed as they stand now; a `toMs` at or before the tail changes nothing. */
export function applySlide(counter: Counter, leaving: Sum, toMs: number): Counter {
  if (toMs <= counter.tailMs) return counter
  return {
    ...counter,
    tailMs: toMs,
    held: counter.held - leaving.held,
    captured: counter.captured - leaving.captured,
  }
}

/**
 * The counter in the calendar period of `nowMs`; the same object while nothing changes, which costs a comparison.
 *
 * A period keeps its name (2025-06) until it ends, and ends when that name has ended in the zone it was named in
 * and in every zone the user moved to meanwhile: so moving starts no second June and no early July. The next period
 * begins there, or where its own name begins if that is later. A clock that steps back changes nothing.
 *
 * @throws RangeError for a zone this runtime does not know.
 */
export function rollPeriod(counter: Counter, nowMs: number, zone: string): Counter {
  if (counter.window.kind !== 'calendar') return counter
  if (nowMs < counter.periodEndMs && zone === counter.zone) return counter

  const endMs = zone === counter.zone ? counter.periodEndMs : endAlsoIn(zone, counter, counter.window.period)
  if (nowMs < endMs) return endMs === counter.periodEndMs ? counter : { ...counter, periodEndMs: endMs }

  const period = periodAt(nowMs, zone, counter.window.period)
  const startMs = Math.max(endMs, period.startMs)
  return {
    ...counter,
    zone,
    tailMs: startMs - 1,
    periodStartMs: startMs,
    periodEndMs: period.endMs,
    held: 0,
    captured: 0,
  }
}

function endAlsoIn(zone: string, counter: Counter, period: 'day' | 'week' | 'month'): number {
  const { nameMs } = periodAt(counter.periodStartMs, counter.zone, period)
  return Math.max(counter.periodEndMs, endOfNamed(nameMs, zone, period))
}

/** Starts an unasked counter anew after a yes: nothing up to and including `nowMs` is ever counted again. */
export function restart(counter: Counter, nowMs: number): Counter {
  if (nowMs < counter.tailMs) return counter
  return { ...counter, tailMs: nowMs, held: 0, captured: 0 }
}
