import { and, asc, desc, eq, getTableColumns, isNull, lte, sql } from 'drizzle-orm'
import type { OutboxRow } from '../../ports/reach-rows.ts'
import type { Outbox } from '../../ports/reach-store.ts'
import { allGiven, given } from '../dialect.ts'
import { done, first, found, mapped, type Preparation, Repository } from './repository.ts'

export function prepareOutbox({ db, t: { outbox: o }, d }: Preparation) {
  const p = sql.placeholder
  const byId = eq(o.id, p('id'))
  const unsent = isNull(o.sentAtMs)
  return {
    find: d.prepare('outbox_find', d.forUpdate(db.select().from(o).where(byId))),
    insert: d.prepare('outbox_insert', db.insert(o).values(allGiven(getTableColumns(o)))),
    newestOf: d.prepare(
      'outbox_newest_of',
      db
        .select()
        .from(o)
        .where(and(eq(o.userId, p('userId')), eq(o.channelId, p('channelId')), eq(o.batch, p('batch'))))
        .orderBy(desc(o.createdAtMs), desc(o.id))
        .limit(1),
    ),
    due: d.prepare(
      'outbox_due',
      db
        .select()
        .from(o)
        .where(and(unsent, lte(o.nextAtMs, p('nowMs'))))
        .orderBy(asc(o.nextAtMs))
        .limit(p('limit')),
    ),
    nextDue: d.prepare(
      'outbox_next_due',
      db.select({ nextAtMs: o.nextAtMs }).from(o).where(unsent).orderBy(asc(o.nextAtMs)).limit(1),
    ),
    claim: d.prepare(
      'outbox_claim',
      db
        .update(o)
        .set({ nextAtMs: given(o.nextAtMs, 'leaseUntilMs'), attempts: sql`${o.attempts} + 1` })
        .where(and(byId, unsent, eq(o.nextAtMs, p('seenNextAtMs'))))
        .returning(),
    ),
    markSent: d.prepare(
      'outbox_mark_sent',
      db
        .update(o)
        .set({ sentAtMs: given(o.sentAtMs, 'atMs') })
        .where(and(byId, unsent, eq(o.subjects, p('subjects'))))
        .returning(),
    ),
    setNext: d.prepare(
      'outbox_set_next',
      db
        .update(o)
        .set({ nextAtMs: given(o.nextAtMs, 'nextAtMs') })
        .where(byId),
    ),
    setSubjects: d.prepare(
      'outbox_set_subjects',
      db
        .update(o)
        .set({ subjects: given(o.subjects, 'subjects'), expiresAtMs: given(o.expiresAtMs, 'expiresAtMs') })
        .where(byId),
    ),
    remove: d.prepare('outbox_remove', db.delete(o).where(byId)),
    removeForChannel: d.prepare(
      'outbox_remove_for_channel',
      db.delete(o).where(eq(o.channelId, p('channelId'))),
    ),
    removeExpired: d.prepare('outbox_remove_expired', db.delete(o).where(lte(o.expiresAtMs, p('nowMs')))),
  }
}

export class OutboxRepository extends Repository<ReturnType<typeof prepareOutbox>> implements Outbox {
  find(id: string) {
    return first(this.run(this.q.find, { id }))
  }

  insert(row: OutboxRow) {
    return done(this.run(this.q.insert, row))
  }

  newestOf(userId: string, channelId: string, batch: string) {
    return first(this.run(this.q.newestOf, { userId, channelId, batch }))
  }

  due(nowMs: number, limit: number) {
    return this.run(this.q.due, { nowMs, limit })
  }

  nextDueMs() {
    return first(mapped(this.run(this.q.nextDue, {}), ({ nextAtMs }) => nextAtMs))
  }

  claim(id: string, seenNextAtMs: number, leaseUntilMs: number) {
    return found(this.run(this.q.claim, { id, seenNextAtMs, leaseUntilMs }))
  }

  markSent(id: string, subjects: string, atMs: number) {
    return found(this.run(this.q.markSent, { id, subjects, atMs }))
  }

  setNext(id: string, nextAtMs: number) {
    return done(this.run(this.q.setNext, { id, nextAtMs }))
  }

  setSubjects(id: string, subjects: string, expiresAtMs: number) {
    return done(this.run(this.q.setSubjects, { id, subjects, expiresAtMs }))
  }

  remove(id: string) {
    return done(this.run(this.q.remove, { id }))
  }

  removeForChannel(channelId: string) {
    return done(this.run(this.q.removeForChannel, { channelId }))
  }

  removeExpired(nowMs: number) {
    return done(this.run(this.q.removeExpired, { nowMs }))
  }
}
