import { createHmac, type KeyObject, randomBytes } from 'node:crypto'
import type { Pool, PoolClient } from 'pg'
import type { EpochKeys } from '../ports/epoch-keys.ts'
import { StoreUnavailable } from '../ports/store-unavailable.ts'
import { WRAPPED_BYTES } from './cell-wrap.ts'
import { KeyFileError } from './key-file.ts'

const SCHEMA = [
  `create table if not exists cells (
    cell_id text primary key,
    lookup bytea unique check (length(lookup) = 32),
    expiry_day bigint not null,
    epoch integer not null,
    wrapped bytea not null check (length(wrapped) = ${WRAPPED_BYTES})
  )`,
  `create table if not exists key_store (
    only_one integer primary key check (only_one = 1),
    id text not null,
    generation bigint not null check (generation >= 0)
  )`,
  `create table if not exists cell_key_checks (name text primary key, value text not null)`,
  // The epoch that wraps new cells on every node.
  `alter table key_store add column if not exists epoch integer not null default 1`,
  `create index if not exists cells_by_epoch on cells (epoch, cell_id)`,
  `create index if not exists cells_by_expiry on cells (expiry_day)`,
  // Who uses the store, and the newest epoch whose key each has.
  `create table if not exists key_holders (
    holder text primary key,
    epoch integer not null,
    seen_at timestamptz not null
  )`,
]

/**
 * Makes what is not there yet, and holds our key-encryption keys against those the other nodes have.
 *
 * @throws (rejects) KeyFileError, StoreUnavailable.
 */
export async function prepareKeyStore(
  pool: Pool,
  options: {
    readonly kekFile: string
    readonly mayCreate: boolean
    readonly openKeks: (mayCreate: boolean) => EpochKeys
  },
): Promise<EpochKeys> {
  const { kekFile, mayCreate, openKeks } = options
  const client = await pool.connect().catch((error: unknown) => {
    throw unavailable(error)
  })
  try {
    await client.query('begin')
    for (const statement of SCHEMA) await client.query(statement)
    // Nodes that start at once do this one after another.
    await client.query('lock table cell_key_checks in exclusive mode')
    const known = await checksIn(client)
    if (!mayCreate && known.size === 0) throw lost()
    const keks = openKeks(known.size === 0)
    const { living, lookupKey } = keks.current()
    const checks = [
      ['lookup', lookupKey] as const,
      ...[...living].map(([n, key]) => [`kek:${n}`, key] as const),
    ]
    for (const [name, key] of checks) {
      const value = checkValue(name, key)
      const before = known.get(name)
      if (before === undefined)
        await client.query('insert into cell_key_checks (name, value) values ($1, $2)', [name, value])
      else if (before !== value) throw differ(kekFile)
    }
    await client.query(
      'insert into key_store (only_one, id, generation) values (1, $1, 0) on conflict do nothing',
      [`kst_${randomBytes(16).toString('base64url')}`],
    )
    const { rows } = await client.query<{ epoch: number }>('select epoch from key_store')
    if (!living.has(rows[0]?.epoch ?? 1)) throw older(kekFile)
    await client.query('commit')
    return keks
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw error instanceof KeyFileError ? error : unavailable(error)
  } finally {
    client.release()
  }
}

async function checksIn(client: PoolClient): Promise<ReadonlyMap<string, string>> {
  const { rows } = await client.query<{ name: string; value: string }>(
    'select name, value from cell_key_checks',
  )
  return new Map(rows.map(({ name, value }) => [name, value]))
}

/** Tells a key again without telling anything of it. */
export function checkValue(name: string, key: KeyObject): string {
  return createHmac('sha256', key).update(`countersign/v1/key-check\n${name}`).digest('base64url')
}

function lost(): KeyFileError {
  return new KeyFileError(
    'private_key_missing',
    'the key store that COUNTERSIGN_KEY_STORE_URL names is empty, and with it the keys of all that is sealed are gone: restore it from a backup, or name the right one',
  )
}

export function differ(kekFile: string): KeyFileError {
  return new KeyFileError(
    'keys_differ',
    `${kekFile} does not hold the keys that the other nodes of this key store have: give every node the same file`,
  )
}

export function older(kekFile: string): KeyFileError {
  return new KeyFileError('keys_differ', `${kekFile} is older than the key store: put the newest in place`)
}

/** Asks one thing of a key store. @throws (rejects) StoreUnavailable, which shows nothing of where it is. */
export async function ask<Row extends object>(
  pool: Pool,
  text: string,
  values: unknown[] = [],
): Promise<Row[]> {
  try {
    return (await pool.query<Row>(text, values)).rows
  } catch (error) {
    throw unavailable(error)
  }
}

/** The original may show where the database is: only its code is kept. */
export function unavailable(error: unknown): StoreUnavailable {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'the key store did not answer'
  return new StoreUnavailable('unreachable', { cause: new Error(code) })
}
