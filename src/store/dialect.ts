import { type Column, type SQL, sql } from 'drizzle-orm'
import type { AnySQLiteColumn } from 'drizzle-orm/sqlite-core'

/** A prepared statement as a plain function: values in, rows out. Writes give no rows. */
export type Query<Row> = (values: Record<string, unknown>) => Row[] | Promise<Row[]>

/** A statement as drizzle built it; `getSelectedFields` is there on those that answer with rows. */
export type Built = {
  toSQL(): { sql: string; params: unknown[] }
  getSelectedFields?(): Record<string, unknown>
}

/** What the rows of a built statement look like; nothing for a write. */
export type RowsOf<Q> = Q extends { _: { result: (infer Row)[] } } ? Row : never

/** What differs between engines when a statement is prepared or a row locked. */
export type Dialect = {
  prepare<Q extends Built>(name: string, query: Q): Query<RowsOf<Q>>
  /**
   * Locks the rows a statement finds until the unit of work ends.
   *
   * @param order columns in whose order several rows are locked, always the same, so that no two units wait for each
   *   other; needed where there may be several and the statement has no order of its own.
   */
  forUpdate<Q extends object>(query: Q, ...order: Column[]): Q
  /** The columns of the key a row is found by. @param embedded those of the embedded engine, without the user. */
  keyOf(embedded: AnySQLiteColumn[], owner: AnySQLiteColumn): AnySQLiteColumn[]
}

/** A named parameter for a `set`, encoded the way its column wants it. */
export function given(column: Column, name: string): SQL {
  return sql`${sql.param(sql.placeholder(name), column)}`
}

/** Named parameters for every column of a table, to insert or overwrite a whole row. */
export function allGiven<T extends Record<string, Column>>(columns: T): { [K in keyof T]: SQL } {
  return Object.fromEntries(Object.entries(columns).map(([key, column]) => [key, given(column, key)])) as {
    [K in keyof T]: SQL
  }
}
