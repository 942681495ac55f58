import { getTableColumns, getTableName } from 'drizzle-orm'
import type { BetterSQLite3Database } from 'drizzle-orm/better-sqlite3'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { allGiven, type Dialect, type Query } from '../../src/store/dialect.ts'
import type { Tables } from '../../src/store/schema/sqlite.ts'

/** Where rows of an engine are written and read with its own statements, each as the engine prepares them. */
export type TableBench = {
  readonly db: BetterSQLite3Database
  readonly t: Tables
  readonly d: Dialect
  /** Runs what was prepared. */
  run<Row>(query: Query<Row>, values: Record<string, unknown>): Promise<Row[]>
  close(): Promise<void>
}

/** What a column may hold only of; everything else takes any value of its kind. */
const LIMITED: Readonly<Record<string, number>> = {
  leaf_index: 0,
  node_index: 0,
  level: 8,
  held_minor: 0,
  captured_minor: 0,
  ceiling: 9,
}

/** One row of every table, through the engine and back: the same on each. */
export function describeTables(name: string, open: () => Promise<TableBench>, tables: Tables): void {
  describe(`rows of every table in ${name}`, () => {
    let bench: TableBench
    beforeAll(async () => {
      bench = await open()
    })
    afterAll(() => bench.close())

    // A log that has ended takes no more leaves: that it has is written last.
    const keys = Object.keys(tables).sort((a, b) => Number(a === 'pastLogs') - Number(b === 'pastLogs'))
    it.each(keys as (keyof Tables)[])('%s', async (key) => {
      const { db, t, d, run } = bench
      const table: SQLiteTable = t[key]
      const columns = getTableColumns(table)
      const of = getTableName(table)
      const insert = d.prepare(`probe_insert_${of}`, db.insert(table).values(allGiven(columns)))
      const find = d.prepare(`probe_find_${of}`, db.select().from(table))
      const full = Object.fromEntries(
        Object.entries(columns).map(([field, column]) => [field, sampleOf(column, field)]),
      )
      await run(insert, full)
      expect(await run(find, {})).toEqual([full])
      const nulls = Object.entries(columns).filter(([, column]) => !column.notNull && !column.primary)
      if (nulls.length === 0 || ONLY_GROWS.test(of)) return
      await run(d.prepare(`probe_clear_${of}`, db.delete(table)), {})
      const empty = { ...full, ...Object.fromEntries(nulls.map(([field]) => [field, null])) }
      await run(insert, empty)
      expect(await run(find, {})).toEqual([empty])
    })
  })
}

/** Logs, of which nothing can be taken away again. */
const ONLY_GROWS = /^(log|past)_/

type Kind = {
  readonly name: string
  readonly notNull: boolean
  readonly dataType: string
  getSQLType(): string
}

function sampleOf(column: Kind, field: string): unknown {
  const limited = LIMITED[column.name]
  if (limited !== undefined) return limited
  if (/^(blob|bytea)$/.test(column.getSQLType())) return Buffer.alloc(32, 0xfe)
  switch (column.dataType) {
    case 'boolean':
      return true
    case 'number':
      return /_ms$/.test(column.name) ? 1_790_000_000_001 : 1
    default:
      return `${field} Kaffee 咖啡 '"\\`
  }
}
