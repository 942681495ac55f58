import { and, eq, getTableColumns, sql } from 'drizzle-orm'
import type { KeyCheckRow, KeyChecks } from '../../ports/node-store.ts'
import { allGiven, given } from '../dialect.ts'
import { found, type Preparation, Repository } from './repository.ts'

export function prepareKeyChecks({ db, t: { keyChecks: k }, d }: Preparation) {
  return {
    list: d.prepare('key_checks_list', db.select().from(k)),
    insert: d.prepare(
      'key_checks_insert',
      db
        .insert(k)
        .values(allGiven(getTableColumns(k)))
        .onConflictDoNothing()
        .returning({ name: k.name }),
    ),
    replace: d.prepare(
      'key_checks_replace',
      db
        .update(k)
        .set({ value: given(k.value, 'value'), setAtMs: given(k.setAtMs, 'setAtMs') })
        .where(and(eq(k.name, sql.placeholder('name')), eq(k.value, sql.placeholder('before'))))
        .returning({ name: k.name }),
    ),
  }
}

export class KeyCheckRepository extends Repository<ReturnType<typeof prepareKeyChecks>> implements KeyChecks {
  list() {
    return this.run(this.q.list, {})
  }

  insert(row: KeyCheckRow) {
    return found(this.run(this.q.insert, row))
  }

  replace(row: KeyCheckRow, before: string) {
    return found(this.run(this.q.replace, { ...row, before }))
  }
}
