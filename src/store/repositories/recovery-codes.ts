import { and, eq, getTableColumns, sql } from 'drizzle-orm'
import type { PersonRef, RecoveryCodeRow } from '../../ports/people-rows.ts'
import type { RecoveryCodes } from '../../ports/people-store.ts'
import { allGiven } from '../dialect.ts'
import { done, first, type Preparation, Repository } from './repository.ts'

export function prepareRecoveryCodes({ db, t: { recoveryCodes: r }, d }: Preparation) {
  const p = sql.placeholder
  const own = and(eq(r.personId, p('personId')), eq(r.kind, p('kind')))
  return {
    find: d.prepare(
      'recovery_codes_find',
      db
        .select()
        .from(r)
        .where(eq(r.codeHash, p('codeHash'))),
    ),
    take: d.prepare(
      'recovery_codes_take',
      db
        .delete(r)
        .where(eq(r.codeHash, p('codeHash')))
        .returning(),
    ),
    list: d.prepare('recovery_codes_list', db.select().from(r).where(own)),
    insert: d.prepare('recovery_codes_insert', db.insert(r).values(allGiven(getTableColumns(r)))),
    removeAll: d.prepare('recovery_codes_remove_all', db.delete(r).where(own)),
  }
}

export class RecoveryCodeRepository
  extends Repository<ReturnType<typeof prepareRecoveryCodes>>
  implements RecoveryCodes
{
  find(codeHash: string) {
    return first(this.run(this.q.find, { codeHash }))
  }

  take(codeHash: string) {
    return first(this.run(this.q.take, { codeHash }))
  }

  list({ kind, id }: PersonRef) {
    return this.run(this.q.list, { kind, personId: id })
  }

  insert(row: RecoveryCodeRow) {
    return done(this.run(this.q.insert, row))
  }

  removeAll({ kind, id }: PersonRef) {
    return done(this.run(this.q.removeAll, { kind, personId: id }))
  }
}
