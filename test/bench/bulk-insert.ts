import type { Database } from 'better-sqlite3'
import { getTableColumns, getTableName } from 'drizzle-orm'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'
import type { ClientBase } from 'pg'

const ROWS_PER_TRANSACTION = 50_000
const ROWS_PER_STATEMENT = 2_000

/** Takes whole rows, past every use case, and keeps them on either engine. */
export type RowSink = {
  inserterOf<Table extends SQLiteTable>(table: Table): (row: Table['$inferInsert']) => void
  /** Calls `insert` for 0 to `count` - 1. */
  many(count: number, insert: (index: number) => void): void
}

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

export function sqliteSink(db: Database): RowSink {
  return {
    inserterOf: (table) => rowInserter(db, table),
    many: (count, insert) => insertMany(db, count, insert),
  }
}

/** Gathers rows in memory; `flush` sends them to a database whose tables have the same names and columns. */
export function gatheringSink(): RowSink & { flush(client: ClientBase): Promise<void> } {
  const gathered = new Map<string, { columns: readonly string[]; rows: Record<string, unknown>[] }>()
  return {
    inserterOf(table) {
      const columns = Object.entries(getTableColumns(table)).map(([key, { name }]) => ({ key, name }))
      const held = gathered.get(getTableName(table)) ?? { columns: columns.map(({ name }) => name), rows: [] }
      gathered.set(getTableName(table), held)
      return (row: Record<string, unknown>) =>
        void held.rows.push(Object.fromEntries(columns.map(({ key, name }) => [name, row[key] ?? null])))
    },
    many(count, insert) {
      for (let index = 0; index < count; index += 1) insert(index)
    },
    async flush(client) {
      for (const [name, { columns, rows }] of gathered) {
        const names = columns.map((column) => `"${column}"`).join(', ')
        const text = `insert into "${name}" (${names}) select ${names} from json_populate_recordset(null::"${name}", $1)`
        for (let from = 0; from < rows.length; from += ROWS_PER_STATEMENT)
          await client.query(text, [JSON.stringify(rows.slice(from, from + ROWS_PER_STATEMENT))])
      }
      gathered.clear()
    },
  }
}
