import { and, gte, lte, type SQL, sql } from 'drizzle-orm'
import type { AskedCounts } from '../../ports/reach-store.ts'
import type { Tables } from '../schema/sqlite.ts'
import { type Preparation, Repository } from './repository.ts'

export function prepareAskedCounts({ db, t: { approvals, consentRequests }, d }: Preparation) {
  const counts = (t: Tables['approvals'] | Tables['consentRequests'], open: string) => {
    const status = became(t, open)
    return db
      .select({
        agentId: t.agentId,
        skillId: t.skillId,
        status: status.as('became'),
        count: sql<number>`cast(count(*) as integer)`.mapWith(Number).as('asked'),
      })
      .from(t)
      .where(
        and(gte(t.createdAtMs, sql.placeholder('sinceMs')), lte(t.createdAtMs, sql.placeholder('nowMs'))),
      )
      .groupBy(t.agentId, t.skillId, sql`became`)
  }
  return {
    approvals: d.prepare('asked_counts_approvals', counts(approvals, 'waiting')),
    consentRequests: d.prepare('asked_counts_consent_requests', counts(consentRequests, 'pending')),
  }
}

/** What nobody answered in time is still written as open. */
function became(t: Tables['approvals'] | Tables['consentRequests'], open: string): SQL<string> {
  const nowMs = sql.placeholder('nowMs')
  return sql<string>`case when ${t.status} = ${sql.raw(`'${open}'`)} and ${t.expiresAtMs} <= ${nowMs} then 'expired' else ${t.status} end`
}

export class AskedCountRepository
  extends Repository<ReturnType<typeof prepareAskedCounts>>
  implements AskedCounts
{
  approvals(sinceMs: number, nowMs: number) {
    return this.run(this.q.approvals, { sinceMs, nowMs })
  }

  consentRequests(sinceMs: number, nowMs: number) {
    return this.run(this.q.consentRequests, { sinceMs, nowMs })
  }
}
