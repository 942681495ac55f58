import { and, asc, eq, getTableColumns, isNotNull, isNull, sql } from 'drizzle-orm'
import type { TokenFamilyRow } from '../../ports/oauth-rows.ts'
import type { TokenFamilies } from '../../ports/oauth-store.ts'
import { allGiven, given } from '../dialect.ts'
import { done, first, found, type Preparation, Repository } from './repository.ts'

export function prepareTokenFamilies({ db, t: { tokenFamilies: f }, d }: Preparation) {
  const p = sql.placeholder
  const ended = { endedAtMs: given(f.endedAtMs, 'atMs') }
  const ofAgent = and(eq(f.userId, p('userId')), eq(f.agentId, p('agentId')))
  return {
    find: d.prepare(
      'token_families_find',
      db
        .select()
        .from(f)
        .where(eq(f.id, p('id'))),
    ),
    list: d.prepare(
      'token_families_list',
      db.select().from(f).where(ofAgent).orderBy(asc(f.createdAtMs), asc(f.id)),
    ),
    ended: d.prepare(
      'token_families_ended',
      db
        .select({ id: f.id })
        .from(f)
        .where(and(eq(f.sessionId, p('sessionId')), eq(f.userId, p('userId')), isNotNull(f.endedAtMs)))
        .limit(1),
    ),
    insert: d.prepare('token_families_insert', db.insert(f).values(allGiven(getTableColumns(f)))),
    end: d.prepare(
      'token_families_end',
      db
        .update(f)
        .set(ended)
        .where(and(eq(f.id, p('id')), isNull(f.endedAtMs))),
    ),
    endOfAgent: d.prepare(
      'token_families_end_of_agent',
      db
        .update(f)
        .set(ended)
        .where(and(ofAgent, isNull(f.endedAtMs))),
    ),
    endOfUser: d.prepare(
      'token_families_end_of_user',
      db
        .update(f)
        .set(ended)
        .where(and(eq(f.userId, p('userId')), isNull(f.endedAtMs))),
    ),
  }
}

export class TokenFamilyRepository
  extends Repository<ReturnType<typeof prepareTokenFamilies>>
  implements TokenFamilies
{
  find(id: string) {
    return first(this.run(this.q.find, { id }))
  }

  list(userId: string, agentId: string) {
    return this.run(this.q.list, { userId, agentId })
  }

  hasEnded(userId: string, sessionId: string) {
    return found(this.run(this.q.ended, { userId, sessionId }))
  }

  insert(row: TokenFamilyRow) {
    return done(this.run(this.q.insert, row))
  }

  end(id: string, atMs: number) {
    return done(this.run(this.q.end, { id, atMs }))
  }

  endOfAgent(userId: string, agentId: string, atMs: number) {
    return done(this.run(this.q.endOfAgent, { userId, agentId, atMs }))
  }

  endOfUser(userId: string, atMs: number) {
    return done(this.run(this.q.endOfUser, { userId, atMs }))
  }
}
