import { DatabaseError, escapeIdentifier } from 'pg'
import { checkServing } from '../migrate-postgres.ts'
import { toStoreError } from '../postgres-errors.ts'
import { connectToPrimary } from '../postgres-fence.ts'
import { BackupDamaged } from './manifest.ts'
import { insertMany } from './postgres-rows.ts'
import { cursorRows } from './postgres-source.ts'
import { TargetNotEmpty } from './sqlite-sink.ts'
import { TABLE_LAYOUTS } from './table-layout.ts'
import type { TableSink, TableSource } from './table-source.ts'

/** A sink whose rows can be read back before they are kept. */
export type PostgresSink = TableSink & { readonly inside: TableSource }

const INTEGRITY_CLASS = '23'

/**
 * Opens an empty database to put rows into, in one transaction: a crash in the middle leaves it empty. Nodes that are
 * started meanwhile wait.
 *
 * @param url with the role that serves, on a schema that is there already. May hold a password; no error shows it.
 * @throws (rejects) TargetNotEmpty if any table holds a row; DatabaseOfOtherVersion, ServingRoleTooStrong or
 *   StoreUnavailable as for a start.
 */
export async function openPostgresSink(url: string, migrationsFolder: string): Promise<PostgresSink> {
  const client = await connectToPrimary(url)
  let isOpen = true
  const end = async () => {
    if (!isOpen) return
    isOpen = false
    await client.end().catch(() => undefined)
  }
  try {
    await checkServing(client, migrationsFolder)
    await client.query('BEGIN')
    await client.query('SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0')
    await client.query('LOCK TABLE deployment_marks IN ACCESS EXCLUSIVE MODE')
    for (const { name } of TABLE_LAYOUTS) {
      const { rows } = await client.query(`select 1 from ${escapeIdentifier(name)} limit 1`)
      if (rows.length > 0)
        throw new TargetNotEmpty(`the database holds rows already (${name}): use an empty one`)
    }
  } catch (error) {
    await end()
    throw error instanceof TargetNotEmpty ? error : toStoreError(error)
  }

  return {
    engine: 'postgres',
    inside: { engine: 'postgres', rows: (table) => cursorRows(client, table), close: async () => undefined },
    async insert(table, rows) {
      if (rows.length === 0) return
      const values = table.columns.map((_, i) => rows.map((row) => row[i] ?? null))
      try {
        await client.query({ text: insertMany(table), values })
      } catch (cause) {
        if (cause instanceof DatabaseError && cause.code?.startsWith(INTEGRITY_CLASS))
          throw new BackupDamaged(`rows of ${table.name} are damaged: ${cause.message}`, { cause })
        throw toStoreError(cause)
      }
    },
    async commit() {
      await client.query('COMMIT')
      await end()
    },
    abandon: end,
  }
}
