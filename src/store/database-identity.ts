import type { Client } from 'pg'
import { toStoreError } from './postgres-errors.ts'
import { connectToPrimary } from './postgres-fence.ts'

/** Which database a URL leads to, whatever it is called there: a copy that follows it has the same. */
export type DatabaseIdentity = { readonly cluster: string; readonly database: string }

/**
 * Asks a server who it is: the identifier its data was made with, which a standby shares, and the database's own number.
 *
 * @throws (rejects) StoreUnavailable if it does not answer.
 */
export async function databaseIdentity(url: string): Promise<DatabaseIdentity> {
  let client: Client | undefined
  try {
    client = await connectToPrimary(url)
    const { rows } = await client.query(
      `select system_identifier::text as cluster,
        (select oid::text from pg_database where datname = current_database()) as database
       from pg_control_system()`,
    )
    return { cluster: String(rows[0]?.cluster), database: String(rows[0]?.database) }
  } catch (error) {
    throw toStoreError(error)
  } finally {
    await client?.end().catch(() => undefined)
  }
}

/** How two databases stand to one another: what is to survive the loss of one must not lie in it. */
export function compareDatabases(a: DatabaseIdentity, b: DatabaseIdentity): 'same' | 'same_server' | 'apart' {
  if (a.cluster !== b.cluster) return 'apart'
  return a.database === b.database ? 'same' : 'same_server'
}
