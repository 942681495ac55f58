import { eq, getTableColumns, sql } from 'drizzle-orm'
import type { UserRow } from '../../ports/rows.ts'
import type { Users } from '../../ports/store.ts'
import { allGiven, given } from '../dialect.ts'
import { done, first, type Preparation, Repository } from './repository.ts'

export function prepareUsers({ db, t: { users }, d }: Preparation) {
  return {
    find: d.prepare(
      'users_find',
      db
        .select()
        .from(users)
        .where(eq(users.id, sql.placeholder('id'))),
    ),
    save: d.prepare(
      'users_save',
      db
        .insert(users)
        .values(allGiven(getTableColumns(users)))
        .onConflictDoUpdate({ target: users.id, set: { timeZone: given(users.timeZone, 'timeZone') } }),
    ),
  }
}

export class UserRepository extends Repository<ReturnType<typeof prepareUsers>> implements Users {
  find(id: string) {
    return first(this.run(this.q.find, { id }))
  }

  save(row: UserRow) {
    return done(this.run(this.q.save, row))
  }
}
