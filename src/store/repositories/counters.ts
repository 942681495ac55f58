import { and, asc, eq, getTableColumns, gt, isNotNull, isNull, lte, or, type SQL, sql } from 'drizzle-orm'
import type { CounterKeys, CounterRow } from '../../ports/rows.ts'
import type { Counters, LegFilter } from '../../ports/store.ts'
import { given, type Query } from '../dialect.ts'
import { done, mapped, type Preparation, Repository, sorted } from './repository.ts'

/** Counters written by one statement; a batch larger than the biggest is split. */
const BATCHES = [1, 2, 3, 4, 6, 8, 12, 16] as const

export function prepareCounters({ db, t: { counters: n, actions: a }, d }: Preparation) {
  const p = sql.placeholder
  const columns = getTableColumns(n)
  const { userId, lineageId, skillId, action, currency, ...state } = columns
  const { counterId, ...moving } = state

  function saveMany(count: number): Query<{ id: string }> {
    const rows = Array.from(
      { length: count },
      (_, i) =>
        Object.fromEntries(
          Object.entries(columns).map(([key, column]) => [key, given(column, `${key}${i}`)]),
        ) as { [K in keyof typeof columns]: SQL },
    )
    const set = Object.fromEntries(
      Object.entries(moving).map(([key, column]) => [key, sql.raw(`excluded.${column.name}`)]),
    )
    return d.prepare(
      `counters_save_${count}`,
      db
        .insert(n)
        .values(rows)
        .onConflictDoUpdate({ target: [userId, counterId], set }),
    )
  }

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
      ),
    ),
    list: d.prepare(
      'counters_list',
      db
        .select(state)
        .from(n)
        .where(eq(n.userId, p('userId'))),
    ),
    save: new Map(BATCHES.map((count) => [count as number, saveMany(count)])),
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

  async save(rows: (CounterRow & CounterKeys)[]) {
    for (let from = 0; from < rows.length; ) {
      const left = rows.length - from
      const count = BATCHES.findLast((size) => size <= left) ?? 1
      const values: Record<string, unknown> = {}
      for (let i = 0; i < count; i++) {
        for (const [key, value] of Object.entries(rows[from + i] ?? {})) values[`${key}${i}`] = value
      }
      const query = this.q.save.get(count)
      if (query) await done(this.run(query, values))
      from += count
    }
  }

  legs(filter: LegFilter) {
    return this.run(this.q.legs, filter)
  }

  users() {
    return mapped(this.run(this.q.users, {}), (row) => row.userId)
  }
}
