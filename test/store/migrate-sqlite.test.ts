import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { DatabaseOfOtherVersion } from '../../src/store/migrate-sqlite.ts'
import { openTestStore } from '../support/sqlite-file.ts'
import { tempFolder } from '../support/temp-folder.ts'

const NOW_MS = Date.parse('2026-09-21T08:00:00.000Z')

/** What opening a database says after something else was at it. */
async function openAfter(change: (db: Database.Database) => void, isNew = false): Promise<unknown> {
  const folder = tempFolder()
  const file = join(folder, 'broker.sqlite')
  if (!isNew) await openTestStore(file, NOW_MS).close()
  const db = new Database(file)
  change(db)
  db.close()
  try {
    await openTestStore(file, NOW_MS).close()
    return 'opened'
  } catch (error) {
    // Whatever was opened is closed again: SQLite removes these files with the last connection.
    expect(readdirSync(folder)).toEqual(['broker.sqlite'])
    expect(String(error)).toContain(folder)
    expect(String(error)).not.toMatch(/CREATE|SELECT|INSERT|\n/)
    return error
  }
}

describe('a database of another version', () => {
  it.each([
    ['an earlier draft of a migration', `UPDATE __drizzle_migrations SET hash = 'other' WHERE rowid = 1`],
    ['a newer version', `INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('newer', 9e15)`],
    ['no known migration', 'DROP TABLE __drizzle_migrations'],
  ])('is refused without a word of SQL: %s', async (_, statement) => {
    expect(await openAfter((db) => db.exec(statement))).toBeInstanceOf(DatabaseOfOtherVersion)
  })

  it('is refused when it is of another program', async () => {
    const error = await openAfter((db) => db.exec('CREATE TABLE log_leaves (x)'), true)
    expect(error).toBeInstanceOf(DatabaseOfOtherVersion)
    expect(String(error)).toMatch(/the database in .* was made by another version/)
  })

  it('is no other version when it is new, empty, or was opened before', async () => {
    expect(await openAfter(() => undefined)).toBe('opened')
    expect(await openAfter(() => undefined, true)).toBe('opened')
  })
})
