import { and, asc, desc, eq, getTableColumns, gte, isNull, like, lte, or, sql } from 'drizzle-orm'
import { ID_PREFIXES } from '../../core/ids.ts'
import type { ActionRow } from '../../ports/rows.ts'
import type { ActionSearch, Actions, Page } from '../../ports/store.ts'
import { allGiven } from '../dialect.ts'
import { olderThan, pageValues } from './page.ts'
import { done, first, type Preparation, Repository } from './repository.ts'

/** Written as constants so that the partial indexes over them can be used. */
const UNSETTLED = sql.raw(`status in ('dispatched', 'in_doubt')`)
const IN_DOUBT = sql.raw(`status = 'in_doubt'`)

export function prepareActions({ db, t: { actions: a }, d }: Preparation) {
  const p = sql.placeholder
  const {
    id,
    userId,
    agentId,
    lineageId,
    idempotencyKey,
    requestDigest,
    skillId,
    action,
    createdAtMs,
    ...later
  } = getTableColumns(a)
  const wanted = (name: string) => isNull(sql`cast(${p(name)} as text)`)
  return {
    findByKey: d.prepare(
      'actions_find_by_key',
      d.forUpdate(
        db
          .select()
          .from(a)
          .where(and(eq(a.userId, p('userId')), eq(a.agentId, p('agentId')), eq(a.idempotencyKey, p('key')))),
      ),
    ),
    find: d.prepare(
      'actions_find',
      d.forUpdate(
        db
          .select()
          .from(a)
          .where(eq(a.id, p('id'))),
      ),
    ),
    findOfUser: d.prepare(
      'actions_find_of_user',
      d.forUpdate(
        db
          .select()
          .from(a)
          .where(and(eq(a.id, p('id')), eq(a.userId, p('userId')))),
      ),
    ),
    insert: d.prepare('actions_insert', db.insert(a).values(allGiven(getTableColumns(a)))),
    update: d.prepare(
      'actions_update',
      db
        .update(a)
        .set(allGiven(later))
        .where(and(eq(a.id, p('id')), eq(a.userId, p('userId')))),
    ),
    list: d.prepare(
      'actions_list',
      db
        .select()
        .from(a)
        .where(
          and(
            or(wanted('userId'), eq(a.userId, p('userId'))),
            or(wanted('agentId'), eq(a.agentId, p('agentId'))),
            or(wanted('skillId'), eq(a.skillId, p('skillId'))),
            or(wanted('status'), eq(a.status, p('status'))),
            gte(a.decidedAtMs, p('fromMs')),
            lte(a.decidedAtMs, p('toMs')),
            olderThan(a.decidedAtMs, a.id),
          ),
        )
        .orderBy(desc(a.decidedAtMs), desc(a.id))
        .limit(p('limit')),
    ),
    listOfUser: d.prepare(
      'actions_list_of_user',
      db
        .select()
        .from(a)
        .where(
          and(
            eq(a.userId, p('userId')),
            or(wanted('agentId'), eq(a.agentId, p('agentId'))),
            or(wanted('skillId'), eq(a.skillId, p('skillId'))),
            or(wanted('status'), eq(a.status, p('status'))),
            gte(a.decidedAtMs, p('fromMs')),
            lte(a.decidedAtMs, p('toMs')),
            olderThan(a.decidedAtMs, a.id),
          ),
        )
        .orderBy(desc(a.decidedAtMs), desc(a.id))
        .limit(p('limit')),
    ),
    unsettled: d.prepare(
      'actions_unsettled',
      db.select().from(a).where(UNSETTLED).orderBy(asc(a.createdAtMs), asc(a.id)),
    ),
    unsettledOfUser: d.prepare(
      'actions_unsettled_of_user',
      db
        .select()
        .from(a)
        .where(and(eq(a.userId, p('userId')), UNSETTLED))
        .orderBy(asc(a.createdAtMs), asc(a.id)),
    ),
    dispatchedBy: d.prepare(
      'actions_dispatched_by',
      db
        .select()
        .from(a)
        .where(and(UNSETTLED, sql`status = 'dispatched'`, eq(a.nodeId, p('nodeId'))))
        .orderBy(asc(a.createdAtMs), asc(a.id)),
    ),
    overdue: d.prepare(
      'actions_overdue',
      db
        .select()
        .from(a)
        .where(
          and(
            UNSETTLED,
            sql`status = 'dispatched'`,
            like(a.nodeId, `${ID_PREFIXES.enforcementPoint}%`),
            lte(a.nextCheckAtMs, p('nowMs')),
          ),
        )
        .orderBy(asc(a.createdAtMs), asc(a.id))
        .limit(p('limit')),
    ),
    handedOver: d.prepare(
      'actions_handed_over',
      db
        .select()
        .from(a)
        .where(and(UNSETTLED, eq(a.nodeId, p('pointId'))))
        .orderBy(asc(a.createdAtMs), asc(a.id)),
    ),
    dueForCheck: d.prepare(
      'actions_due_for_check',
      db
        .select()
        .from(a)
        .where(and(IN_DOUBT, lte(a.nextCheckAtMs, p('nowMs'))))
        .orderBy(asc(a.nextCheckAtMs), asc(a.id))
        .limit(p('limit')),
    ),
  }
}

export class ActionRepository extends Repository<ReturnType<typeof prepareActions>> implements Actions {
  findByKey(userId: string, agentId: string, key: string) {
    return first(this.run(this.q.findByKey, { userId, agentId, key }))
  }

  find(id: string, userId?: string) {
    return first(
      userId === undefined ? this.run(this.q.find, { id }) : this.run(this.q.findOfUser, { id, userId }),
    )
  }

  insert(row: ActionRow) {
    return done(this.run(this.q.insert, row))
  }

  update(row: ActionRow) {
    return done(this.run(this.q.update, row))
  }

  list(search: ActionSearch, page: Page) {
    return this.run(search.userId === null ? this.q.list : this.q.listOfUser, {
      ...search,
      fromMs: search.fromMs ?? 0,
      toMs: search.toMs ?? Number.MAX_SAFE_INTEGER,
      ...pageValues(page),
    })
  }

  unsettled(userId: string | null) {
    return userId === null ? this.run(this.q.unsettled, {}) : this.run(this.q.unsettledOfUser, { userId })
  }

  dispatchedBy(nodeId: string) {
    return this.run(this.q.dispatchedBy, { nodeId })
  }

  overdue(nowMs: number, limit: number) {
    return this.run(this.q.overdue, { nowMs, limit })
  }

  handedOver(pointId: string) {
    return this.run(this.q.handedOver, { pointId })
  }

  dueForCheck(nowMs: number, limit: number) {
    return this.run(this.q.dueForCheck, { nowMs, limit })
  }
}
