import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Config, readConfig } from '../config.ts'
import { epochOrigin } from '../core/log/epoch-leaf.ts'
import { readEpochKeys } from '../keys/kek-file.ts'
import type { KeyPlaces } from '../keys/key-backup.ts'
import { KeyFileError } from '../keys/key-file.ts'
import { type KeyStoreView, openKeyStoreView, openSharedKeyStoreView } from '../keys/key-store-view.ts'
import type { CheckpointRegister, RegisterEntry } from '../ports/checkpoint-register.ts'
import type { EpochKeySet } from '../ports/epoch-keys.ts'
import { openPostgresSource } from '../store/backup/postgres-source.ts'
import { openSqliteSource } from '../store/backup/sqlite-source.ts'
import type { TableSource } from '../store/backup/table-source.ts'
import { dataFilesIn } from '../store/data-files.ts'
import { openCheckpointRegister, placeInEpoch } from '../store/open-checkpoint-register.ts'
import { openPostgresView } from '../store/open-postgres-view.ts'
import type { StoreView } from '../store/open-sqlite-reader.ts'
import { openDataView } from './data-log.ts'
import { CannotRun } from './terminal.ts'

type Env = Readonly<Record<string, string | undefined>>

export const SQLITE_MIGRATIONS = fileURLToPath(new URL('../../migrations/sqlite', import.meta.url))
export const POSTGRES_MIGRATIONS = fileURLToPath(new URL('../../migrations/postgres', import.meta.url))

/** The settings of the broker a command is about. @throws CannotRun if they have faults. */
export function deploymentConfig(data: string | undefined, env: Env): Config {
  const read = readConfig(data === undefined ? env : { ...env, COUNTERSIGN_DATA: resolve(data) })
  if (read.ok) return read.config
  throw new CannotRun(`the configuration has faults:\n  ${read.faults.join('\n  ')}`)
}

/** Where the keys of a deployment are. */
export function keyPlacesOf({ dataFolder, secretsFolder, keyStoreUrl }: Config): KeyPlaces {
  return {
    cells: keyStoreUrl === null ? dataFilesIn(dataFolder).cells : null,
    keys: join(secretsFolder, 'keys'),
    pseudonyms: join(secretsFolder, 'pseudonyms.secret'),
  }
}

/** Looks at the key store; undefined if there is none. @throws CannotRun if it cannot be read. */
export async function openKeyStore({ dataFolder, keyStoreUrl }: Config): Promise<KeyStoreView | undefined> {
  try {
    return keyStoreUrl === null
      ? openKeyStoreView(dataFilesIn(dataFolder).cells)
      : await openSharedKeyStoreView(keyStoreUrl)
  } catch (cause) {
    throw new CannotRun('the key store is not there, or damaged', { cause })
  }
}

/** The key-encryption keys that are left; undefined where there is no file of them. @throws CannotRun if it is broken. */
export function livingEpochs({ kekFile }: Config): EpochKeySet | undefined {
  if (!existsSync(kekFile)) return undefined
  try {
    return readEpochKeys(kekFile)
  } catch (cause) {
    throw new CannotRun(cause instanceof KeyFileError ? cause.message : `${kekFile} cannot be read`, {
      cause,
    })
  }
}

/** The database a command is about. @throws CannotRun if none is named. */
export function databaseUrl(given: string | undefined, env: Env): string {
  const url = given ?? env.COUNTERSIGN_DATABASE_URL
  if (url === undefined || url === '') throw new CannotRun('say which database: set COUNTERSIGN_DATABASE_URL')
  return url
}

/** Opens every table of a deployment for looking only. @throws CannotRun if there is none. */
export async function openTables(config: Config): Promise<TableSource> {
  const { database } = dataFilesIn(config.dataFolder)
  if (config.databaseUrl === null && !existsSync(database))
    throw new CannotRun(`${config.dataFolder} holds no database ${database}`)
  try {
    return config.databaseUrl === null
      ? openSqliteSource(database)
      : await openPostgresSource(config.databaseUrl)
  } catch (cause) {
    throw new CannotRun(`cannot read the database: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    })
  }
}

type OpenView = Pick<StoreView, 'read'> & { close(): void | Promise<void> }

/** Looks at the database of a deployment as it is at this moment. @throws CannotRun if it cannot be read. */
export async function withView<T>(
  config: Config,
  look: (view: Pick<StoreView, 'read'>) => Promise<T>,
): Promise<T> {
  const view = await openView(config)
  try {
    return await look(view)
  } finally {
    await view.close()
  }
}

async function openView({ databaseUrl: url, dataFolder }: Config): Promise<OpenView> {
  if (url === null) return openDataView(dataFolder)
  try {
    return await openPostgresView({ url, migrationsFolder: POSTGRES_MIGRATIONS, nowMs: Date.now() })
  } catch (cause) {
    throw new CannotRun(`cannot read the database: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    })
  }
}

/** The register of an epoch's log, where the broker keeps it. */
export async function registerIn(config: Config, epoch: number, origin: string): Promise<CheckpointRegister> {
  const place = placeInEpoch(config.checkpointRegister, config.dataFolder, epoch)
  return (await openCheckpointRegister(place, { origin, url: config.databaseUrl })).register
}

/** What the register of an epoch's log holds. @throws CannotRun if it cannot be read. */
export async function readRegister(config: Config, epoch: number): Promise<RegisterEntry | undefined> {
  try {
    return await (await registerIn(config, epoch, epochOrigin(config.logOrigin, epoch))).read()
  } catch (cause) {
    throw new CannotRun(cause instanceof Error ? cause.message : 'the checkpoint register cannot be read', {
      cause,
    })
  }
}
