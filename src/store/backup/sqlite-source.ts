import Database from 'better-sqlite3'
import { fromDriver } from './row-lines.ts'
import { QUEUED_LEAVES, type Row, type TableLayout } from './table-layout.ts'
import { ROWS_AT_A_TIME, type TableSource } from './table-source.ts'

/** The file is no sound database. */
export class DatabaseDamaged extends Error {
  override name = 'DatabaseDamaged'
}

/**
 * Opens a database for looking only, beside the process that owns it. Everything read is of one moment; until it is
 * closed the write-ahead log cannot be shortened, so it grows by what is committed meanwhile.
 *
 * @throws DatabaseDamaged if its pages contradict one another.
 */
export function openSqliteSource(file: string): TableSource {
  const db = new Database(file, { readonly: true, fileMustExist: true })
  try {
    db.exec('BEGIN')
    const verdict = db.pragma('quick_check(1)', { simple: true })
    if (verdict !== 'ok') throw new DatabaseDamaged(`${file} is damaged: ${String(verdict)}`)
  } catch (error) {
    db.close()
    throw error
  }

  async function* rows(table: TableLayout): AsyncGenerator<readonly Row[]> {
    if (table.name === QUEUED_LEAVES.name) return
    const columns = table.columns.map(({ name }) => `"${name}"`).join(', ')
    const key = table.key.map((name) => `"${name}"`).join(', ')
    const found = db
      .prepare(`SELECT ${columns} FROM "${table.name}" ORDER BY ${key}`)
      .raw()
      .iterate() as IterableIterator<unknown[]>
    let batch: Row[] = []
    for (const values of found) {
      batch.push(table.columns.map(({ kind }, i) => fromDriver(kind, values[i])))
      if (batch.length < ROWS_AT_A_TIME) continue
      yield batch
      batch = []
    }
    if (batch.length > 0) yield batch
  }

  return {
    engine: 'sqlite',
    rows,
    async close() {
      db.close()
    },
  }
}
