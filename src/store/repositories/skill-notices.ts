import { and, asc, desc, eq, getTableColumns, inArray, isNotNull, isNull, lte, or, sql } from 'drizzle-orm'
import type { SkillNoticeRow } from '../../ports/notice-rows.ts'
import type { SkillNotices } from '../../ports/notice-store.ts'
import type { Page } from '../../ports/store.ts'
import { allGiven, given } from '../dialect.ts'
import { olderThan, pageValues } from './page.ts'
import { done, first, found, mapped, type Preparation, Repository } from './repository.ts'

export function prepareSkillNotices({ db, t: { skillNotices: n }, d }: Preparation) {
  const p = sql.placeholder
  const columns = getTableColumns(n)
  const byId = eq(n.id, p('id'))
  const byKey = and(byId, eq(n.userId, p('userId')))
  const ofUser = eq(n.userId, p('userId'))
  // As the index of those that are due says it, word for word.
  const isAsked = sql`status in ('open', 'refused')`
  const newestFirst = [desc(n.queuedAtMs), desc(n.id)]
  return {
    insert: d.prepare('skill_notices_insert', db.insert(n).values(allGiven(columns))),
    update: d.prepare('skill_notices_update', db.update(n).set(allGiven(columns)).where(byKey)),
    find: d.prepare('skill_notices_find', d.forUpdate(db.select().from(n).where(byId))),
    findOfUser: d.prepare('skill_notices_find_of_user', d.forUpdate(db.select().from(n).where(byKey))),
    due: d.prepare(
      'skill_notices_due',
      db
        .select()
        .from(n)
        .where(and(isAsked, lte(n.nextAtMs, p('nowMs'))))
        .orderBy(asc(n.nextAtMs))
        .limit(p('limit')),
    ),
    nextDue: d.prepare(
      'skill_notices_next_due',
      db.select({ nextAtMs: n.nextAtMs }).from(n).where(isAsked).orderBy(asc(n.nextAtMs)).limit(1),
    ),
    claim: d.prepare(
      'skill_notices_claim',
      db
        .update(n)
        .set({ nextAtMs: given(n.nextAtMs, 'leaseUntilMs') })
        .where(and(byKey, isAsked, eq(n.nextAtMs, p('seenNextAtMs'))))
        .returning(),
    ),
    list: d.prepare(
      'skill_notices_list',
      db
        .select()
        .from(n)
        .where(and(ofUser, olderThan(n.queuedAtMs, n.id)))
        .orderBy(...newestFirst)
        .limit(p('limit')),
    ),
    asked: d.prepare(
      'skill_notices_asked',
      d.forUpdate(
        db
          .select()
          .from(n)
          .where(
            and(
              ofUser,
              inArray(n.status, ['open', 'refused', 'given_up', 'no_address']),
              or(isNull(sql`cast(${p('skillId')} as text)`), eq(n.skillId, p('skillId'))),
            ),
          )
          .orderBy(asc(n.queuedAtMs), asc(n.id)),
      ),
    ),
    suspending: d.prepare(
      'skill_notices_suspending',
      db
        .select({ id: n.id })
        .from(n)
        .where(and(ofUser, eq(n.skillId, p('skillId')), eq(n.suspends, true)))
        .limit(1),
    ),
    listByStatus: d.prepare(
      'skill_notices_list_by_status',
      db
        .select()
        .from(n)
        .where(and(eq(n.status, p('status')), olderThan(n.queuedAtMs, n.id)))
        .orderBy(...newestFirst)
        .limit(p('limit')),
    ),
    listWanting: d.prepare(
      'skill_notices_list_wanting',
      db
        .select()
        .from(n)
        .where(
          and(
            or(
              eq(n.status, 'refused'),
              eq(n.status, 'given_up'),
              and(eq(n.status, 'open'), isNotNull(n.overdueAtMs)),
            ),
            olderThan(n.queuedAtMs, n.id),
          ),
        )
        .orderBy(...newestFirst)
        .limit(p('limit')),
    ),
    remove: d.prepare('skill_notices_remove', db.delete(n).where(byKey)),
    removeAnswered: d.prepare(
      'skill_notices_remove_answered',
      db
        .delete(n)
        .where(
          and(
            inArray(n.status, ['deleted', 'kept', 'settled']),
            eq(n.suspends, false),
            lte(n.queuedAtMs, p('beforeMs')),
          ),
        ),
    ),
  }
}

export class SkillNoticeRepository
  extends Repository<ReturnType<typeof prepareSkillNotices>>
  implements SkillNotices
{
  insert(row: SkillNoticeRow) {
    return done(this.run(this.q.insert, row))
  }

  update(row: SkillNoticeRow) {
    return done(this.run(this.q.update, row))
  }

  find(id: string, userId?: string) {
    return first(
      userId === undefined ? this.run(this.q.find, { id }) : this.run(this.q.findOfUser, { id, userId }),
    )
  }

  due(nowMs: number, limit: number) {
    return this.run(this.q.due, { nowMs, limit })
  }

  nextDueMs() {
    return first(mapped(this.run(this.q.nextDue, {}), ({ nextAtMs }) => nextAtMs))
  }

  claim({ id, userId, nextAtMs }: Pick<SkillNoticeRow, 'id' | 'userId' | 'nextAtMs'>, leaseUntilMs: number) {
    return found(this.run(this.q.claim, { id, userId, seenNextAtMs: nextAtMs, leaseUntilMs }))
  }

  list(userId: string, page: Page) {
    return this.run(this.q.list, { userId, ...pageValues(page) })
  }

  asked(userId: string, skillId: string | null) {
    return this.run(this.q.asked, { userId, skillId })
  }

  async suspends(userId: string, skillId: string) {
    return (await mapped(this.run(this.q.suspending, { userId, skillId }), () => true)).length > 0
  }

  listByStatus(status: string, page: Page) {
    return this.run(this.q.listByStatus, { status, ...pageValues(page) })
  }

  listWanting(page: Page) {
    return this.run(this.q.listWanting, pageValues(page))
  }

  remove(id: string, userId: string) {
    return done(this.run(this.q.remove, { id, userId }))
  }

  removeAnswered(beforeMs: number) {
    return done(this.run(this.q.removeAnswered, { beforeMs }))
  }
}
