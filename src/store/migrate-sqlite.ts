import { dirname } from 'node:path'
import type { Database as Connection } from 'better-sqlite3'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { migrate } from 'drizzle-orm/better-sqlite3/migrator'
import { readMigrationFiles } from 'drizzle-orm/migrator'

/** The database holds what this version's migrations did not make; nothing in it was changed. */
export class DatabaseOfOtherVersion extends Error {
  override name = 'DatabaseOfOtherVersion'
}

/**
 * Brings a database to this version, if it is new or an older released version made it.
 *
 * @throws DatabaseOfOtherVersion if anything else made it; Error if a migration fails. Neither quotes any SQL.
 */
export function migrateSqlite(db: Connection, migrationsFolder: string): void {
  const known = readMigrationFiles({ migrationsFolder }).map(({ hash }) => hash)
  const applied = appliedTo(db)
  // The migrator compares times alone, and would go on from an edited or a newer migration.
  if (applied === undefined || applied.some((hash, i) => hash !== known[i])) {
    const message = `the database in ${dirname(db.name)} was made by another version: run that version on it, or keep the folder and set COUNTERSIGN_DATA to a new one`
    throw new DatabaseOfOtherVersion(message)
  }
  try {
    migrate(drizzle(db), { migrationsFolder })
  } catch (error) {
    // The migrator's own message is the whole statement; the engine's, its cause, says what was wrong.
    const reason =
      error instanceof Error && error.cause instanceof Error ? error.cause.message : 'unknown fault'
    throw new Error(`the database in ${dirname(db.name)} cannot be brought to this version: ${reason}`)
  }
}

/** The migrations a database went through, oldest first; undefined if it has tables that none of them made. */
function appliedTo(db: Connection): unknown[] | undefined {
  const tables = db.prepare<[], string>(`SELECT name FROM sqlite_master WHERE type = 'table'`).pluck().all()
  if (tables.length === 0) return []
  if (!tables.includes('__drizzle_migrations')) return undefined
  return db.prepare('SELECT hash FROM __drizzle_migrations ORDER BY created_at').pluck().all()
}
