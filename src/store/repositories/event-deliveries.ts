import { and, asc, desc, eq, getTableColumns, lte, sql } from 'drizzle-orm'
import type { EventDeliveryRow } from '../../ports/revocation-rows.ts'
import type { EventDeliveries } from '../../ports/revocation-store.ts'
import { allGiven, given } from '../dialect.ts'
import { done, first, mapped, type Preparation, Repository } from './repository.ts'

export function prepareEventDeliveries({ db, t: { eventDeliveries: e }, d }: Preparation) {
  const p = sql.placeholder
  const byId = eq(e.id, p('id'))
  // A literal, so that the index of what waits is the one that is used.
  const waiting = sql`${e.status} = 'waiting'`
  return {
    insert: d.prepare('event_deliveries_insert', db.insert(e).values(allGiven(getTableColumns(e)))),
    due: d.prepare(
      'event_deliveries_due',
      db
        .select()
        .from(e)
        .where(and(waiting, lte(e.nextAtMs, p('nowMs'))))
        .orderBy(asc(e.nextAtMs))
        .limit(p('limit')),
    ),
    nextDue: d.prepare(
      'event_deliveries_next_due',
      db.select({ nextAtMs: e.nextAtMs }).from(e).where(waiting).orderBy(asc(e.nextAtMs)).limit(1),
    ),
    claim: d.prepare(
      'event_deliveries_claim',
      db
        .update(e)
        .set({ nextAtMs: given(e.nextAtMs, 'leaseUntilMs'), attempts: sql`${e.attempts} + 1` })
        .where(and(byId, waiting, eq(e.nextAtMs, p('seenNextAtMs'))))
        .returning(),
    ),
    settle: d.prepare(
      'event_deliveries_settle',
      db
        .update(e)
        .set({
          status: given(e.status, 'status'),
          nextAtMs: given(e.nextAtMs, 'nextAtMs'),
          answeredAtMs: given(e.answeredAtMs, 'answeredAtMs'),
          fault: given(e.fault, 'fault'),
        })
        .where(and(byId, waiting)),
    ),
    ofRevocation: d.prepare(
      'event_deliveries_of_revocation',
      db
        .select()
        .from(e)
        .where(and(eq(e.userId, p('userId')), eq(e.revocationId, p('revocationId'))))
        // Skills first, then agents.
        .orderBy(desc(e.receiverKind), asc(e.receiverId), asc(e.id)),
    ),
    removeExpired: d.prepare(
      'event_deliveries_remove_expired',
      db.delete(e).where(lte(e.expiresAtMs, p('nowMs'))),
    ),
  }
}

export class EventDeliveryRepository
  extends Repository<ReturnType<typeof prepareEventDeliveries>>
  implements EventDeliveries
{
  insert(row: EventDeliveryRow) {
    return done(this.run(this.q.insert, row))
  }

  due(nowMs: number, limit: number) {
    return this.run(this.q.due, { nowMs, limit })
  }

  nextDueMs() {
    return first(mapped(this.run(this.q.nextDue, {}), ({ nextAtMs }) => nextAtMs))
  }

  claim({ id, nextAtMs }: Pick<EventDeliveryRow, 'id' | 'nextAtMs'>, leaseUntilMs: number) {
    return first(this.run(this.q.claim, { id, seenNextAtMs: nextAtMs, leaseUntilMs }))
  }

  settle(row: Pick<EventDeliveryRow, 'id' | 'status' | 'nextAtMs' | 'answeredAtMs' | 'fault'>) {
    return done(this.run(this.q.settle, row))
  }

  ofRevocation(revocationId: string, userId: string) {
    return this.run(this.q.ofRevocation, { revocationId, userId })
  }

  removeExpired(nowMs: number) {
    return done(this.run(this.q.removeExpired, { nowMs }))
  }
}
