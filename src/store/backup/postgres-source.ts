import type { ClientBase } from 'pg'
import { toStoreError } from '../postgres-errors.ts'
import { connectToPrimary } from '../postgres-fence.ts'
import { selectAll } from './postgres-rows.ts'
import { fromDriver } from './row-lines.ts'
import type { Row, TableLayout } from './table-layout.ts'
import { ROWS_AT_A_TIME, type TableSource } from './table-source.ts'

/**
 * Opens a database for looking only, while any number of nodes serve from it: everything read is of one moment. Until
 * it is closed the server keeps old versions of rows that change.
 *
 * @param url may hold a password; no error shows it.
 * @throws (rejects) StoreUnavailable if the server does not answer.
 */
export async function openPostgresSource(url: string): Promise<TableSource> {
  const client = await connectToPrimary(url)
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    // A long look is what this is; the limits of those who serve are not for it.
    await client.query('SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0')
    // The moment is that of the first look.
    await client.query('select 1 from deployment_marks limit 1')
  } catch (error) {
    await client.end().catch(() => undefined)
    throw toStoreError(error)
  }
  return {
    engine: 'postgres',
    rows: (table) => cursorRows(client, table),
    async close() {
      await client.end()
    },
  }
}

/** Reads a table through a cursor of the transaction the client is in. */
export async function* cursorRows(client: ClientBase, table: TableLayout): AsyncGenerator<readonly Row[]> {
  await client.query(`declare rows_of_table no scroll cursor for ${selectAll(table)}`)
  for (;;) {
    const { rows } = await client.query<unknown[]>({
      text: `fetch ${ROWS_AT_A_TIME} from rows_of_table`,
      rowMode: 'array',
    })
    if (rows.length > 0)
      yield rows.map((values) => table.columns.map(({ kind }, i) => fromDriver(kind, values[i])))
    if (rows.length < ROWS_AT_A_TIME) break
  }
  await client.query('close rows_of_table')
}
