import Database from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { migrateSqlite } from '../../src/store/migrate-sqlite.ts'
import { sqliteTables } from '../../src/store/schema/sqlite.ts'
import { sqliteDialect } from '../../src/store/sqlite-dialect.ts'
import { MIGRATIONS } from '../support/sqlite-file.ts'
import { describeTables } from './table-contract.ts'

const open = async () => {
  const raw = new Database(':memory:')
  migrateSqlite(raw, MIGRATIONS)
  return {
    db: drizzle(raw),
    t: sqliteTables,
    d: sqliteDialect(raw),
    run: async <Row>(query: (values: Record<string, unknown>) => Row[] | Promise<Row[]>, values: object) =>
      query({ ...values }),
    close: async () => void raw.close(),
  }
}
describeTables('the embedded store', open, sqliteTables)
