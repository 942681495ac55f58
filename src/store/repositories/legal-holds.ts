import { asc, eq, getTableColumns, sql } from 'drizzle-orm'
import type { LegalHoldRow } from '../../ports/erasure-rows.ts'
import type { LegalHolds } from '../../ports/erasure-store.ts'
import { allGiven } from '../dialect.ts'
import { done, first, type Preparation, Repository } from './repository.ts'

export function prepareLegalHolds({ db, t: { legalHolds: h }, d }: Preparation) {
  const ofUser = eq(h.userId, sql.placeholder('userId'))
  return {
    find: d.prepare('legal_holds_find', d.forUpdate(db.select().from(h).where(ofUser))),
    list: d.prepare('legal_holds_list', db.select().from(h).orderBy(asc(h.createdAtMs), asc(h.userId))),
    insert: d.prepare('legal_holds_insert', db.insert(h).values(allGiven(getTableColumns(h)))),
    remove: d.prepare('legal_holds_remove', db.delete(h).where(ofUser)),
  }
}

export class LegalHoldRepository
  extends Repository<ReturnType<typeof prepareLegalHolds>>
  implements LegalHolds
{
  find(userId: string) {
    return first(this.run(this.q.find, { userId }))
  }

  list() {
    return this.run(this.q.list, {})
  }

  insert(row: LegalHoldRow) {
    return done(this.run(this.q.insert, row))
  }

  remove(userId: string) {
    return done(this.run(this.q.remove, { userId }))
  }
}
