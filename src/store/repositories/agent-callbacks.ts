import { and, eq, getTableColumns, sql } from 'drizzle-orm'
import type { AgentCallbackRow } from '../../ports/revocation-rows.ts'
import type { AgentCallbacks } from '../../ports/revocation-store.ts'
import { allGiven } from '../dialect.ts'
import { done, first, type Preparation, Repository } from './repository.ts'

export function prepareAgentCallbacks({ db, t: { agentCallbacks: a }, d }: Preparation) {
  const p = sql.placeholder
  return {
    find: d.prepare(
      'agent_callbacks_find',
      db
        .select()
        .from(a)
        .where(eq(a.agentId, p('agentId'))),
    ),
    insert: d.prepare('agent_callbacks_insert', db.insert(a).values(allGiven(getTableColumns(a)))),
    remove: d.prepare(
      'agent_callbacks_remove',
      db.delete(a).where(and(eq(a.agentId, p('agentId')), eq(a.userId, p('userId')))),
    ),
  }
}

export class AgentCallbackRepository
  extends Repository<ReturnType<typeof prepareAgentCallbacks>>
  implements AgentCallbacks
{
  find(agentId: string) {
    return first(this.run(this.q.find, { agentId }))
  }

  async save(row: AgentCallbackRow) {
    await this.remove(row.agentId, row.userId)
    await this.run(this.q.insert, row)
  }

  remove(agentId: string, userId: string) {
    return done(this.run(this.q.remove, { agentId, userId }))
  }
}
