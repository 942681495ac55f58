import { type Counter, counterSpecFrom, type Leg } from '../core/spending/counter.ts'
import type { CounterKeys, CounterRow } from '../ports/rows.ts'
import type { LegRow } from '../ports/store.ts'

export function toCounter(row: CounterRow): Counter {
  return { ...counterSpecFrom(row.counterId), ...row }
}

export function fromCounter(userId: string, counter: Counter): CounterRow & CounterKeys {
  return {
    userId,
    counterId: counter.counterId,
    lineageId: counter.scope.agentLineage,
    skillId: counter.scope.skill,
    action: counter.scope.action,
    currency: counter.currency,
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
