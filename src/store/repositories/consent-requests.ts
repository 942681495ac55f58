import { and, desc, eq, getTableColumns, gt, inArray, sql } from 'drizzle-orm'
import type { ConsentRequestRow } from '../../ports/rows.ts'
import type { ConsentRequests, Page } from '../../ports/store.ts'
import { allGiven, given } from '../dialect.ts'
import { agentsOfLine } from './agents-of-line.ts'
import { olderThan, pageValues } from './page.ts'
import { done, first, type Preparation, Repository } from './repository.ts'

export function prepareConsentRequests({ db, t: { consentRequests: r, agents }, d }: Preparation) {
  const p = sql.placeholder
  return {
    find: d.prepare(
      'consent_requests_find',
      db
        .select()
        .from(r)
        .where(eq(r.id, p('id'))),
    ),
    list: d.prepare(
      'consent_requests_list',
      db
        .select()
        .from(r)
        .where(and(eq(r.userId, p('userId')), olderThan(r.createdAtMs, r.id)))
        .orderBy(desc(r.createdAtMs), desc(r.id))
        .limit(p('limit')),
    ),
    recent: d.prepare(
      'consent_requests_recent',
      db
        .select()
        .from(r)
        .where(
          and(
            eq(r.userId, p('userId')),
            gt(r.createdAtMs, p('sinceMs')),
            eq(r.agentId, p('agentId')),
            eq(r.skillId, p('skillId')),
          ),
        )
        .orderBy(desc(r.createdAtMs), desc(r.id)),
    ),
    recentOfLine: d.prepare(
      'consent_requests_recent_of_line',
      db
        .select()
        .from(r)
        .where(
          and(
            eq(r.userId, p('userId')),
            gt(r.createdAtMs, p('sinceMs')),
            eq(r.skillId, p('skillId')),
            inArray(r.agentId, agentsOfLine(db, agents)),
          ),
        )
        .orderBy(desc(r.createdAtMs), desc(r.id)),
    ),
    insert: d.prepare('consent_requests_insert', db.insert(r).values(allGiven(getTableColumns(r)))),
    decide: d.prepare(
      'consent_requests_decide',
      db
        .update(r)
        .set({
          status: given(r.status, 'status'),
          grantId: given(r.grantId, 'grantId'),
          decidedAtMs: given(r.decidedAtMs, 'atMs'),
        })
        .where(eq(r.id, p('id'))),
    ),
  }
}

export class ConsentRequestRepository
  extends Repository<ReturnType<typeof prepareConsentRequests>>
  implements ConsentRequests
{
  find(id: string) {
    return first(this.run(this.q.find, { id }))
  }

  list(userId: string, page: Page) {
    return this.run(this.q.list, { userId, ...pageValues(page) })
  }

  recent(userId: string, agentId: string, skillId: string, sinceMs: number) {
    return this.run(this.q.recent, { userId, agentId, skillId, sinceMs })
  }

  recentOfLine(userId: string, lineageId: string, skillId: string, sinceMs: number) {
    return this.run(this.q.recentOfLine, { userId, lineageId, skillId, sinceMs })
  }

  insert(row: ConsentRequestRow) {
    return done(this.run(this.q.insert, row))
  }

  decide(id: string, status: string, grantId: string | null, atMs: number) {
    return done(this.run(this.q.decide, { id, status, grantId, atMs }))
  }
}
