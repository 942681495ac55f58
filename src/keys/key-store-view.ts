import { existsSync } from 'node:fs'
import Database from 'better-sqlite3'
import { Client } from 'pg'
import type { KeyStoreMark } from '../ports/cells.ts'
import { readKeyStoreMark } from './key-store-mark.ts'

/** A key store looked at from outside: which one it is, and which cells it still holds. No key is opened. */
export type KeyStoreView = {
  readonly mark: KeyStoreMark
  /** Those of the cells that are there. */
  living(cellIds: readonly string[]): Promise<ReadonlySet<string>>
  close(): Promise<void>
}

/** Opens the file of a key store that another process may own, for looking only; undefined if there is none. */
export function openKeyStoreView(file: string): KeyStoreView | undefined {
  if (!existsSync(file)) return undefined
  const db = new Database(file, { readonly: true, fileMustExist: true })
  try {
    const byId = db.prepare('SELECT 1 FROM cells WHERE cell_id = ?')
    return {
      mark: readKeyStoreMark(db),
      living: async (cellIds) => new Set(cellIds.filter((cellId) => byId.get(cellId) !== undefined)),
      async close() {
        db.close()
      },
    }
  } catch (error) {
    db.close()
    throw error
  }
}

/**
 * The same for a key store that several nodes share.
 *
 * @throws (rejects) if the server does not answer, or there is no key store.
 */
export async function openSharedKeyStoreView(url: string): Promise<KeyStoreView> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query<{ id: string; generation: string }>(
      'select id, generation from key_store',
    )
    const [mark] = rows
    if (!mark) throw new Error('a key store without its mark')
    return {
      mark: { id: mark.id, generation: Number(mark.generation) },
      async living(cellIds) {
        const text = 'select cell_id from cells where cell_id = any($1::text[])'
        const found = await client.query<{ cell_id: string }>(text, [cellIds])
        return new Set(found.rows.map((row) => row.cell_id))
      },
      close: () => client.end(),
    }
  } catch (error) {
    await client.end().catch(() => undefined)
    throw error
  }
}
