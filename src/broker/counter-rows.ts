import type { Counter, CounterWindow, Leg, Measure } from '../core/spending/counter.ts'
import type { CounterRow } from '../ports/rows.ts'
import type { LegRow } from '../ports/store.ts'

export function toCounter(row: CounterRow): Counter {
  return {
    counterId: row.counterId,
    scope: { agentLineage: row.lineageId, skill: row.skillId, action: row.action },
    measure: row.measure as Measure,
    currency: row.currency,
    window: windowOf(row),
    zone: row.zone,
    tailMs: row.tailMs,
    periodStartMs: row.periodStartMs,
    periodEndMs: row.periodEndMs,
    held: row.held,
    captured: row.captured,
    ceiling: row.ceiling,
  }
}

/** @throws Error for a window this version does not know: counting it wrongly would be worse. */
function windowOf(row: CounterRow): CounterWindow {
  if (row.windowKind === 'rolling' && row.windowMs !== null) return { kind: 'rolling', ms: row.windowMs }
  if (row.windowKind === 'lifetime') return { kind: 'lifetime' }
  const { period } = row
  if (row.windowKind === 'calendar' && (period === 'day' || period === 'week' || period === 'month')) {
    return { kind: 'calendar', period }
  }
  throw new Error(`counter with an unknown window: ${row.windowKind}`)
}

export function fromCounter(userId: string, counter: Counter): CounterRow {
  const { window } = counter
  return {
    userId,
    counterId: counter.counterId,
    lineageId: counter.scope.agentLineage,
    skillId: counter.scope.skill,
    action: counter.scope.action,
    measure: counter.measure,
    currency: counter.currency,
    windowKind: window.kind,
    windowMs: window.kind === 'rolling' ? window.ms : null,
    period: window.kind === 'calendar' ? window.period : null,
    zone: counter.zone,
    tailMs: counter.tailMs,
    periodStartMs: counter.periodStartMs,
    periodEndMs: counter.periodEndMs,
    held: counter.held,
    captured: counter.captured,
    ceiling: counter.ceiling,
  }
}

/** An action's row as the ledger sees it. */
export function toLeg(row: LegRow): Leg {
  return {
    agentLineage: row.lineageId,
    skill: row.skillId,
    action: row.action,
    currency: row.currency,
    heldMinor: row.heldMinor,
    capturedMinor: row.capturedMinor,
    reservedAtMs: row.reservedAtMs ?? 0,
    open: row.status === 'dispatched' || row.status === 'in_doubt',
    asked: row.asked,
    counted: row.counted,
  }
}
