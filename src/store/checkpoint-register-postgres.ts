import { Client } from 'pg'
import type { CheckpointRegister, RegisterEntry } from '../ports/checkpoint-register.ts'
import { toStoreError } from './postgres-errors.ts'

const WITHIN_MS = 5_000

/** Made by whoever first needs it: this database is the operator's own, with a role for nothing else. */
const TABLE = `create table if not exists checkpoint_register (
  origin text primary key,
  tree_size bigint not null check (tree_size >= 0),
  root_hash bytea not null check (length(root_hash) = 32)
)`

/**
 * Keeps the register in another PostgreSQL database, one row a log. Any number of processes may hold it: the row itself
 * is compared and swapped, and is durable before `advance` resolves.
 *
 * A connection is made for each use: there is one in half a second, and a server that was away is simply tried again.
 *
 * @param url may hold a password; no error shows it.
 * @param origin the log it is of.
 */
export function openPostgresRegister(url: string, origin: string): CheckpointRegister {
  let isMade = false

  async function ask(text: string, values: unknown[]): Promise<Record<string, unknown>[]> {
    const client = new Client({
      connectionString: url,
      connectionTimeoutMillis: WITHIN_MS,
      query_timeout: WITHIN_MS,
      statement_timeout: WITHIN_MS,
      application_name: 'countersign-register',
    })
    client.on('error', () => undefined)
    try {
      await client.connect()
      // Whatever the database's default is: what is registered must outlive a crash.
      await client.query('set synchronous_commit = on')
      if (!isMade) await client.query(TABLE)
      isMade = true
      return (await client.query(text, values)).rows
    } catch (error) {
      throw toStoreError(error)
    } finally {
      await client.end().catch(() => undefined)
    }
  }

  return {
    async read() {
      const [row] = await ask('select tree_size, root_hash from checkpoint_register where origin = $1', [
        origin,
      ])
      return row && entryOf(origin, row)
    },
    async advance(from, to) {
      if (to.origin !== origin || (from && (from.origin !== origin || to.treeSize <= from.treeSize)))
        throw new RangeError('a register only grows, for one log')
      const rows = from
        ? await ask(
            `update checkpoint_register set tree_size = $4, root_hash = $5
             where origin = $1 and tree_size = $2 and root_hash = $3 returning origin`,
            [origin, from.treeSize, from.rootHash, to.treeSize, to.rootHash],
          )
        : await ask(
            `insert into checkpoint_register (origin, tree_size, root_hash) values ($1, $2, $3)
             on conflict do nothing returning origin`,
            [origin, to.treeSize, to.rootHash],
          )
      return rows.length === 1
    },
  }
}

function entryOf(origin: string, row: Record<string, unknown>): RegisterEntry {
  const treeSize = Number(row.tree_size)
  const rootHash = row.root_hash
  if (!Number.isSafeInteger(treeSize) || !Buffer.isBuffer(rootHash)) throw new Error('the register is broken')
  return { origin, treeSize, rootHash }
}
