import type { BetterSQLite3Database } from 'drizzle-orm/better-sqlite3'
import { drizzle } from 'drizzle-orm/node-postgres'
import { type PostgresDialect, postgresDialect } from './postgres-dialect.ts'
import { prepareQueries, type Queries } from './queries.ts'
import { postgresTables } from './schema/postgres.ts'

/** Built once for every connection: a unit of work sends them over its own. */
export type PostgresStatements = { readonly dialect: PostgresDialect; readonly queries: Queries }

/** @param locks whether rows may be locked: who only looks must not. */
export function postgresStatements(locks: boolean): PostgresStatements {
  const dialect = postgresDialect(locks)
  // The builders of the two engines differ in type, though not in what the queries call.
  const db = drizzle.mock() as object as BetterSQLite3Database
  return { dialect, queries: prepareQueries({ db, t: postgresTables, d: dialect }) }
}
