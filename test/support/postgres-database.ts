import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { inject } from 'vitest'
import type { Store } from '../../src/ports/store.ts'
import { openPostgresStore, type PostgresOptions } from '../../src/store/open-postgres.ts'
import { SUPERUSER } from './postgres-server.ts'
import { OWNER, POSTGRES_MIGRATIONS, SERVING, TEMPLATE } from './postgres-setup.ts'

export type TestDatabase = {
  readonly name: string
  /** For the role that serves, the one that owns the schema, or the one that may do everything. */
  url(role?: 'serving' | 'owner' | 'superuser'): string
  /** Opens a store on it, as one node does. Only its own limits are small: tests end by themselves. */
  open(options?: Partial<PostgresOptions>): Promise<Store>
  /** Runs statements as the role that may do everything. */
  query<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>
  drop(): Promise<void>
}

const ROLES = { serving: SERVING, owner: OWNER, superuser: SUPERUSER }

/** What may be emptied for the next test, found by looking: every table but the one that says which version it is. */
const EMPTY = `
  select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid();
  do $$ declare t record; begin
    for t in select tablename as name from pg_tables where schemaname = 'public' and tablename <> 'schema_migrations' loop
      execute format('alter table %I disable trigger all', t.name);
      execute format('delete from %I', t.name);
      execute format('alter table %I enable trigger all', t.name);
    end loop;
    for t in select tgrelid::regclass as of, tgname as name from pg_trigger where not tgisinternal loop
      execute format('alter table %s enable always trigger %I', t.of, t.name);
    end loop;
  end $$`

/**
 * An empty, migrated database of its own on the run's server: one that another test has done with, or a copy of the
 * template.
 *
 * @param options.isNew never one that was used before; for tests that change more than rows. It is dropped for good.
 */
export async function createTestDatabase(options: { isNew?: boolean } = {}): Promise<TestDatabase> {
  const { port } = inject('postgres')
  const urlOf = (database: string, role: keyof typeof ROLES = 'serving') =>
    `postgres://${ROLES[role]}@127.0.0.1:${port}/${database}`
  const root = urlOf('postgres', 'superuser')
  const [free] = options.isNew ? [] : await administer<{ name: string }>(root, TAKE_FREE)
  const name = free?.name ?? `t_${randomBytes(8).toString('hex')}`
  if (!free) await administer(root, `CREATE DATABASE ${name} TEMPLATE ${TEMPLATE} OWNER ${OWNER}`)
  const url = (role?: keyof typeof ROLES) => urlOf(name, role)
  return {
    name,
    url,
    open: (changes) =>
      openPostgresStore({
        url: url(),
        migrationsFolder: POSTGRES_MIGRATIONS,
        connectionsMost: 4,
        ...changes,
      }),
    query: (text, values) => administer(url('superuser'), text, values),
    async drop() {
      if (options.isNew) {
        await administer(root, `DROP DATABASE ${name} WITH (FORCE)`)
        return
      }
      await administer(url('superuser'), EMPTY)
      await administer(root, 'insert into free_databases values ($1)', [name])
    },
  }
}

const TAKE_FREE = `delete from free_databases where name =
  (select name from free_databases limit 1 for update skip locked) returning name`

async function administer<Row extends object>(url: string, text: string, values?: unknown[]): Promise<Row[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(text, values)).rows as Row[]
  } finally {
    await client.end()
  }
}
