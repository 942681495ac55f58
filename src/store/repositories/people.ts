import { and, eq, getTableColumns, sql } from 'drizzle-orm'
import type { PersonRef, PersonRow } from '../../ports/people-rows.ts'
import type { People } from '../../ports/people-store.ts'
import { allGiven, given } from '../dialect.ts'
import { done, first, type Preparation, Repository } from './repository.ts'

export function preparePeople({ db, t: { people: p }, d }: Preparation) {
  const one = and(eq(p.personId, sql.placeholder('id')), eq(p.kind, sql.placeholder('kind')))
  return {
    find: d.prepare('people_find', db.select().from(p).where(one)),
    list: d.prepare(
      'people_list',
      db
        .select()
        .from(p)
        .where(eq(p.kind, sql.placeholder('kind'))),
    ),
    insert: d.prepare('people_insert', db.insert(p).values(allGiven(getTableColumns(p)))),
    setStatus: d.prepare(
      'people_set_status',
      db
        .update(p)
        .set({ status: given(p.status, 'status') })
        .where(one),
    ),
    setStepUpAbove: d.prepare(
      'people_set_step_up_above',
      db
        .update(p)
        .set({ stepUpAbove: given(p.stepUpAbove, 'stepUpAbove') })
        .where(one),
    ),
    setRecovered: d.prepare(
      'people_set_recovered',
      db
        .update(p)
        .set({ recoveredAtMs: given(p.recoveredAtMs, 'atMs') })
        .where(one),
    ),
  }
}

export class PeopleRepository extends Repository<ReturnType<typeof preparePeople>> implements People {
  find({ kind, id }: PersonRef) {
    return first(this.run(this.q.find, { kind, id }))
  }

  list(kind: string) {
    return this.run(this.q.list, { kind })
  }

  insert(row: PersonRow) {
    return done(this.run(this.q.insert, row))
  }

  setStatus({ kind, id }: PersonRef, status: string) {
    return done(this.run(this.q.setStatus, { kind, id, status }))
  }

  setStepUpAbove({ kind, id }: PersonRef, stepUpAbove: string) {
    return done(this.run(this.q.setStepUpAbove, { kind, id, stepUpAbove }))
  }

  setRecovered({ kind, id }: PersonRef, atMs: number) {
    return done(this.run(this.q.setRecovered, { kind, id, atMs }))
  }
}
