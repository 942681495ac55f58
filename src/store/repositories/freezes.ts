import { asc, eq, getTableColumns, inArray, sql } from 'drizzle-orm'
import type { FreezeRow } from '../../ports/rows.ts'
import type { Freezes } from '../../ports/store.ts'
import { allGiven } from '../dialect.ts'
import { done, type Preparation, Repository, sorted } from './repository.ts'

/** As many things as one action can be frozen through: user, agent, skill, action, publisher, deployment, platform. */
const MOST = 7

export function prepareFreezes({ db, t: { freezes: f }, d }: Preparation) {
  const p = sql.placeholder
  const ids = Array.from({ length: MOST }, (_, i) => p(`id${i}`))
  return {
    matching: d.prepare('freezes_matching', db.select().from(f).where(inArray(f.id, ids))),
    list: d.prepare('freezes_list', db.select().from(f).orderBy(asc(f.createdAtMs), asc(f.id))),
    insert: d.prepare(
      'freezes_insert',
      db
        .insert(f)
        .values(allGiven(getTableColumns(f)))
        .onConflictDoNothing(),
    ),
    remove: d.prepare('freezes_remove', db.delete(f).where(eq(f.id, p('id')))),
  }
}

export class FreezeRepository extends Repository<ReturnType<typeof prepareFreezes>> implements Freezes {
  matching(ids: string[]) {
    if (ids.length > MOST) throw new RangeError(`at most ${MOST} freezes can cover one action`)
    const values: Record<string, string> = {}
    for (let i = 0; i < MOST; i++) values[`id${i}`] = ids[i] ?? ''
    return sorted(this.run(this.q.matching, values), (a, b) => (a.id < b.id ? -1 : 1))
  }

  list() {
    return this.run(this.q.list, {})
  }

  insert(row: FreezeRow) {
    return done(this.run(this.q.insert, row))
  }

  remove(id: string) {
    return done(this.run(this.q.remove, { id }))
  }
}
