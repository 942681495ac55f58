import { and, eq, getTableColumns, sql } from 'drizzle-orm'
import type { PersonAccountRow, PersonRef } from '../../ports/people-rows.ts'
import type { PersonAccounts } from '../../ports/people-store.ts'
import { allGiven } from '../dialect.ts'
import { done, first, type Preparation, Repository } from './repository.ts'

export function preparePersonAccounts({ db, t: { personAccounts: a }, d }: Preparation) {
  const p = sql.placeholder
  return {
    find: d.prepare(
      'person_accounts_find',
      db
        .select()
        .from(a)
        .where(eq(a.account, p('account'))),
    ),
    list: d.prepare(
      'person_accounts_list',
      db
        .select()
        .from(a)
        .where(and(eq(a.personId, p('personId')), eq(a.kind, p('kind')))),
    ),
    insert: d.prepare('person_accounts_insert', db.insert(a).values(allGiven(getTableColumns(a)))),
  }
}

export class PersonAccountRepository
  extends Repository<ReturnType<typeof preparePersonAccounts>>
  implements PersonAccounts
{
  find(account: string) {
    return first(this.run(this.q.find, { account }))
  }

  list({ kind, id }: PersonRef) {
    return this.run(this.q.list, { kind, personId: id })
  }

  insert(row: PersonAccountRow) {
    return done(this.run(this.q.insert, row))
  }
}
