import { readMigrationFiles } from 'drizzle-orm/migrator'
import { Client, type ClientBase, escapeIdentifier } from 'pg'
import { DatabaseOfOtherVersion } from './migrate-sqlite.ts'
import { isUniqueViolation, toStoreError } from './postgres-errors.ts'

/** What only grows: the role that serves may add to these and read them, and nothing else. */
const LOG_TABLES = ['log_leaves', 'log_nodes', 'log_checkpoints', 'past_logs', 'past_leaves', 'past_nodes']
const APPLIED = 'schema_migrations'

/** The role that serves could change the log: the schema's own triggers would be all that stands in its way. */
export class ServingRoleTooStrong extends Error {
  override name = 'ServingRoleTooStrong'
}

/**
 * Brings a database to this version, as the role that owns the schema, and lets another role serve from it.
 *
 * @param ownerUrl may hold a password; no error shows it.
 * @returns how many migrations were applied.
 * @throws (rejects) DatabaseOfOtherVersion if another version made it, ServingRoleTooStrong if both roles are one,
 *   StoreUnavailable if the server does not answer, Error if a migration fails. Then nothing is changed.
 */
export async function migratePostgres(options: {
  ownerUrl: string
  servingRole: string
  migrationsFolder: string
}): Promise<number> {
  const client = new Client({ connectionString: options.ownerUrl, connectionTimeoutMillis: 5_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const owner = await roleOf(client)
    if (owner === options.servingRole)
      throw new ServingRoleTooStrong(`${owner} owns the schema and must not serve from it: use two roles`)
    await makeAppliedTable(client)
    await client.query('BEGIN')
    // Two that migrate at once: the second waits, and finds nothing to do.
    await client.query(`LOCK TABLE ${APPLIED} IN EXCLUSIVE MODE`)
    const known = readMigrationFiles({ migrationsFolder: options.migrationsFolder })
    const applied = await appliedTo(client)
    if (applied.some((hash, i) => hash !== known[i]?.hash)) throw new DatabaseOfOtherVersion(OTHER_VERSION)
    for (const [i, { sql, hash }] of known.entries()) {
      if (i < applied.length) continue
      for (const statement of sql) await client.query(statement)
      await client.query(`INSERT INTO ${APPLIED} (id, hash) VALUES ($1, $2)`, [i, hash])
    }
    await letServe(client, options.servingRole)
    await client.query('COMMIT')
    return known.length - applied.length
  } catch (error) {
    throw toStoreError(error)
  } finally {
    await client.end().catch(() => undefined)
  }
}

const OTHER_VERSION =
  'the database was made by another version: run that version on it, or use a new database'

/**
 * Looks whether a database is of this version, and whether the role that serves is as weak as it must be.
 *
 * @throws (rejects) DatabaseOfOtherVersion, ServingRoleTooStrong.
 */
export async function checkServing(client: ClientBase, migrationsFolder: string): Promise<void> {
  const { rows } = await client.query<{ there: boolean }>('select to_regclass($1) is not null as there', [
    APPLIED,
  ])
  if (!rows[0]?.there)
    throw new DatabaseOfOtherVersion(
      'the database has no schema yet: run countersign migrate-schema, as its owner',
    )
  const known = readMigrationFiles({ migrationsFolder }).map(({ hash }) => hash)
  const applied = await appliedTo(client)
  if (applied.some((hash, i) => hash !== known[i])) throw new DatabaseOfOtherVersion(OTHER_VERSION)
  if (applied.length < known.length)
    throw new DatabaseOfOtherVersion(
      'the database is of an older version: run countersign migrate-schema, as its owner',
    )
  const strong = await client.query<{ strong: boolean }>(
    `select bool_or(has_table_privilege(name, 'UPDATE') or has_table_privilege(name, 'DELETE')
       or has_table_privilege(name, 'TRUNCATE')) as strong from unnest($1::text[]) as name`,
    [LOG_TABLES],
  )
  if (strong.rows[0]?.strong !== false)
    throw new ServingRoleTooStrong(
      `${await roleOf(client)} could change the log: serve as a role that countersign migrate-schema has made ready`,
    )
}

async function makeAppliedTable(client: ClientBase): Promise<void> {
  try {
    await client.query(
      `CREATE TABLE IF NOT EXISTS ${APPLIED} (id integer PRIMARY KEY, hash text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`,
    )
  } catch (error) {
    // Two that make it at the same moment: it is there now, whoever was first.
    if (!isUniqueViolation(error)) throw error
  }
}

async function appliedTo(client: ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ hash: string }>(`select hash from ${APPLIED} order by id`)
  return rows.map(({ hash }) => hash)
}

async function roleOf(client: ClientBase): Promise<string> {
  const { rows } = await client.query<{ role: string }>('select current_user as role')
  return rows[0]?.role ?? ''
}

async function letServe(client: ClientBase, servingRole: string): Promise<void> {
  const role = escapeIdentifier(servingRole)
  await client.query(`GRANT USAGE ON SCHEMA public TO ${role}`)
  await client.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role}`)
  await client.query(`REVOKE UPDATE, DELETE, TRUNCATE ON ${LOG_TABLES.join(', ')} FROM ${role}`)
  await client.query(`REVOKE INSERT, UPDATE, DELETE ON ${APPLIED} FROM ${role}`)
}
