import { and, eq, getTableColumns, sql } from 'drizzle-orm'
import type { PersonRef, PersonSessionRow } from '../../ports/people-rows.ts'
import type { PersonSessions } from '../../ports/people-store.ts'
import { allGiven, given } from '../dialect.ts'
import { done, first, found, type Preparation, Repository } from './repository.ts'

export function preparePersonSessions({ db, t: { personSessions: s }, d }: Preparation) {
  const p = sql.placeholder
  return {
    find: d.prepare(
      'person_sessions_find',
      db
        .select()
        .from(s)
        .where(eq(s.id, p('id'))),
    ),
    findByToken: d.prepare(
      'person_sessions_find_by_token',
      db
        .select()
        .from(s)
        .where(eq(s.tokenHash, p('tokenHash'))),
    ),
    list: d.prepare(
      'person_sessions_list',
      db
        .select()
        .from(s)
        .where(and(eq(s.personId, p('personId')), eq(s.kind, p('kind')))),
    ),
    insert: d.prepare('person_sessions_insert', db.insert(s).values(allGiven(getTableColumns(s)))),
    setSeen: d.prepare(
      'person_sessions_set_seen',
      db
        .update(s)
        .set({ lastSeenAtMs: given(s.lastSeenAtMs, 'atMs') })
        .where(eq(s.id, p('id'))),
    ),
    rotate: d.prepare(
      'person_sessions_rotate',
      db
        .update(s)
        .set({
          tokenHash: given(s.tokenHash, 'to'),
          steppedUpAtMs: given(s.steppedUpAtMs, 'steppedUpAtMs'),
          lastSeenAtMs: given(s.lastSeenAtMs, 'steppedUpAtMs'),
        })
        .where(and(eq(s.id, p('id')), eq(s.tokenHash, p('from'))))
        .returning({ id: s.id }),
    ),
    remove: d.prepare(
      'person_sessions_remove',
      db
        .delete(s)
        .where(and(eq(s.id, p('id')), eq(s.personId, p('personId')), eq(s.kind, p('kind'))))
        .returning({ id: s.id }),
    ),
  }
}

export class PersonSessionRepository
  extends Repository<ReturnType<typeof preparePersonSessions>>
  implements PersonSessions
{
  find(id: string) {
    return first(this.run(this.q.find, { id }))
  }

  findByToken(tokenHash: string) {
    return first(this.run(this.q.findByToken, { tokenHash }))
  }

  list({ kind, id }: PersonRef) {
    return this.run(this.q.list, { kind, personId: id })
  }

  insert(row: PersonSessionRow) {
    return done(this.run(this.q.insert, row))
  }

  setSeen(id: string, atMs: number) {
    return done(this.run(this.q.setSeen, { id, atMs }))
  }

  rotate(id: string, from: string, to: string, steppedUpAtMs: number) {
    return found(this.run(this.q.rotate, { id, from, to, steppedUpAtMs }))
  }

  remove({ kind, id: personId }: PersonRef, id: string) {
    return found(this.run(this.q.remove, { kind, personId, id }))
  }
}
