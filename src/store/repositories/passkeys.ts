import { and, eq, getTableColumns, sql } from 'drizzle-orm'
import type { PasskeyRow, PersonRef } from '../../ports/people-rows.ts'
import type { Passkeys } from '../../ports/people-store.ts'
import { allGiven, given } from '../dialect.ts'
import { done, first, found, type Preparation, Repository } from './repository.ts'

export function preparePasskeys({ db, t: { passkeys: k }, d }: Preparation) {
  const p = sql.placeholder
  const own = and(eq(k.credentialId, p('credentialId')), eq(k.personId, p('personId')), eq(k.kind, p('kind')))
  return {
    find: d.prepare(
      'passkeys_find',
      db
        .select()
        .from(k)
        .where(eq(k.credentialId, p('credentialId'))),
    ),
    list: d.prepare(
      'passkeys_list',
      db
        .select()
        .from(k)
        .where(and(eq(k.personId, p('personId')), eq(k.kind, p('kind')))),
    ),
    insert: d.prepare('passkeys_insert', db.insert(k).values(allGiven(getTableColumns(k)))),
    use: d.prepare(
      'passkeys_use',
      db
        .update(k)
        .set({ counter: given(k.counter, 'counter'), lastUsedAtMs: given(k.lastUsedAtMs, 'atMs') })
        .where(and(eq(k.credentialId, p('credentialId')), eq(k.counter, p('counterBefore'))))
        .returning({ credentialId: k.credentialId }),
    ),
    setName: d.prepare(
      'passkeys_set_name',
      db
        .update(k)
        .set({ name: given(k.name, 'name') })
        .where(own)
        .returning({ credentialId: k.credentialId }),
    ),
    remove: d.prepare('passkeys_remove', db.delete(k).where(own).returning({ credentialId: k.credentialId })),
  }
}

export class PasskeyRepository extends Repository<ReturnType<typeof preparePasskeys>> implements Passkeys {
  find(credentialId: string) {
    return first(this.run(this.q.find, { credentialId }))
  }

  list({ kind, id }: PersonRef) {
    return this.run(this.q.list, { kind, personId: id })
  }

  insert(row: PasskeyRow) {
    return done(this.run(this.q.insert, row))
  }

  use(credentialId: string, counterBefore: number, counter: number, atMs: number) {
    return found(this.run(this.q.use, { credentialId, counterBefore, counter, atMs }))
  }

  setName({ kind, id }: PersonRef, credentialId: string, name: string) {
    return found(this.run(this.q.setName, { kind, personId: id, credentialId, name }))
  }

  remove({ kind, id }: PersonRef, credentialId: string) {
    return found(this.run(this.q.remove, { kind, personId: id, credentialId }))
  }
}
