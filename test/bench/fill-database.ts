import { closeSync, fsyncSync, openSync } from 'node:fs'
import Database, { type Database as Connection } from 'better-sqlite3'
import { dataFilesIn } from '../../src/store/data-files.ts'
import { SILENT, startBenchBroker } from './bench-broker.ts'

export const NO_SKILL = 'http://127.0.0.1:9101'

/**
 * Makes a data folder as a first start leaves it and fills it by a connection that keeps nothing safe. Everything is
 * on the disk when this returns, so that no write of it is still going on when something is measured.
 */
export async function fillDatabase(folder: string, fill: (db: Connection) => void): Promise<void> {
  const first = await startBenchBroker({ folder, port: 0, skillOrigin: NO_SKILL }, SILENT)
  await first.stop()
  const { database: file } = dataFilesIn(folder)
  const db = new Database(file)
  db.pragma('journal_mode = OFF')
  db.pragma('synchronous = OFF')
  db.pragma('locking_mode = EXCLUSIVE')
  db.pragma('cache_size = -262144')
  fill(db)
  db.pragma('locking_mode = NORMAL')
  db.pragma('journal_mode = WAL')
  db.close()
  const descriptor = openSync(file, 'r+')
  fsyncSync(descriptor)
  closeSync(descriptor)
}
