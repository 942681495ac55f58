import { and, type Column, eq, isNotNull, sql } from 'drizzle-orm'
import type { DecisionHead, DecisionHeads, HeadOf } from '../../ports/store.ts'
import { mapped, type Preparation, Repository } from './repository.ts'

/**
 * One answer from five tables, by sub-selects rather than joins: this engine plans a join with a parameter anew
 * each time it runs (measured: 25 µs against 2).
 */
export function prepareDecisionHeads({ db, t, d }: Preparation) {
  const { agents, skills, users, sessions, incidents, freezes, userBudgets, tokenFamilies, skillNotices } = t
  const p = sql.placeholder
  const skill = <T>(column: Column) =>
    sql<T>`(select ${column} from ${skills} where ${eq(skills.id, p('skillId'))})`.as(column.name)
  const session = <T>(column: Column) =>
    sql<T>`(select ${column} from ${sessions} where ${and(
      eq(sessions.id, p('sessionId')),
      eq(sessions.userId, p('userId')),
      eq(sessions.agentId, p('agentId')),
    )})`.as(column.name)
  return {
    find: d.prepare(
      'decision_heads_find',
      db
        .select({
          lineageId: agents.lineageId,
          agentStatus: agents.status,
          deployments: agents.deployments,
          publisherId: skill<string | null>(skills.publisherId),
          currentDigest: skill<string | null>(skills.currentDigest),
          timeZone: sql<
            string | null
          >`(select ${users.timeZone} from ${users} where ${eq(users.id, p('userId'))})`.as('time_zone'),
          startedAtMs: session<number | null>(sessions.startedAtMs),
          lastSeenAtMs: session<number | null>(sessions.lastSeenAtMs),
          readUntrusted: session<number | boolean | null>(sessions.readUntrusted),
          categories: session<string | null>(sessions.categories),
          openIncidents: sql<number>`(select cast(count(*) as integer) from ${incidents} where ${and(
            eq(incidents.userId, p('userId')),
            eq(incidents.skillId, p('skillId')),
            eq(incidents.status, 'open'),
            eq(incidents.stopsSpending, true),
          )})`
            .mapWith(Number)
            .as('open_incidents'),
          overdueDeletions: sql<number>`(select cast(count(*) as integer) from ${skillNotices} where ${and(
            eq(skillNotices.userId, p('userId')),
            eq(skillNotices.skillId, p('skillId')),
            eq(skillNotices.suspends, true),
          )})`
            .mapWith(Number)
            .as('overdue_deletions'),
          anyFreeze: sql<number>`exists (select 1 from ${freezes})`.mapWith(Number).as('any_freeze'),
          endedFamilies: sql<number>`(select cast(count(*) as integer) from ${tokenFamilies} where ${and(
            eq(tokenFamilies.sessionId, p('sessionId')),
            eq(tokenFamilies.userId, p('userId')),
            isNotNull(tokenFamilies.endedAtMs),
          )})`
            .mapWith(Number)
            .as('ended_families'),
          userBudgets: sql<number>`(select cast(count(*) as integer) from ${userBudgets} where ${eq(
            userBudgets.userId,
            p('userId'),
          )})`
            .mapWith(Number)
            .as('user_budgets'),
        })
        .from(agents)
        .where(and(eq(agents.id, p('agentId')), eq(agents.userId, p('userId')))),
    ),
  }
}

export class DecisionHeadRepository
  extends Repository<ReturnType<typeof prepareDecisionHeads>>
  implements DecisionHeads
{
  find(of: HeadOf): DecisionHead | undefined | Promise<DecisionHead | undefined> {
    const rows = mapped(
      this.run(this.q.find, of),
      ({ startedAtMs, lastSeenAtMs, readUntrusted, categories, anyFreeze, ...head }): DecisionHead => ({
        ...head,
        anyFreeze: Boolean(anyFreeze),
        session:
          startedAtMs === null || lastSeenAtMs === null || categories === null
            ? null
            : { startedAtMs, lastSeenAtMs, readUntrusted: Boolean(readUntrusted), categories },
      }),
    )
    return rows instanceof Promise ? rows.then(([head]) => head) : rows[0]
  }
}
