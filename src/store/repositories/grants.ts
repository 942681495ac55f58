import { and, asc, desc, eq, getTableColumns, gt, inArray, sql } from 'drizzle-orm'
import { statusOfGrant } from '../../core/status-list/status-list.ts'
import type { GrantRow } from '../../ports/rows.ts'
import type { Grants, Page } from '../../ports/store.ts'
import { allGiven, given } from '../dialect.ts'
import { olderThan, pageValues } from './page.ts'
import { done, first, mapped, type Preparation, Repository } from './repository.ts'

const LIVE = ['active', 'suspended', 'paused']

export function prepareGrants({ db, t: { grants: g, statusEntries: e }, d }: Preparation) {
  const p = sql.placeholder
  return {
    candidates: d.prepare(
      'grants_candidates',
      d.forUpdate(
        db
          .select({
            id: g.id,
            revision: g.revision,
            status: g.status,
            oneTime: g.oneTime,
            expiresAtMs: g.expiresAtMs,
            createdAtMs: g.createdAtMs,
          })
          .from(g)
          .where(
            and(
              eq(g.userId, p('userId')),
              eq(g.agentId, p('agentId')),
              eq(g.skillId, p('skillId')),
              inArray(g.status, LIVE),
            ),
          ),
        g.id,
      ),
    ),
    find: d.prepare(
      'grants_find',
      d.forUpdate(
        db
          .select()
          .from(g)
          .where(eq(g.id, p('id'))),
      ),
    ),
    findOfUser: d.prepare(
      'grants_find_of_user',
      d.forUpdate(
        db
          .select()
          .from(g)
          .where(and(eq(g.id, p('id')), eq(g.userId, p('userId')))),
      ),
    ),
    list: d.prepare(
      'grants_list',
      db
        .select()
        .from(g)
        .where(and(eq(g.userId, p('userId')), olderThan(g.createdAtMs, g.id)))
        .orderBy(desc(g.createdAtMs), desc(g.id))
        .limit(p('limit')),
    ),
    live: d.prepare(
      'grants_live',
      d.forUpdate(
        db
          .select()
          .from(g)
          .where(and(eq(g.userId, p('userId')), inArray(g.status, LIVE)))
          .orderBy(asc(g.id)),
      ),
    ),
    usersOfSkill: d.prepare(
      'grants_users_of_skill',
      db
        .selectDistinct({ userId: g.userId })
        .from(g)
        .where(and(eq(g.skillId, p('skillId')), inArray(g.status, LIVE), gt(g.userId, p('afterUserId'))))
        .orderBy(asc(g.userId))
        .limit(p('limit')),
    ),
    insert: d.prepare('grants_insert', db.insert(g).values(allGiven(getTableColumns(g)))),
    update: d.prepare(
      'grants_update',
      db
        .update(g)
        .set({
          agentId: given(g.agentId, 'agentId'),
          lineageId: given(g.lineageId, 'lineageId'),
          terms: given(g.terms, 'terms'),
          consented: given(g.consented, 'consented'),
          revision: given(g.revision, 'revision'),
          status: given(g.status, 'status'),
          oneTime: given(g.oneTime, 'oneTime'),
          expiresAtMs: given(g.expiresAtMs, 'expiresAtMs'),
          changedAtMs: given(g.changedAtMs, 'changedAtMs'),
        })
        .where(and(eq(g.id, p('id')), eq(g.userId, p('userId')))),
    ),
    show: d.prepare(
      'grants_show_status',
      db
        .update(e)
        .set({
          status: given(e.status, 'listed'),
          agentId: given(e.agentId, 'agentId'),
          changedAtMs: given(e.changedAtMs, 'changedAtMs'),
        })
        .where(eq(e.grantId, p('id'))),
    ),
  }
}

export class GrantRepository extends Repository<ReturnType<typeof prepareGrants>> implements Grants {
  candidates(userId: string, agentId: string, skillId: string) {
    return this.run(this.q.candidates, { userId, agentId, skillId })
  }

  find(id: string, userId?: string) {
    return first(
      userId === undefined ? this.run(this.q.find, { id }) : this.run(this.q.findOfUser, { id, userId }),
    )
  }

  list(userId: string, page: Page) {
    return this.run(this.q.list, { userId, ...pageValues(page) })
  }

  live(userId: string) {
    return this.run(this.q.live, { userId })
  }

  usersOfSkill(skillId: string, afterUserId: string, limit: number) {
    return mapped(this.run(this.q.usersOfSkill, { skillId, afterUserId, limit }), ({ userId }) => userId)
  }

  insert(row: GrantRow) {
    return done(this.run(this.q.insert, row))
  }

  /** What the status list says of a grant changes with it, whoever changes it: neither is ever seen without the other. */
  async update(row: GrantRow) {
    await this.run(this.q.update, row)
    const { id, agentId, changedAtMs } = row
    await this.run(this.q.show, { id, agentId, changedAtMs, listed: statusOfGrant(row.status) })
  }
}
