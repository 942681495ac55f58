import { and, asc, desc, eq, getTableColumns, sql } from 'drizzle-orm'
import type {
  EnforcementCredentialRow,
  EnforcementPointRow,
  EnforcementPoints,
} from '../../ports/enforcement-store.ts'
import { allGiven, given } from '../dialect.ts'
import { done, first, found, type Preparation, Repository } from './repository.ts'

export function prepareEnforcementPoints({ db, t, d }: Preparation) {
  const { enforcementPoints: e, enforcementCredentials: k } = t
  const p = sql.placeholder
  return {
    find: d.prepare(
      'enforcement_points_find',
      d.forUpdate(
        db
          .select()
          .from(e)
          .where(eq(e.id, p('id'))),
      ),
    ),
    active: d.prepare(
      'enforcement_points_active',
      db
        .select({ id: e.id })
        .from(e)
        .where(and(eq(e.id, p('id')), eq(e.status, 'active'))),
    ),
    list: d.prepare('enforcement_points_list', db.select().from(e).orderBy(desc(e.createdAtMs), desc(e.id))),
    insert: d.prepare('enforcement_points_insert', db.insert(e).values(allGiven(getTableColumns(e)))),
    setStatus: d.prepare(
      'enforcement_points_set_status',
      db
        .update(e)
        .set({ status: given(e.status, 'status'), changedAtMs: given(e.changedAtMs, 'changedAtMs') })
        .where(eq(e.id, p('id'))),
    ),
    credentialByDigest: d.prepare(
      'enforcement_credentials_by_digest',
      db
        .select()
        .from(k)
        .where(eq(k.digest, p('digest'))),
    ),
    credentials: d.prepare(
      'enforcement_credentials_of_point',
      db
        .select()
        .from(k)
        .where(eq(k.pointId, p('pointId')))
        .orderBy(asc(k.createdAtMs), asc(k.id)),
    ),
    insertCredential: d.prepare(
      'enforcement_credentials_insert',
      db.insert(k).values(allGiven(getTableColumns(k))),
    ),
    endCredential: d.prepare(
      'enforcement_credentials_end',
      db
        .update(k)
        .set({ endsAtMs: given(k.endsAtMs, 'endsAtMs') })
        .where(eq(k.id, p('id'))),
    ),
  }
}

export class EnforcementPointRepository
  extends Repository<ReturnType<typeof prepareEnforcementPoints>>
  implements EnforcementPoints
{
  find(id: string) {
    return first(this.run(this.q.find, { id }))
  }

  isActive(id: string) {
    return found(this.run(this.q.active, { id }))
  }

  list() {
    return this.run(this.q.list, {})
  }

  insert(row: EnforcementPointRow) {
    return done(this.run(this.q.insert, row))
  }

  setStatus(id: string, status: string, changedAtMs: number) {
    return done(this.run(this.q.setStatus, { id, status, changedAtMs }))
  }

  credentialByDigest(digest: string) {
    return first(this.run(this.q.credentialByDigest, { digest }))
  }

  credentials(pointId: string) {
    return this.run(this.q.credentials, { pointId })
  }

  insertCredential(row: EnforcementCredentialRow) {
    return done(this.run(this.q.insertCredential, row))
  }

  endCredential(id: string, endsAtMs: number) {
    return done(this.run(this.q.endCredential, { id, endsAtMs }))
  }
}
