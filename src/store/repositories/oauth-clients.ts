import { and, asc, eq, getTableColumns, lt, sql } from 'drizzle-orm'
import type { OauthClientRow } from '../../ports/oauth-rows.ts'
import type { OauthClients } from '../../ports/oauth-store.ts'
import { allGiven, given } from '../dialect.ts'
import { done, first, type Preparation, Repository } from './repository.ts'

export function prepareOauthClients({ db, t: { oauthClients: o }, d }: Preparation) {
  const p = sql.placeholder
  const one = eq(o.id, p('id'))
  return {
    find: d.prepare('oauth_clients_find', db.select().from(o).where(one)),
    insert: d.prepare('oauth_clients_insert', db.insert(o).values(allGiven(getTableColumns(o)))),
    setConnected: d.prepare(
      'oauth_clients_set_connected',
      db
        .update(o)
        .set({ connectedAtMs: given(o.connectedAtMs, 'atMs') })
        .where(and(one, eq(o.connectedAtMs, 0))),
    ),
    unconnected: d.prepare(
      'oauth_clients_unconnected',
      db
        .select()
        .from(o)
        .where(and(eq(o.connectedAtMs, 0), lt(o.createdAtMs, p('beforeMs'))))
        .orderBy(asc(o.createdAtMs))
        .limit(p('limit')),
    ),
    countUnconnected: d.prepare(
      'oauth_clients_count_unconnected',
      db
        .select({ count: sql<number>`cast(count(*) as integer)`.mapWith(Number).as('count') })
        .from(o)
        .where(eq(o.connectedAtMs, 0)),
    ),
    remove: d.prepare('oauth_clients_remove', db.delete(o).where(one)),
  }
}

export class OauthClientRepository
  extends Repository<ReturnType<typeof prepareOauthClients>>
  implements OauthClients
{
  find(id: string) {
    return first(this.run(this.q.find, { id }))
  }

  insert(row: OauthClientRow) {
    return done(this.run(this.q.insert, row))
  }

  setConnected(id: string, atMs: number) {
    return done(this.run(this.q.setConnected, { id, atMs }))
  }

  unconnected(beforeMs: number, limit: number) {
    return this.run(this.q.unconnected, { beforeMs, limit })
  }

  countUnconnected() {
    const rows = this.run(this.q.countUnconnected, {})
    return rows instanceof Promise ? rows.then(([row]) => row?.count ?? 0) : (rows[0]?.count ?? 0)
  }

  remove(id: string) {
    return done(this.run(this.q.remove, { id }))
  }
}
