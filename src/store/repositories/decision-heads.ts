import { and, eq, sql } from 'drizzle-orm'
import type { DecisionHead, DecisionHeads, HeadOf } from '../../ports/store.ts'
import { first, type Preparation, Repository } from './repository.ts'

export function prepareDecisionHeads({ db, t, d }: Preparation) {
  const { agents, skills, users, sessions, incidents } = t
  const p = sql.placeholder
  const open = db
    .select({ count: sql<number>`cast(count(*) as integer)` })
    .from(incidents)
    .where(
      and(
        eq(incidents.userId, p('userId')),
        eq(incidents.skillId, p('skillId')),
        eq(incidents.status, 'open'),
        eq(incidents.stopsSpending, true),
      ),
    )
  return {
    find: d.prepare(
      'decision_heads_find',
      db
        .select({
          agentUserId: agents.userId,
          lineageId: agents.lineageId,
          agentStatus: agents.status,
          deployments: agents.deployments,
          publisherId: skills.publisherId,
          currentDigest: skills.currentDigest,
          timeZone: users.timeZone,
          session: {
            id: sessions.id,
            userId: sessions.userId,
            agentId: sessions.agentId,
            startedAtMs: sessions.startedAtMs,
            lastSeenAtMs: sessions.lastSeenAtMs,
            readUntrusted: sessions.readUntrusted,
            categories: sessions.categories,
          },
          openIncidents: sql<number>`(${open})`.mapWith(Number),
        })
        .from(agents)
        .leftJoin(skills, eq(skills.id, p('skillId')))
        .leftJoin(users, eq(users.id, agents.userId))
        .leftJoin(sessions, eq(sessions.id, p('sessionId')))
        .where(eq(agents.id, p('agentId'))),
    ),
  }
}

export class DecisionHeadRepository
  extends Repository<ReturnType<typeof prepareDecisionHeads>>
  implements DecisionHeads
{
  find(of: HeadOf): DecisionHead | undefined | Promise<DecisionHead | undefined> {
    return first(this.run(this.q.find, of))
  }
}
