import { and, asc, desc, eq, getTableColumns, sql } from 'drizzle-orm'
import type { ManifestRow } from '../../ports/rows.ts'
import type { Manifests } from '../../ports/store.ts'
import { allGiven, given } from '../dialect.ts'
import { done, first, type Preparation, Repository } from './repository.ts'

export function prepareManifests({ db, t: { manifests: m }, d }: Preparation) {
  const p = sql.placeholder
  const all = () => db.select().from(m)
  return {
    find: d.prepare('manifests_find', all().where(eq(m.digest, p('digest')))),
    findVersion: d.prepare(
      'manifests_find_version',
      all().where(and(eq(m.skillId, p('skillId')), eq(m.version, p('version')))),
    ),
    listBySkill: d.prepare(
      'manifests_by_skill',
      all()
        .where(eq(m.skillId, p('skillId')))
        .orderBy(desc(m.version)),
    ),
    listByStatus: d.prepare(
      'manifests_by_status',
      all()
        .where(eq(m.status, p('status')))
        .orderBy(asc(m.submittedAtMs), asc(m.digest)),
    ),
    listByKey: d.prepare(
      'manifests_by_key',
      all()
        .where(and(eq(m.publisherId, p('publisherId')), eq(m.kid, p('kid'))))
        .orderBy(asc(m.digest)),
    ),
    insert: d.prepare('manifests_insert', db.insert(m).values(allGiven(getTableColumns(m)))),
    setStatus: d.prepare(
      'manifests_set_status',
      db
        .update(m)
        .set({
          status: given(m.status, 'status'),
          reason: given(m.reason, 'reason'),
          changedAtMs: given(m.changedAtMs, 'atMs'),
        })
        .where(eq(m.digest, p('digest'))),
    ),
  }
}

export class ManifestRepository extends Repository<ReturnType<typeof prepareManifests>> implements Manifests {
  find(digest: string) {
    return first(this.run(this.q.find, { digest }))
  }

  findVersion(skillId: string, version: number) {
    return first(this.run(this.q.findVersion, { skillId, version }))
  }

  listBySkill(skillId: string) {
    return this.run(this.q.listBySkill, { skillId })
  }

  listByStatus(status: string) {
    return this.run(this.q.listByStatus, { status })
  }

  listByKey(publisherId: string, kid: string) {
    return this.run(this.q.listByKey, { publisherId, kid })
  }

  insert(row: ManifestRow) {
    return done(this.run(this.q.insert, row))
  }

  setStatus(digest: string, status: string, reason: string, atMs: number) {
    return done(this.run(this.q.setStatus, { digest, status, reason, atMs }))
  }
}
