import { randomBytes } from 'node:crypto'
import type { Database as Connection } from 'better-sqlite3'
import type { KeyStoreMark } from '../ports/cells.ts'

/** Makes the mark where there is none: a store that was made before has destroyed nothing that is remembered. */
export function prepareKeyStoreMark(db: Connection): void {
  db.exec(`CREATE TABLE IF NOT EXISTS key_store (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    id TEXT NOT NULL,
    generation INTEGER NOT NULL CHECK (generation >= 0)
  ) STRICT`)
  db.prepare('INSERT OR IGNORE INTO key_store (only, id, generation) VALUES (1, ?, 0)').run(
    `kst_${randomBytes(16).toString('base64url')}`,
  )
}

/** Call it in the transaction that destroys: a copy from before can be told from then on. */
export function countDestruction(db: Connection): void {
  db.prepare('UPDATE key_store SET generation = generation + 1').run()
}

/** @throws Error if the file holds no mark. */
export function readKeyStoreMark(db: Connection): KeyStoreMark {
  const mark = db.prepare<[], KeyStoreMark>('SELECT id, generation FROM key_store').get()
  if (!mark) throw new Error('a key store without its mark')
  return mark
}
