import * as p from 'drizzle-orm/pg-core'
import * as s from 'drizzle-orm/sqlite-core'

/** The columns of a key, the first of them named apart: a key has one. */
type KeyColumns = [s.AnySQLiteColumn, ...s.AnySQLiteColumn[]]

/** The only kinds of column a table may use: each has one row type on every engine. */
export const sqliteColumns = {
  table: s.sqliteTable,
  primaryKey: s.primaryKey,
  index: s.index,
  uniqueIndex: s.uniqueIndex,
  check: s.check,
  /** The id of a row that belongs to a user. Its table says `...c.ownedBy(t.userId, t.id)` as well. */
  id: (name: string) => s.text(name).primaryKey(),
  /** The key of a table with an `id`: an engine that shards by user wants the user in every unique key. */
  ownedBy: (_owner: s.AnySQLiteColumn, _id: s.AnySQLiteColumn): s.PrimaryKeyBuilder[] => [],
  /** Likewise where a row is found by several columns. */
  ownedKey: (_owner: s.AnySQLiteColumn, columns: KeyColumns) => s.primaryKey({ columns }),
  text: (name: string) => s.text(name),
  integer: (name: string) => s.integer(name),
  boolean: (name: string) => s.integer(name, { mode: 'boolean' }),
  bytes: (name: string) => s.blob(name, { mode: 'buffer' }),
}

export type Columns = typeof sqliteColumns

const bytea = p.customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => 'bytea' })

export const postgresColumns = {
  table: p.pgTable,
  primaryKey: p.primaryKey,
  index: p.index,
  uniqueIndex: p.uniqueIndex,
  check: p.check,
  id: (name: string) => p.text(name).notNull(),
  // The id first: what is looked up by its id alone is found as well.
  ownedBy: (owner: p.AnyPgColumn, id: p.AnyPgColumn) => [p.primaryKey({ columns: [id, owner] })],
  ownedKey: (owner: p.AnyPgColumn, columns: [p.AnyPgColumn, ...p.AnyPgColumn[]]) =>
    p.primaryKey({ columns: [...columns, owner] }),
  text: (name: string) => p.text(name),
  integer: (name: string) => p.bigint(name, { mode: 'number' }),
  boolean: (name: string) => p.boolean(name),
  bytes: (name: string) => bytea(name),
}

/**
 * The columns of another engine under the types of the embedded one, which all queries are written against. The two
 * builders differ in type though not in what is built from them; that rows agree is proved in test/store.
 */
export function asColumns(columns: { [Kind in keyof Columns]: object }): Columns {
  return columns as object as Columns
}
