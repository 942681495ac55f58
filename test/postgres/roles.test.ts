import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { migratePostgres } from '../../src/store/migrate-postgres.ts'
import { openPostgresStore } from '../../src/store/open-postgres.ts'
import { leafOf, NOW_MS } from '../contract/sample-rows.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres-database.ts'
import { POSTGRES_MIGRATIONS as migrationsFolder, OWNER, SERVING } from '../support/postgres-setup.ts'
import { sequencedStore } from '../support/sequence-queue.ts'

let database: TestDatabase
beforeEach(async () => {
  database = await createTestDatabase({ isNew: true })
})
afterEach(() => database.drop())

/** Runs statements on one connection; says what the last of them was refused with. */
async function refusal(role: 'serving' | 'owner' | 'superuser', ...statements: string[]): Promise<string> {
  const client = new Client({ connectionString: database.url(role) })
  await client.connect()
  try {
    for (const statement of statements) await client.query(statement)
    return 'not refused'
  } catch (error) {
    return String(error)
  } finally {
    await client.end()
  }
}

async function writeLog(): Promise<void> {
  const store = sequencedStore(await database.open())
  await store.transaction(async (tx) => {
    for (let i = 0; i < 257; i++) await tx.log.append(leafOf(i), NOW_MS)
  })
  await store.transaction(async (tx) =>
    tx.log.saveCheckpoint({ treeSize: 257, rootHash: Buffer.alloc(32), note: 'note', atMs: NOW_MS }),
  )
  await store.close()
}

const LOG = ['log_leaves', 'log_nodes', 'log_checkpoints']
const COLUMN: Record<string, string> = { log_leaves: 'at_ms', log_nodes: 'level', log_checkpoints: 'at_ms' }
const changesOf = (table: string) => [
  `UPDATE ${table} SET ${COLUMN[table]} = 1`,
  `DELETE FROM ${table}`,
  `TRUNCATE ${table}`,
]

describe('the log', () => {
  it('cannot be changed by who serves, who has no right to, nor by who owns it, nor where replication replays', async () => {
    await writeLog()
    for (const table of LOG) {
      for (const statement of changesOf(table)) {
        expect([statement, await refusal('serving', statement)]).toEqual([
          statement,
          expect.stringContaining('permission denied'),
        ])
        for (const [role, ...before] of [
          ['owner'],
          ['superuser'],
          ['superuser', 'SET session_replication_role = replica'],
        ] as const) {
          expect([statement, await refusal(role, ...before, statement)]).toEqual([
            statement,
            expect.stringContaining('append-only'),
          ])
        }
      }
    }
  })

  it('takes only what comes next, whoever adds it', async () => {
    await writeLog()
    const leaf = (index: number) =>
      `INSERT INTO log_leaves VALUES (${index}, 'evt_x', 'leaf', sha256('leaf'), 1) ON CONFLICT DO NOTHING`
    for (const index of [0, 256, 258]) expect(await refusal('serving', leaf(index))).toContain('tree size')
    expect(await refusal('superuser', 'SET session_replication_role = replica', leaf(300))).toContain(
      'tree size',
    )
    expect(await refusal('serving', `INSERT INTO log_nodes VALUES (8, 5, sha256('x'))`)).toContain(
      'next of its level',
    )
    expect(
      await refusal('serving', `INSERT INTO log_checkpoints VALUES (257, sha256('x'), 'n', 1)`),
    ).toContain('must grow')
    expect(
      await refusal('serving', `INSERT INTO log_leaves VALUES (257, 'evt_y', 'leaf', 'short', 1)`),
    ).toContain('log_leaves_sizes')
    expect(await refusal('serving', leaf(257))).toBe('not refused')
  })

  it.each([
    'ALTER TABLE log_leaves DISABLE TRIGGER ALL',
    'DROP TRIGGER log_leaves_no_change ON log_leaves',
    'DROP TABLE log_leaves',
    'CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE sql AS $$ SELECT null $$',
    'SET session_replication_role = replica',
    'CREATE TABLE mine (x integer)',
    'DELETE FROM schema_migrations',
  ])('keeps its protection from who serves: %s', async (statement) => {
    expect(await refusal('serving', statement)).toMatch(/permission denied|must be owner/)
  })
})

describe('a store on PostgreSQL', () => {
  const open = (url: string) => openPostgresStore({ url, migrationsFolder })

  it.each(['owner', 'superuser'] as const)('does not serve as %s, who could change the log', async (role) => {
    await expect(open(database.url(role))).rejects.toMatchObject({ name: 'ServingRoleTooStrong' })
  })

  it.each([
    ['no schema', 'DROP TABLE schema_migrations', /run countersign migrate-schema/],
    [
      'an older schema',
      'DELETE FROM schema_migrations WHERE id = (SELECT max(id) FROM schema_migrations)',
      /older version: run countersign migrate-schema/,
    ],
    ['another schema', `UPDATE schema_migrations SET hash = 'other' WHERE id = 0`, /made by another version/],
    ['a newer schema', `INSERT INTO schema_migrations VALUES (99, 'newer')`, /made by another version/],
  ])('refuses a database with %s, and says what to do', async (_, statement, message) => {
    await database.query(statement)
    await expect(open(database.url())).rejects.toThrow(message)
  })

  it('is migrated once, by two at a time, and by its owner alone', async () => {
    await database.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
    await database.query(`ALTER SCHEMA public OWNER TO ${OWNER}`)
    const migrate = (servingRole = SERVING) =>
      migratePostgres({ ownerUrl: database.url('owner'), servingRole, migrationsFolder })
    const applied = await Promise.all([migrate(), migrate()])
    expect(applied.toSorted((a, b) => a - b)).toEqual([0, expect.any(Number)])
    expect(Math.max(...applied)).toBeGreaterThan(1)
    await (await open(database.url())).close()
    await expect(migrate(OWNER)).rejects.toMatchObject({ name: 'ServingRoleTooStrong' })
    await database.query(`INSERT INTO schema_migrations VALUES (99, 'newer')`)
    await expect(migrate()).rejects.toMatchObject({ name: 'DatabaseOfOtherVersion' })
  })

  it('never shows where it is, nor the password', async () => {
    const secret = 'hush-hush'
    const url = (port: number | string) => `postgres://${SERVING}:${secret}@127.0.0.1:${port}/nowhere`
    const { port } = new URL(database.url())
    for (const place of [url(1), url(port)]) {
      const error = await open(place).catch((reason: unknown) => reason)
      expect(error).toMatchObject({ name: 'StoreUnavailable' })
      expect(JSON.stringify(describeAll(error))).not.toMatch(/hush|127\.0\.0\.1/)
    }
  })

  it('tells what it refused without the row that was', async () => {
    const store = await database.open()
    const row = { id: 'sav_1', userId: 'usr_1', label: 'Mum', value: 'mum@home.example', createdAtMs: 1 }
    const add = (id: string) => store.transaction(async (tx) => tx.recipients.insert({ ...row, id }))
    await add('sav_1')
    const error = await add('sav_2').catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: '23505' })
    expect(JSON.stringify(describeAll(error))).not.toMatch(/mum/i)
    await store.close()
  })
})

/** Everything an error holds, and its causes. */
function describeAll(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const own = Object.fromEntries(
    Object.getOwnPropertyNames(error).map((name) => [name, Reflect.get(error, name)]),
  )
  return { ...own, cause: describeAll(error.cause) }
}
