import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { KeyPlaces } from '../keys/key-backup.ts'
import { DatabaseDamaged, openSqliteSource } from '../store/backup/sqlite-source.ts'
import type { TableSource } from '../store/backup/table-source.ts'
import { dataFilesIn } from '../store/data-files.ts'
import { CannotRun } from './terminal.ts'

type Env = Readonly<Record<string, string | undefined>>

export const SQLITE_MIGRATIONS = fileURLToPath(new URL('../../migrations/sqlite', import.meta.url))

/** Where the keys of a data folder are. */
export function keyPlacesIn(folder: string): KeyPlaces {
  const { cells, keys } = dataFilesIn(folder)
  return { cells, keys, pseudonyms: join(folder, 'pseudonyms.secret') }
}

/** Opens every table of a deployment for looking only. @throws CannotRun if there is none. */
export async function openTables(folder: string, _env: Env): Promise<TableSource> {
  const { database } = dataFilesIn(folder)
  if (!existsSync(database)) throw new CannotRun(`${folder} holds no database ${database}`)
  try {
    return openSqliteSource(database)
  } catch (cause) {
    if (cause instanceof DatabaseDamaged) throw new CannotRun(cause.message, { cause })
    throw new CannotRun(`cannot read ${database}: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    })
  }
}
