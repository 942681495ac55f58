import { and, asc, desc, eq, getTableColumns, lte, sql } from 'drizzle-orm'
import type { RevocationRow, RevokedActionRow } from '../../ports/revocation-rows.ts'
import type { Revocations } from '../../ports/revocation-store.ts'
import type { Page } from '../../ports/store.ts'
import { allGiven, given } from '../dialect.ts'
import { olderThan, pageValues } from './page.ts'
import { done, first, type Preparation, Repository } from './repository.ts'

export function prepareRevocations({ db, t: { revocations: r, revokedActions: a }, d }: Preparation) {
  const p = sql.placeholder
  return {
    insert: d.prepare('revocations_insert', db.insert(r).values(allGiven(getTableColumns(r)))),
    find: d.prepare(
      'revocations_find',
      db
        .select()
        .from(r)
        .where(and(eq(r.id, p('id')), eq(r.userId, p('userId')))),
    ),
    list: d.prepare(
      'revocations_list',
      db
        .select()
        .from(r)
        .where(and(eq(r.userId, p('userId')), olderThan(r.atMs, r.id)))
        .orderBy(desc(r.atMs), desc(r.id))
        .limit(p('limit')),
    ),
    insertAction: d.prepare(
      'revoked_actions_insert',
      db
        .insert(a)
        .values(allGiven(getTableColumns(a)))
        .onConflictDoNothing(),
    ),
    actions: d.prepare(
      'revoked_actions_list',
      db
        .select()
        .from(a)
        .where(and(eq(a.revocationId, p('revocationId')), eq(a.userId, p('userId'))))
        .orderBy(asc(a.actionId)),
    ),
    uncancelled: d.prepare(
      'revoked_actions_uncancelled',
      db
        .select()
        .from(a)
        .where(and(sql`${a.cancel} is null`, lte(a.atMs, p('beforeMs'))))
        .orderBy(asc(a.atMs))
        .limit(p('limit')),
    ),
    setCancel: d.prepare(
      'revoked_actions_set_cancel',
      db
        .update(a)
        .set({ cancel: given(a.cancel, 'cancel'), cancelAtMs: given(a.cancelAtMs, 'cancelAtMs') })
        .where(
          and(
            eq(a.revocationId, p('revocationId')),
            eq(a.actionId, p('actionId')),
            eq(a.userId, p('userId')),
          ),
        ),
    ),
  }
}

export class RevocationRepository
  extends Repository<ReturnType<typeof prepareRevocations>>
  implements Revocations
{
  insert(row: RevocationRow) {
    return done(this.run(this.q.insert, row))
  }

  find(id: string, userId: string) {
    return first(this.run(this.q.find, { id, userId }))
  }

  list(userId: string, page: Page) {
    return this.run(this.q.list, { userId, ...pageValues(page) })
  }

  insertAction(row: RevokedActionRow) {
    return done(this.run(this.q.insertAction, row))
  }

  actions(revocationId: string, userId: string) {
    return this.run(this.q.actions, { revocationId, userId })
  }

  uncancelled(beforeMs: number, limit: number) {
    return this.run(this.q.uncancelled, { beforeMs, limit })
  }

  setCancel(
    row: Pick<RevokedActionRow, 'revocationId' | 'actionId' | 'userId'>,
    cancel: string,
    atMs: number,
  ) {
    return done(this.run(this.q.setCancel, { ...row, cancel, cancelAtMs: atMs }))
  }
}
