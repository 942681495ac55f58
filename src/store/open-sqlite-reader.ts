import Database from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import type { Tx } from '../ports/store.ts'
import { prepareQueries } from './queries.ts'
import { sqliteTables } from './schema/sqlite.ts'
import { sqliteDialect } from './sqlite-dialect.ts'
import { UnitTx } from './unit-tx.ts'

/** One unchanging view of a database that another process may be writing to. */
export type StoreView = {
  read<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  close(): void
}

/**
 * Opens a database for looking only, as it is at this moment: everything read agrees, whatever is committed
 * meanwhile. Nothing is migrated and nothing can be written.
 *
 * @param nowMs what `tx.nowMs` says. Unix milliseconds.
 * @throws if the file is not there, or not a database of this version.
 */
export function openSqliteView(file: string, nowMs: number): StoreView {
  const db = new Database(file, { readonly: true, fileMustExist: true })
  try {
    db.exec('BEGIN')
    const queries = prepareQueries({ db: drizzle(db), t: sqliteTables, d: sqliteDialect(db) })
    const tx = new UnitTx({
      run: (query, values) => query(values),
      queries,
      sequence: () => {
        throw new Error('a view is not written to')
      },
      nowMs,
      clockTrusted: true,
    })
    return { read: (work) => work(tx), close: () => db.close() }
  } catch (error) {
    db.close()
    throw error
  }
}
