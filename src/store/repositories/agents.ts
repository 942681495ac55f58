import { and, asc, eq, getTableColumns, sql } from 'drizzle-orm'
import type { AgentRow } from '../../ports/rows.ts'
import type { Agents } from '../../ports/store.ts'
import { allGiven, given } from '../dialect.ts'
import { done, first, type Preparation, Repository } from './repository.ts'

export function prepareAgents({ db, t: { agents }, d }: Preparation) {
  const p = sql.placeholder
  return {
    find: d.prepare(
      'agents_find',
      db
        .select()
        .from(agents)
        .where(eq(agents.id, p('id'))),
    ),
    findOfUser: d.prepare(
      'agents_find_of_user',
      db
        .select()
        .from(agents)
        .where(and(eq(agents.id, p('id')), eq(agents.userId, p('userId')))),
    ),
    findByKey: d.prepare(
      'agents_find_by_key',
      db
        .select()
        .from(agents)
        .where(and(eq(agents.userId, p('userId')), eq(agents.keyThumbprint, p('keyThumbprint'))))
        .orderBy(asc(agents.createdAtMs), asc(agents.id))
        .limit(1),
    ),
    list: d.prepare(
      'agents_list',
      db
        .select()
        .from(agents)
        .where(eq(agents.userId, p('userId')))
        .orderBy(asc(agents.createdAtMs), asc(agents.id)),
    ),
    insert: d.prepare('agents_insert', db.insert(agents).values(allGiven(getTableColumns(agents)))),
    setStatus: d.prepare(
      'agents_set_status',
      db
        .update(agents)
        .set({ status: given(agents.status, 'status') })
        .where(eq(agents.id, p('id'))),
    ),
    setDeployments: d.prepare(
      'agents_set_deployments',
      db
        .update(agents)
        .set({ deployments: given(agents.deployments, 'deployments') })
        .where(eq(agents.id, p('id'))),
    ),
    setLineage: d.prepare(
      'agents_set_lineage',
      db
        .update(agents)
        .set({ lineageId: given(agents.lineageId, 'lineageId') })
        .where(eq(agents.id, p('id'))),
    ),
  }
}

export class AgentRepository extends Repository<ReturnType<typeof prepareAgents>> implements Agents {
  find(id: string, userId?: string) {
    return first(
      userId === undefined ? this.run(this.q.find, { id }) : this.run(this.q.findOfUser, { id, userId }),
    )
  }

  findByKey(userId: string, keyThumbprint: string) {
    return first(this.run(this.q.findByKey, { userId, keyThumbprint }))
  }

  list(userId: string) {
    return this.run(this.q.list, { userId })
  }

  insert(row: AgentRow) {
    return done(this.run(this.q.insert, row))
  }

  setStatus(id: string, status: string) {
    return done(this.run(this.q.setStatus, { id, status }))
  }

  setDeployments(id: string, deployments: string) {
    return done(this.run(this.q.setDeployments, { id, deployments }))
  }

  setLineage(id: string, lineageId: string) {
    return done(this.run(this.q.setLineage, { id, lineageId }))
  }
}
