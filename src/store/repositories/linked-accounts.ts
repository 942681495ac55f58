import { and, asc, eq, getTableColumns, sql } from 'drizzle-orm'
import type { LinkedAccountRow } from '../../ports/link-rows.ts'
import type { LinkedAccounts } from '../../ports/link-store.ts'
import { allGiven, given } from '../dialect.ts'
import { done, first, found, type Preparation, Repository } from './repository.ts'

export function prepareLinkedAccounts({ db, t: { linkedAccounts: l }, d }: Preparation) {
  const p = sql.placeholder
  const asSeen = and(eq(l.id, p('id')), eq(l.revision, p('seenRevision')))
  const changed = { revision: sql`${l.revision} + 1`, changedAtMs: given(l.changedAtMs, 'atMs') }
  return {
    find: d.prepare(
      'linked_accounts_find',
      db
        .select()
        .from(l)
        .where(eq(l.id, p('id'))),
    ),
    findFor: d.prepare(
      'linked_accounts_find_for',
      db
        .select()
        .from(l)
        .where(and(eq(l.userId, p('userId')), eq(l.skillId, p('skillId')), eq(l.link, p('link')))),
    ),
    list: d.prepare(
      'linked_accounts_list',
      db
        .select()
        .from(l)
        .where(eq(l.userId, p('userId')))
        .orderBy(asc(l.skillId), asc(l.link)),
    ),
    insert: d.prepare('linked_accounts_insert', db.insert(l).values(allGiven(getTableColumns(l)))),
    renew: d.prepare(
      'linked_accounts_renew',
      db
        .update(l)
        .set({
          ...changed,
          tokens: given(l.tokens, 'tokens'),
          expiresAtMs: given(l.expiresAtMs, 'expiresAtMs'),
        })
        .where(asSeen)
        .returning(),
    ),
    setStatus: d.prepare(
      'linked_accounts_set_status',
      db
        .update(l)
        .set({ ...changed, status: given(l.status, 'status') })
        .where(asSeen)
        .returning(),
    ),
    remove: d.prepare(
      'linked_accounts_remove',
      db
        .delete(l)
        .where(and(eq(l.id, p('id')), eq(l.userId, p('userId'))))
        .returning(),
    ),
  }
}

export class LinkedAccountRepository
  extends Repository<ReturnType<typeof prepareLinkedAccounts>>
  implements LinkedAccounts
{
  find(id: string) {
    return first(this.run(this.q.find, { id }))
  }

  findFor(userId: string, skillId: string, link: string) {
    return first(this.run(this.q.findFor, { userId, skillId, link }))
  }

  list(userId: string) {
    return this.run(this.q.list, { userId })
  }

  insert(row: LinkedAccountRow) {
    return done(this.run(this.q.insert, row))
  }

  renew(id: string, seenRevision: number, tokens: string, expiresAtMs: number | null, atMs: number) {
    return found(this.run(this.q.renew, { id, seenRevision, tokens, expiresAtMs, atMs }))
  }

  setStatus(id: string, seenRevision: number, status: string, atMs: number) {
    return found(this.run(this.q.setStatus, { id, seenRevision, status, atMs }))
  }

  remove(userId: string, id: string) {
    return first(this.run(this.q.remove, { userId, id }))
  }
}
