import { and, eq, getTableColumns, lte, sql } from 'drizzle-orm'
import type { EnrolmentRow, PersonRef } from '../../ports/people-rows.ts'
import type { Enrolments } from '../../ports/people-store.ts'
import { allGiven } from '../dialect.ts'
import { done, first, type Preparation, Repository } from './repository.ts'

export function prepareEnrolments({ db, t: { enrolments: e }, d }: Preparation) {
  const p = sql.placeholder
  const one = eq(e.tokenHash, p('tokenHash'))
  return {
    find: d.prepare('enrolments_find', db.select().from(e).where(one)),
    take: d.prepare('enrolments_take', db.delete(e).where(one).returning()),
    insert: d.prepare('enrolments_insert', db.insert(e).values(allGiven(getTableColumns(e)))),
    removeFor: d.prepare(
      'enrolments_remove_for',
      db
        .delete(e)
        .where(and(eq(e.personId, p('personId')), eq(e.kind, p('kind')), eq(e.purpose, p('purpose')))),
    ),
    removeExpired: d.prepare('enrolments_remove_expired', db.delete(e).where(lte(e.expiresAtMs, p('nowMs')))),
  }
}

export class EnrolmentRepository
  extends Repository<ReturnType<typeof prepareEnrolments>>
  implements Enrolments
{
  find(tokenHash: string) {
    return first(this.run(this.q.find, { tokenHash }))
  }

  take(tokenHash: string) {
    return first(this.run(this.q.take, { tokenHash }))
  }

  insert(row: EnrolmentRow) {
    return done(this.run(this.q.insert, row))
  }

  removeFor({ kind, id }: PersonRef, purpose: string) {
    return done(this.run(this.q.removeFor, { kind, personId: id, purpose }))
  }

  removeExpired(nowMs: number) {
    return done(this.run(this.q.removeExpired, { nowMs }))
  }
}
