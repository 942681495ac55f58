import { and, asc, desc, eq, getTableColumns, isNull, lte, ne, sql } from 'drizzle-orm'
import type { ErasureRow } from '../../ports/erasure-rows.ts'
import type { Erasures } from '../../ports/erasure-store.ts'
import { allGiven } from '../dialect.ts'
import { done, first, type Preparation, Repository } from './repository.ts'

export function prepareErasures({ db, t: { erasures: e }, d }: Preparation) {
  const p = sql.placeholder
  const columns = allGiven(getTableColumns(e))
  return {
    find: d.prepare(
      'erasures_find',
      d.forUpdate(
        db
          .select()
          .from(e)
          .where(eq(e.id, p('id'))),
      ),
    ),
    newestOf: d.prepare(
      'erasures_newest_of',
      d.forUpdate(
        db
          .select()
          .from(e)
          .where(and(eq(e.userId, p('userId')), eq(e.scope, sql.raw("'everything'"))))
          .orderBy(desc(e.requestedAtMs), desc(e.id))
          .limit(1),
      ),
    ),
    ofParts: d.prepare(
      'erasures_of_parts',
      db
        .select()
        .from(e)
        .where(and(eq(e.userId, p('userId')), ne(e.scope, sql.raw("'everything'"))))
        .orderBy(desc(e.requestedAtMs), desc(e.id))
        .limit(p('limit')),
    ),
    removeOfParts: d.prepare(
      'erasures_remove_of_parts',
      db.delete(e).where(and(eq(e.userId, p('userId')), ne(e.scope, sql.raw("'everything'")))),
    ),
    due: d.prepare(
      'erasures_due',
      db
        .select()
        .from(e)
        .where(and(isNull(e.endedAtMs), lte(e.checkAtMs, p('nowMs'))))
        .orderBy(asc(e.checkAtMs), asc(e.id))
        .limit(p('limit')),
    ),
    open: d.prepare(
      'erasures_open',
      db.select().from(e).where(isNull(e.endedAtMs)).orderBy(asc(e.dueAtMs), asc(e.id)).limit(p('limit')),
    ),
    insert: d.prepare('erasures_insert', db.insert(e).values(columns)),
    update: d.prepare(
      'erasures_update',
      db
        .update(e)
        .set(columns)
        .where(eq(e.id, p('id'))),
    ),
  }
}

export class ErasureRepository extends Repository<ReturnType<typeof prepareErasures>> implements Erasures {
  find(id: string) {
    return first(this.run(this.q.find, { id }))
  }

  newestOf(userId: string) {
    return first(this.run(this.q.newestOf, { userId }))
  }

  ofParts(userId: string, limit: number) {
    return this.run(this.q.ofParts, { userId, limit })
  }

  removeOfParts(userId: string) {
    return done(this.run(this.q.removeOfParts, { userId }))
  }

  due(nowMs: number, limit: number) {
    return this.run(this.q.due, { nowMs, limit })
  }

  open(limit: number) {
    return this.run(this.q.open, { limit })
  }

  insert(row: ErasureRow) {
    return done(this.run(this.q.insert, row))
  }

  update(row: ErasureRow) {
    return done(this.run(this.q.update, row))
  }
}
