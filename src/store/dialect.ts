import { type Column, type SQL, sql } from 'drizzle-orm'

/** A prepared statement as a plain function: values in, rows out. */
export type Query<Row> = (values: Record<string, unknown>) => Row[] | Promise<Row[]>

type RowsOf<Q> = Q extends { _: { result: (infer Row)[] } } ? Row : never

/** What differs between engines when a statement is prepared or a row locked. */
export type Dialect = {
  prepare<Q extends { prepare(): unknown }>(name: string, query: Q): Query<RowsOf<Q>>
  forUpdate<Q extends object>(query: Q): Q
}

type SqliteStatement = { execute(values: object): { sync(): never[] } }

export const sqliteDialect: Dialect = {
  prepare(_name, query) {
    const statement = query.prepare() as SqliteStatement
    return (values) => statement.execute(values).sync()
  },
  // One writer at a time: every row is locked already.
  forUpdate: (query) => query,
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
