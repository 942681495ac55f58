import { and, asc, eq, getTableColumns, gt, isNotNull, isNull, lte, or, sql } from 'drizzle-orm'
import type { CounterKeys, CounterRow } from '../../ports/rows.ts'
import type { Counters, LegFilter } from '../../ports/store.ts'
import { allGiven } from '../dialect.ts'
import { done, mapped, type Preparation, Repository, sorted } from './repository.ts'

export function prepareCounters({ db, t: { counters: n, actions: a }, d }: Preparation) {
  const p = sql.placeholder
  const columns = getTableColumns(n)
  const { userId, lineageId, skillId, action, currency, ...state } = columns
  const { counterId, ...moving } = state

  return {
    covering: d.prepare(
      'counters_covering',
      d.forUpdate(
        db
          .select(state)
          .from(n)
          .where(
            and(
              eq(n.userId, p('userId')),
              or(isNull(n.lineageId), eq(n.lineageId, p('lineageId'))),
              or(isNull(n.skillId), eq(n.skillId, p('skillId'))),
              or(isNull(n.action), eq(n.action, p('action'))),
              or(isNull(n.currency), eq(n.currency, p('currency'))),
            ),
          ),
        n.counterId,
      ),
    ),
    list: d.prepare(
      'counters_list',
      db
        .select(state)
        .from(n)
        .where(eq(n.userId, p('userId'))),
    ),
    insert: d.prepare('counters_insert', db.insert(n).values(allGiven(columns))),
    // One by one: here a statement costs less than its values, and a row that is there has few that change.
    move: d.prepare(
      'counters_move',
      db
        .update(n)
        .set(allGiven(moving))
        .where(and(eq(userId, p('userId')), eq(counterId, p('counterId')))),
    ),
    legs: d.prepare(
      'counters_legs',
      db
        .select({
          id: a.id,
          lineageId: a.lineageId,
          skillId: a.skillId,
          action: a.action,
          currency: a.currency,
          heldMinor: a.heldMinor,
          capturedMinor: a.capturedMinor,
          reservedAtMs: a.reservedAtMs,
          asked: a.asked,
          counted: a.counted,
          status: a.status,
        })
        .from(a)
        .where(
          and(
            eq(a.userId, p('userId')),
            gt(a.decidedAtMs, p('fromMs')),
            lte(a.decidedAtMs, p('toMs')),
            isNotNull(a.reservedAtMs),
            or(isNull(sql`cast(${p('lineageId')} as text)`), eq(a.lineageId, p('lineageId'))),
            or(isNull(sql`cast(${p('skillId')} as text)`), eq(a.skillId, p('skillId'))),
            or(isNull(sql`cast(${p('action')} as text)`), eq(a.action, p('action'))),
            or(isNull(sql`cast(${p('currency')} as text)`), eq(a.currency, p('currency'))),
          ),
        ),
    ),
    users: d.prepare(
      'counters_users',
      db.selectDistinct({ userId: a.userId }).from(a).where(isNotNull(a.reservedAtMs)).orderBy(asc(a.userId)),
    ),
  }
}

export class CounterRepository extends Repository<ReturnType<typeof prepareCounters>> implements Counters {
  covering(userId: string, lineageId: string, skillId: string, action: string, currency: string | null) {
    return this.run(this.q.covering, { userId, lineageId, skillId, action, currency })
  }

  list(userId: string) {
    return sorted(this.run(this.q.list, { userId }), (a, b) => (a.counterId < b.counterId ? -1 : 1))
  }

  async insert(rows: (CounterRow & CounterKeys)[]) {
    for (const row of rows) await done(this.run(this.q.insert, row))
  }

  async move(userId: string, rows: readonly CounterRow[]) {
    for (const row of rows) await done(this.run(this.q.move, { ...row, userId }))
  }

  legs(filter: LegFilter) {
    return this.run(this.q.legs, filter)
  }

  users() {
    return mapped(this.run(this.q.users, {}), (row) => row.userId)
  }
}
