import { and, asc, eq, isNull, lt, ne, sql } from 'drizzle-orm'
import type { OauthRecordRow } from '../../ports/oauth-rows.ts'
import type { OauthRecords, RecordRef } from '../../ports/oauth-store.ts'
import { given } from '../dialect.ts'
import { done, first, found, type Preparation, Repository } from './repository.ts'

export function prepareOauthRecords({ db, t: { oauthRecords: r }, d }: Preparation) {
  const p = sql.placeholder
  const one = and(eq(r.model, p('model')), eq(r.recordKey, p('recordKey')))
  const row = {
    model: given(r.model, 'model'),
    recordKey: given(r.recordKey, 'recordKey'),
    userId: given(r.userId, 'userId'),
    familyId: given(r.familyId, 'familyId'),
    userCodeTag: given(r.userCodeTag, 'userCodeTag'),
    payload: given(r.payload, 'payload'),
    expiresAtMs: given(r.expiresAtMs, 'expiresAtMs'),
  }
  const { model: _, recordKey: __, ...changing } = row
  return {
    find: d.prepare('oauth_records_find', db.select().from(r).where(one)),
    findByUserCode: d.prepare(
      'oauth_records_find_by_user_code',
      db
        .select()
        .from(r)
        .where(and(eq(r.userCodeTag, p('userCodeTag')), ne(r.userCodeTag, ''))),
    ),
    save: d.prepare(
      'oauth_records_save',
      db
        .insert(r)
        .values(row)
        .onConflictDoUpdate({ target: [r.model, r.recordKey], set: changing }),
    ),
    insert: d.prepare(
      'oauth_records_insert',
      db.insert(r).values(row).onConflictDoNothing().returning({ recordKey: r.recordKey }),
    ),
    consume: d.prepare(
      'oauth_records_consume',
      db
        .update(r)
        .set({ consumedAtMs: given(r.consumedAtMs, 'atMs') })
        .where(and(one, isNull(r.consumedAtMs)))
        .returning({ recordKey: r.recordKey }),
    ),
    remove: d.prepare('oauth_records_remove', db.delete(r).where(one)),
    removeFamily: d.prepare(
      'oauth_records_remove_family',
      db.delete(r).where(and(eq(r.familyId, p('familyId')), ne(r.familyId, ''))),
    ),
    expired: d.prepare(
      'oauth_records_expired',
      db
        .select({ model: r.model, recordKey: r.recordKey })
        .from(r)
        .where(lt(r.expiresAtMs, p('beforeMs')))
        .orderBy(asc(r.expiresAtMs))
        .limit(p('limit')),
    ),
  }
}

export class OauthRecordRepository
  extends Repository<ReturnType<typeof prepareOauthRecords>>
  implements OauthRecords
{
  find(ref: RecordRef) {
    return first(this.run(this.q.find, ref))
  }

  findByUserCode(userCodeTag: string) {
    return first(this.run(this.q.findByUserCode, { userCodeTag }))
  }

  save(row: Omit<OauthRecordRow, 'consumedAtMs'>) {
    return done(this.run(this.q.save, row))
  }

  insert(row: Omit<OauthRecordRow, 'consumedAtMs'>) {
    return found(this.run(this.q.insert, row))
  }

  consume(ref: RecordRef, atMs: number) {
    return found(this.run(this.q.consume, { ...ref, atMs }))
  }

  remove(ref: RecordRef) {
    return done(this.run(this.q.remove, ref))
  }

  removeFamily(familyId: string) {
    return done(this.run(this.q.removeFamily, { familyId }))
  }

  expired(beforeMs: number, limit: number) {
    return this.run(this.q.expired, { beforeMs, limit })
  }
}
