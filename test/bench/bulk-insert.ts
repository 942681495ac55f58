import type { Database } from 'better-sqlite3'
import { getTableColumns, getTableName } from 'drizzle-orm'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'

const ROWS_PER_TRANSACTION = 50_000

/** Makes a function that inserts whole rows of a table, past every use case. */
export function rowInserter<Table extends SQLiteTable>(
  db: Database,
  table: Table,
): (row: Table['$inferInsert']) => void {
  const columns = Object.entries(getTableColumns(table))
  const names = columns.map(([, column]) => `"${column.name}"`).join(', ')
  const places = columns.map(() => '?').join(', ')
  const keys = columns.map(([key]) => key)
  const statement = db.prepare(`INSERT INTO "${getTableName(table)}" (${names}) VALUES (${places})`)
  return (row: Record<string, unknown>) => {
    statement.run(keys.map((key) => stored(row[key])))
  }
}

function stored(value: unknown): unknown {
  return typeof value === 'boolean' ? Number(value) : (value ?? null)
}

/** Calls `insert` for 0 to `count` - 1, many rows to a transaction. */
export function insertMany(db: Database, count: number, insert: (index: number) => void): void {
  for (let from = 0; from < count; from += ROWS_PER_TRANSACTION) {
    db.exec('BEGIN')
    for (let index = from; index < Math.min(count, from + ROWS_PER_TRANSACTION); index += 1) insert(index)
    db.exec('COMMIT')
  }
}
