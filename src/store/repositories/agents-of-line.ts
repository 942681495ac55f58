import { and, eq, sql } from 'drizzle-orm'
import type { Preparation } from './repository.ts'

/** The ids of all agents of one user that are one line of registrations, for a sub-select. */
export function agentsOfLine(db: Preparation['db'], agents: Preparation['t']['agents']) {
  return db
    .select({ id: agents.id })
    .from(agents)
    .where(
      and(eq(agents.userId, sql.placeholder('userId')), eq(agents.lineageId, sql.placeholder('lineageId'))),
    )
}
