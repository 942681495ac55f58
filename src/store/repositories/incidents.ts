import { and, desc, eq, getTableColumns, isNull, or, sql } from 'drizzle-orm'
import type { IncidentRow } from '../../ports/rows.ts'
import type { Incidents, Page } from '../../ports/store.ts'
import { allGiven, given } from '../dialect.ts'
import { olderThan, pageValues } from './page.ts'
import { done, first, mapped, type Preparation, Repository } from './repository.ts'

export function prepareIncidents({ db, t: { incidents: i }, d }: Preparation) {
  const p = sql.placeholder
  return {
    find: d.prepare(
      'incidents_find',
      db
        .select()
        .from(i)
        .where(eq(i.id, p('id'))),
    ),
    list: d.prepare(
      'incidents_list',
      db
        .select()
        .from(i)
        .where(
          and(
            or(isNull(sql`cast(${p('status')} as text)`), eq(i.status, p('status'))),
            olderThan(i.openedAtMs, i.id),
          ),
        )
        .orderBy(desc(i.openedAtMs), desc(i.id))
        .limit(p('limit')),
    ),
    stopping: d.prepare(
      'incidents_stopping',
      db
        .select({ id: i.id })
        .from(i)
        .where(
          and(
            eq(i.userId, p('userId')),
            eq(i.skillId, p('skillId')),
            eq(i.status, 'open'),
            eq(i.stopsSpending, true),
          ),
        )
        .limit(1),
    ),
    openFor: d.prepare(
      'incidents_open_for',
      db
        .select()
        .from(i)
        .where(
          and(
            eq(i.userId, p('userId')),
            eq(i.skillId, p('skillId')),
            eq(i.status, 'open'),
            eq(i.actionId, p('actionId')),
            eq(i.kind, p('kind')),
          ),
        )
        .limit(1),
    ),
    openOfSkill: d.prepare(
      'incidents_open_of_skill',
      db
        .select()
        .from(i)
        .where(
          and(eq(i.status, 'open'), isNull(i.userId), eq(i.skillId, p('skillId')), eq(i.kind, p('kind'))),
        )
        .limit(1),
    ),
    openOf: d.prepare(
      'incidents_open_of',
      db
        .select()
        .from(i)
        .where(and(eq(i.userId, p('userId')), eq(i.status, 'open')))
        .orderBy(i.openedAtMs, i.id)
        .limit(100),
    ),
    insert: d.prepare('incidents_insert', db.insert(i).values(allGiven(getTableColumns(i)))),
    close: d.prepare(
      'incidents_close',
      db
        .update(i)
        .set({ status: 'closed', closedAtMs: given(i.closedAtMs, 'atMs') })
        .where(eq(i.id, p('id'))),
    ),
  }
}

export class IncidentRepository extends Repository<ReturnType<typeof prepareIncidents>> implements Incidents {
  find(id: string) {
    return first(this.run(this.q.find, { id }))
  }

  list(status: string | null, page: Page) {
    return this.run(this.q.list, { status, ...pageValues(page) })
  }

  async stopsSpending(userId: string, skillId: string) {
    return (await mapped(this.run(this.q.stopping, { userId, skillId }), () => true)).length > 0
  }

  openFor(userId: string, skillId: string, actionId: string, kind: string) {
    return first(this.run(this.q.openFor, { userId, skillId, actionId, kind }))
  }

  openOfSkill(skillId: string, kind: string) {
    return first(this.run(this.q.openOfSkill, { skillId, kind }))
  }

  openOf(userId: string) {
    return this.run(this.q.openOf, { userId })
  }

  insert(row: IncidentRow) {
    return done(this.run(this.q.insert, row))
  }

  close(id: string, atMs: number) {
    return done(this.run(this.q.close, { id, atMs }))
  }
}
