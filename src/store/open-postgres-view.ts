import { fenceInMemory } from './database-fence-file.ts'
import { checkServing } from './migrate-postgres.ts'
import type { StoreView } from './open-sqlite-reader.ts'
import { toStoreError } from './postgres-errors.ts'
import { openPool } from './postgres-pool.ts'
import { queueAccess } from './postgres-queue.ts'
import { postgresStatements } from './postgres-statements.ts'
import { UnitTx } from './unit-tx.ts'

/** Long enough for a walk through everything that is there. */
const STATEMENT_MS = 60_000

/**
 * Opens a database for looking only, as it is at this moment: everything read agrees, whatever is committed meanwhile.
 *
 * @param nowMs what `tx.nowMs` says. Unix milliseconds.
 * @throws (rejects) DatabaseOfOtherVersion, ServingRoleTooStrong, or StoreUnavailable if the server does not answer.
 */
export async function openPostgresView(options: {
  url: string
  migrationsFolder: string
  nowMs: number
}): Promise<StoreView & { close(): Promise<void> }> {
  const { url, migrationsFolder, nowMs } = options
  const pool = openPool({
    url,
    fence: fenceInMemory(),
    connectionsMost: 1,
    waitingMost: 1,
    waitMs: 5_000,
    statementMs: STATEMENT_MS,
    readOnly: true,
  })
  try {
    const connection = await pool.take()
    await checkServing(connection.client, migrationsFolder)
    await connection.client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    const { dialect, queries } = postgresStatements(false)
    const tx = new UnitTx({
      run(query, values) {
        const statement = dialect.statementOf(query)
        if (statement.isWrite) throw new Error(`${statement.name} writes, and a view is readonly`)
        return connection.run(statement, values)
      },
      queries,
      sequence: () => {
        throw new Error('a view is not written to')
      },
      queue: queueAccess((query) => connection.ask(query)),
      nowMs,
      clockTrusted: true,
    })
    return {
      read: (work) => work(tx),
      async close() {
        pool.giveBack(connection, true)
        await pool.close()
      },
    }
  } catch (error) {
    await pool.close()
    throw toStoreError(error)
  }
}
