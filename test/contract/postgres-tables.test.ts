import type { BetterSQLite3Database } from 'drizzle-orm/better-sqlite3'
import { drizzle as drizzlePostgres } from 'drizzle-orm/node-postgres'
import { fenceInMemory } from '../../src/store/database-fence-file.ts'
import type { Query } from '../../src/store/dialect.ts'
import { postgresDialect } from '../../src/store/postgres-dialect.ts'
import { openPool } from '../../src/store/postgres-pool.ts'
import { postgresTables } from '../../src/store/schema/postgres.ts'
import { createTestDatabase } from '../support/postgres-database.ts'
import { describeTables } from './table-contract.ts'

const open = async () => {
  const database = await createTestDatabase()
  const limits = {
    fence: fenceInMemory(),
    connectionsMost: 1,
    waitingMost: 1,
    waitMs: 2_000,
    statementMs: 2_000,
  }
  const pool = openPool({ url: database.url(), ...limits, readOnly: false })
  const connection = await pool.take()
  const d = postgresDialect(true)
  return {
    db: drizzlePostgres.mock() as object as BetterSQLite3Database,
    t: postgresTables,
    d,
    async run<Row>(query: Query<Row>, values: Record<string, unknown>): Promise<Row[]> {
      connection.beginAside()
      const rows = await connection.run<Row>(d.statementOf(query), values)
      await connection.commit()
      return rows
    },
    async close() {
      pool.giveBack(connection)
      await pool.close()
      await database.drop()
    },
  }
}
describeTables('the store on PostgreSQL', open, postgresTables)
