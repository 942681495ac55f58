import { and, desc, eq, getTableColumns, gt, inArray, isNull, or, sql } from 'drizzle-orm'
import type { ApprovalRow } from '../../ports/rows.ts'
import type { Approvals, Page } from '../../ports/store.ts'
import { allGiven, given } from '../dialect.ts'
import { agentsOfLine } from './agents-of-line.ts'
import { olderThan, pageValues } from './page.ts'
import { done, first, type Preparation, Repository } from './repository.ts'

export function prepareApprovals({ db, t: { approvals: a, agents }, d }: Preparation) {
  const p = sql.placeholder
  return {
    find: d.prepare(
      'approvals_find',
      d.forUpdate(
        db
          .select()
          .from(a)
          .where(eq(a.id, p('id'))),
      ),
    ),
    newestFor: d.prepare(
      'approvals_newest_for',
      d.forUpdate(
        db
          .select()
          .from(a)
          .where(and(eq(a.actionId, p('actionId')), eq(a.userId, p('userId'))))
          .orderBy(desc(a.createdAtMs), desc(a.id))
          .limit(1),
      ),
    ),
    recentOfLine: d.prepare(
      'approvals_recent_of_line',
      db
        .select()
        .from(a)
        .where(
          and(
            eq(a.userId, p('userId')),
            inArray(a.agentId, agentsOfLine(db, agents)),
            eq(a.skillId, p('skillId')),
            gt(a.createdAtMs, p('sinceMs')),
          ),
        )
        .orderBy(desc(a.createdAtMs), desc(a.id))
        .limit(2_000),
    ),
    list: d.prepare(
      'approvals_list',
      db
        .select()
        .from(a)
        .where(
          and(
            eq(a.userId, p('userId')),
            or(isNull(sql`cast(${p('status')} as text)`), eq(a.status, p('status'))),
            olderThan(a.createdAtMs, a.id),
          ),
        )
        .orderBy(desc(a.createdAtMs), desc(a.id))
        .limit(p('limit')),
    ),
    insert: d.prepare('approvals_insert', db.insert(a).values(allGiven(getTableColumns(a)))),
    setPreview: d.prepare(
      'approvals_set_preview',
      db
        .update(a)
        .set({
          previewEventId: given(a.previewEventId, 'previewEventId'),
          previewDigest: given(a.previewDigest, 'previewDigest'),
          digest: given(a.digest, 'digest'),
        })
        .where(eq(a.id, p('id'))),
    ),
    setStatus: d.prepare(
      'approvals_set_status',
      db
        .update(a)
        .set({ status: given(a.status, 'status'), decidedAtMs: given(a.decidedAtMs, 'atMs') })
        .where(and(eq(a.id, p('id')), eq(a.userId, p('userId')))),
    ),
  }
}

export class ApprovalRepository extends Repository<ReturnType<typeof prepareApprovals>> implements Approvals {
  find(id: string) {
    return first(this.run(this.q.find, { id }))
  }

  newestFor(actionId: string, userId: string) {
    return first(this.run(this.q.newestFor, { actionId, userId }))
  }

  recentOfLine(userId: string, lineageId: string, skillId: string, sinceMs: number) {
    return this.run(this.q.recentOfLine, { userId, lineageId, skillId, sinceMs })
  }

  list(userId: string, status: string | null, page: Page) {
    return this.run(this.q.list, { userId, status, ...pageValues(page) })
  }

  insert(row: ApprovalRow) {
    return done(this.run(this.q.insert, row))
  }

  setStatus(id: string, status: string, atMs: number, userId: string) {
    return done(this.run(this.q.setStatus, { id, status, atMs, userId }))
  }

  setPreview(id: string, previewEventId: string, previewDigest: string, digest: string) {
    return done(this.run(this.q.setPreview, { id, previewEventId, previewDigest, digest }))
  }
}
