import { eq, getTableColumns, sql } from 'drizzle-orm'
import type { LeaseState } from '../../core/nodes/lease.ts'
import type { Leases } from '../../ports/node-store.ts'
import { allGiven } from '../dialect.ts'
import { done, first, found, type Preparation, Repository } from './repository.ts'

export function prepareLeases({ db, t: { leases: l }, d }: Preparation) {
  const p = sql.placeholder
  const { name, ...later } = getTableColumns(l)
  const one = () =>
    db
      .select()
      .from(l)
      .where(eq(l.name, p('name')))
  return {
    lock: d.prepare('leases_lock', d.forUpdate(one())),
    find: d.prepare('leases_find', one()),
    insert: d.prepare(
      'leases_insert',
      db
        .insert(l)
        .values(allGiven(getTableColumns(l)))
        .onConflictDoNothing()
        .returning({ name: l.name }),
    ),
    save: d.prepare(
      'leases_save',
      db
        .update(l)
        .set(allGiven(later))
        .where(eq(l.name, p('name'))),
    ),
    list: d.prepare('leases_list', db.select().from(l)),
    remove: d.prepare('leases_remove', db.delete(l).where(eq(l.name, p('name')))),
  }
}

export class LeaseRepository extends Repository<ReturnType<typeof prepareLeases>> implements Leases {
  lock(name: string) {
    return first(this.run(this.q.lock, { name }))
  }

  find(name: string) {
    return first(this.run(this.q.find, { name }))
  }

  insert(lease: LeaseState) {
    return found(this.run(this.q.insert, lease))
  }

  save(lease: LeaseState) {
    return done(this.run(this.q.save, lease))
  }

  async list(prefix: string) {
    // There are a handful of leases, and engines differ in what they make of a prefix.
    const rows = await this.run(this.q.list, {})
    return rows.filter((lease) => lease.name.startsWith(prefix))
  }

  remove(name: string) {
    return done(this.run(this.q.remove, { name }))
  }
}
