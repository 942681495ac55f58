import type { Database } from 'better-sqlite3'
import type { Built, Dialect, Query, RowsOf } from './dialect.ts'
import { bindOf, readerOf } from './row-codec.ts'

/** Prepares on one connection what drizzle built. */
export function sqliteDialect(db: Database): Dialect {
  return {
    prepare<Q extends Built>(_name: string, query: Q): Query<RowsOf<Q>> {
      const { sql, params } = query.toSQL()
      const statement = db.prepare(sql)
      const binds = params.map(bindOf)
      const read = readerOf<RowsOf<Q>>(query)
      if (read === null) {
        return (values) => {
          statement.run(binds.map((bind) => bind(values)))
          return []
        }
      }
      const rows = statement.raw(true)
      return (values) => rows.all(binds.map((bind) => bind(values))).map((row) => read(row as unknown[]))
    },
    // One writer at a time: every row is locked already.
    forUpdate: (query) => query,
    keyOf: (embedded) => embedded,
  }
}
