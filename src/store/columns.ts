import * as s from 'drizzle-orm/sqlite-core'

/** The only kinds of column a table may use: each has one row type on every engine. */
export const sqliteColumns = {
  table: s.sqliteTable,
  primaryKey: s.primaryKey,
  index: s.index,
  uniqueIndex: s.uniqueIndex,
  check: s.check,
  text: (name: string) => s.text(name),
  integer: (name: string) => s.integer(name),
  boolean: (name: string) => s.integer(name, { mode: 'boolean' }),
  bytes: (name: string) => s.blob(name, { mode: 'buffer' }),
}

export type Columns = typeof sqliteColumns
