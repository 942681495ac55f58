import { existsSync } from 'node:fs'
import Database from 'better-sqlite3'
import type { KeyStoreMark } from '../ports/cells.ts'
import { readKeyStoreMark } from './key-store-mark.ts'

/** A key store looked at from outside: which one it is, and which cells it still holds. No key is opened. */
export type KeyStoreView = {
  readonly mark: KeyStoreMark
  has(cellId: string): boolean
  close(): void
}

/** Opens the file of a key store that another process may own, for looking only; undefined if there is none. */
export function openKeyStoreView(file: string): KeyStoreView | undefined {
  if (!existsSync(file)) return undefined
  const db = new Database(file, { readonly: true, fileMustExist: true })
  try {
    const byId = db.prepare('SELECT 1 FROM cells WHERE cell_id = ?')
    return {
      mark: readKeyStoreMark(db),
      has: (cellId) => byId.get(cellId) !== undefined,
      close: () => db.close(),
    }
  } catch (error) {
    db.close()
    throw error
  }
}
