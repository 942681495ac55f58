import { eq, getTableColumns, lte, sql } from 'drizzle-orm'
import type { LinkAttemptRow } from '../../ports/link-rows.ts'
import type { LinkAttempts } from '../../ports/link-store.ts'
import { allGiven } from '../dialect.ts'
import { done, first, mapped, type Preparation, Repository } from './repository.ts'

export function prepareLinkAttempts({ db, t: { linkAttempts: l }, d }: Preparation) {
  const p = sql.placeholder
  return {
    insert: d.prepare('link_attempts_insert', db.insert(l).values(allGiven(getTableColumns(l)))),
    take: d.prepare(
      'link_attempts_take',
      db
        .delete(l)
        .where(eq(l.stateHash, p('stateHash')))
        .returning(),
    ),
    countFor: d.prepare(
      'link_attempts_count_for',
      db
        .select({ count: sql<number>`cast(count(*) as integer)`.mapWith(Number).as('open') })
        .from(l)
        .where(eq(l.userId, p('userId'))),
    ),
    removeExpired: d.prepare(
      'link_attempts_remove_expired',
      db.delete(l).where(lte(l.expiresAtMs, p('nowMs'))),
    ),
  }
}

export class LinkAttemptRepository
  extends Repository<ReturnType<typeof prepareLinkAttempts>>
  implements LinkAttempts
{
  insert(row: LinkAttemptRow) {
    return done(this.run(this.q.insert, row))
  }

  take(stateHash: string) {
    return first(this.run(this.q.take, { stateHash }))
  }

  countFor(userId: string) {
    const rows = mapped(this.run(this.q.countFor, { userId }), ({ count }) => count)
    return rows instanceof Promise ? rows.then(([count]) => count ?? 0) : (rows[0] ?? 0)
  }

  removeExpired(nowMs: number) {
    return done(this.run(this.q.removeExpired, { nowMs }))
  }
}
