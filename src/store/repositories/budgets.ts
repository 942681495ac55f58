import { eq, getTableColumns, sql } from 'drizzle-orm'
import type { UserBudgetRow } from '../../ports/rows.ts'
import type { Budgets } from '../../ports/store.ts'
import { allGiven } from '../dialect.ts'
import { done, type Preparation, Repository, sorted } from './repository.ts'

export function prepareBudgets({ db, t: { userBudgets: b }, d }: Preparation) {
  const p = sql.placeholder
  return {
    list: d.prepare(
      'user_budgets_list',
      db
        .select()
        .from(b)
        .where(eq(b.userId, p('userId'))),
    ),
    insert: d.prepare('user_budgets_insert', db.insert(b).values(allGiven(getTableColumns(b)))),
    remove: d.prepare('user_budgets_remove', db.delete(b).where(eq(b.id, p('id')))),
  }
}

export class BudgetRepository extends Repository<ReturnType<typeof prepareBudgets>> implements Budgets {
  list(userId: string) {
    return sorted(
      this.run(this.q.list, { userId }),
      (a, b) => a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1),
    )
  }

  insert(row: UserBudgetRow) {
    return done(this.run(this.q.insert, row))
  }

  remove(id: string) {
    return done(this.run(this.q.remove, { id }))
  }
}
