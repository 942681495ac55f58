import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import Database, { SqliteError } from 'better-sqlite3'
import { migrateSqlite } from '../migrate-sqlite.ts'
import { makePrivate } from '../private-file.ts'
import { BackupDamaged } from './manifest.ts'
import { QUEUED_LEAVES, type TableLayout } from './table-layout.ts'
import type { TableSink } from './table-source.ts'

/** There is something where rows were to be put. */
export class TargetNotEmpty extends Error {
  override name = 'TargetNotEmpty'
}

/**
 * Makes a new database beside its final name, and gives it that name when it is whole: a crash before leaves nothing
 * that could be started.
 *
 * @throws TargetNotEmpty if there is a database already.
 */
export function openSqliteSink(file: string, migrationsFolder: string): TableSink {
  if (existsSync(file))
    throw new TargetNotEmpty(`${file} is there already: rows are only put into a new database`)
  const beside = `${file}.restoring`
  for (const rest of [beside, `${beside}-journal`, `${beside}-wal`, `${beside}-shm`])
    rmSync(rest, { force: true })
  makePrivate(beside)
  const db = new Database(beside)
  db.pragma('synchronous = FULL')
  db.pragma('recursive_triggers = ON')
  migrateSqlite(db, migrationsFolder)
  db.exec('BEGIN IMMEDIATE')
  const statements = new Map<string, Database.Statement<unknown[]>>()

  function statementFor(table: TableLayout): Database.Statement<unknown[]> {
    let statement = statements.get(table.name)
    if (!statement) {
      const columns = table.columns.map(({ name }) => `"${name}"`).join(', ')
      const places = table.columns.map(() => '?').join(', ')
      statement = db.prepare(`INSERT INTO "${table.name}" (${columns}) VALUES (${places})`)
      statements.set(table.name, statement)
    }
    return statement
  }

  return {
    engine: 'sqlite',
    async insert(table, rows) {
      if (table.name === QUEUED_LEAVES.name && rows.length > 0)
        throw new TypeError('this engine puts every leaf into the tree at once')
      if (rows.length === 0) return
      const statement = statementFor(table)
      try {
        for (const row of rows)
          statement.run(row.map((value) => (typeof value === 'boolean' ? Number(value) : value)))
      } catch (cause) {
        if (!(cause instanceof SqliteError) || !cause.code.startsWith('SQLITE_CONSTRAINT')) throw cause
        throw new BackupDamaged(`rows of ${table.name} are damaged: ${cause.message}`, { cause })
      }
    },
    async commit() {
      db.exec('COMMIT')
      db.close()
      renameSync(beside, file)
      if (process.platform === 'win32') return
      const folder = openSync(dirname(file), 'r')
      try {
        fsyncSync(folder)
      } finally {
        closeSync(folder)
      }
    },
    async abandon() {
      if (!db.open) return
      db.close()
      rmSync(beside, { force: true })
      rmSync(`${beside}-journal`, { force: true })
    },
  }
}
