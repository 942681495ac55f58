import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { KeyPlaces } from '../keys/key-backup.ts'
import type { CheckpointRegister } from '../ports/checkpoint-register.ts'
import { StoreUnavailable } from '../ports/store-unavailable.ts'
import { openPostgresSource } from '../store/backup/postgres-source.ts'
import { DatabaseDamaged, openSqliteSource } from '../store/backup/sqlite-source.ts'
import type { TableSource } from '../store/backup/table-source.ts'
import { openCheckpointRegisterFile } from '../store/checkpoint-register-file.ts'
import { dataFilesIn, registerFileIn } from '../store/data-files.ts'
import { CannotRun } from './terminal.ts'

type Env = Readonly<Record<string, string | undefined>>

export const POSTGRES_MIGRATIONS = fileURLToPath(new URL('../../migrations/postgres', import.meta.url))
export const SQLITE_MIGRATIONS = fileURLToPath(new URL('../../migrations/sqlite', import.meta.url))

/** Where the keys of a data folder are. */
export function keyPlacesIn(folder: string): KeyPlaces {
  const { cells, keys } = dataFilesIn(folder)
  return { cells, keys, pseudonyms: join(folder, 'pseudonyms.secret') }
}

/** The database a command is about. @throws CannotRun if none is named. */
export function databaseUrl(given: string | undefined, env: Env): string {
  const url = given ?? env.COUNTERSIGN_DATABASE_URL
  if (url === undefined || url === '') throw new CannotRun('say which database: set COUNTERSIGN_DATABASE_URL')
  return url
}

/** Opens every table of a deployment for looking only: of its database, or of the folder. @throws CannotRun if there is none. */
export async function openTables(folder: string, env: Env): Promise<TableSource> {
  const url = env.COUNTERSIGN_DATABASE_URL
  const { database } = dataFilesIn(folder)
  if (url === undefined && !existsSync(database))
    throw new CannotRun(`${folder} holds no database ${database}`)
  try {
    return url === undefined ? openSqliteSource(database) : await openPostgresSource(url)
  } catch (cause) {
    if (cause instanceof DatabaseDamaged || cause instanceof StoreUnavailable)
      throw new CannotRun(cause.message, { cause })
    throw new CannotRun(`cannot read the database: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    })
  }
}

/** The register of each epoch's log, as a broker in this folder keeps them. */
export function registersOf(folder: string, _env: Env): (epoch: number) => CheckpointRegister {
  return (epoch) => openCheckpointRegisterFile(registerFileIn(resolve(folder), epoch))
}
