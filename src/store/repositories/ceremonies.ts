import { eq, getTableColumns, lte, sql } from 'drizzle-orm'
import type { CeremonyRow } from '../../ports/people-rows.ts'
import type { Ceremonies } from '../../ports/people-store.ts'
import { allGiven } from '../dialect.ts'
import { done, first, type Preparation, Repository } from './repository.ts'

export function prepareCeremonies({ db, t: { ceremonies: c }, d }: Preparation) {
  const p = sql.placeholder
  return {
    take: d.prepare(
      'ceremonies_take',
      db
        .delete(c)
        .where(eq(c.challengeHash, p('challengeHash')))
        .returning(),
    ),
    insert: d.prepare('ceremonies_insert', db.insert(c).values(allGiven(getTableColumns(c)))),
    removeExpired: d.prepare('ceremonies_remove_expired', db.delete(c).where(lte(c.expiresAtMs, p('nowMs')))),
  }
}

export class CeremonyRepository
  extends Repository<ReturnType<typeof prepareCeremonies>>
  implements Ceremonies
{
  take(challengeHash: string) {
    return first(this.run(this.q.take, { challengeHash }))
  }

  insert(row: CeremonyRow) {
    return done(this.run(this.q.insert, row))
  }

  removeExpired(nowMs: number) {
    return done(this.run(this.q.removeExpired, { nowMs }))
  }
}
