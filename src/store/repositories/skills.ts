import { asc, eq, getTableColumns, sql } from 'drizzle-orm'
import type { SkillRow } from '../../ports/rows.ts'
import type { Skills } from '../../ports/store.ts'
import { allGiven, given } from '../dialect.ts'
import { done, first, type Preparation, Repository } from './repository.ts'

export function prepareSkills({ db, t: { skills }, d }: Preparation) {
  const p = sql.placeholder
  return {
    find: d.prepare(
      'skills_find',
      db
        .select()
        .from(skills)
        .where(eq(skills.id, p('id'))),
    ),
    list: d.prepare('skills_list', db.select().from(skills).orderBy(asc(skills.id))),
    insert: d.prepare('skills_insert', db.insert(skills).values(allGiven(getTableColumns(skills)))),
    setCurrent: d.prepare(
      'skills_set_current',
      db
        .update(skills)
        .set({ currentDigest: given(skills.currentDigest, 'currentDigest') })
        .where(eq(skills.id, p('id'))),
    ),
    setHighestVersion: d.prepare(
      'skills_set_highest_version',
      db
        .update(skills)
        .set({ highestVersion: given(skills.highestVersion, 'version') })
        .where(eq(skills.id, p('id'))),
    ),
  }
}

export class SkillRepository extends Repository<ReturnType<typeof prepareSkills>> implements Skills {
  find(id: string) {
    return first(this.run(this.q.find, { id }))
  }

  list() {
    return this.run(this.q.list, {})
  }

  insert(row: SkillRow) {
    return done(this.run(this.q.insert, row))
  }

  setCurrent(id: string, currentDigest: string | null) {
    return done(this.run(this.q.setCurrent, { id, currentDigest }))
  }

  setHighestVersion(id: string, version: number) {
    return done(this.run(this.q.setHighestVersion, { id, version }))
  }
}
