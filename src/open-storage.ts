import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Config } from './config.ts'
import { openCellStore } from './keys/cell-store.ts'
import { openKeyRing } from './keys/folder-key-ring.ts'
import { openPostgresCellStore } from './keys/postgres-cell-store.ts'
import { openPseudonyms } from './keys/pseudonyms.ts'
import type { Cells } from './ports/cells.ts'
import type { CheckpointRegister } from './ports/checkpoint-register.ts'
import type { KeyRing } from './ports/key-ring.ts'
import type { Pseudonyms } from './ports/pseudonyms.ts'
import type { Store } from './ports/store.ts'
import { dataFilesIn } from './store/data-files.ts'
import { openFenceFile } from './store/database-fence-file.ts'
import { compareDatabases, databaseIdentity } from './store/database-identity.ts'
import { openCheckpointRegister, placeInEpoch } from './store/open-checkpoint-register.ts'
import { openPostgresStore } from './store/open-postgres.ts'
import { openSqliteStore } from './store/open-sqlite.ts'

/** Everything a broker keeps, opened. */
export type Storage = {
  readonly store: Store
  readonly cells: Cells
  readonly keys: KeyRing
  readonly pseudonyms: Pseudonyms
  /** Whether other processes may serve the same database. */
  readonly isShared: boolean
}

/** What is kept cannot be kept where it was said to be. */
export class StorageMisplaced extends Error {
  override name = 'StorageMisplaced'
}

const SQLITE_MIGRATIONS = fileURLToPath(new URL('../migrations/sqlite', import.meta.url))
const POSTGRES_MIGRATIONS = fileURLToPath(new URL('../migrations/postgres', import.meta.url))

/**
 * Opens store, keys and key store as configured. Only beside a database that nothing was ever written to are keys made.
 *
 * @throws (rejects) DatabaseOfOtherVersion, KeyFileError, StorageMisplaced, ServingRoleTooStrong, StoreUnavailable.
 */
export async function openStorage(config: Config, closers: (() => Promise<void>)[]): Promise<Storage> {
  const { databaseUrl, dataFolder, secretsFolder } = config
  const files = dataFilesIn(dataFolder)
  const keep = <Opened extends { close(): Promise<void> }>(opened: Opened): Opened => {
    closers.push(() => opened.close())
    return opened
  }
  const shared =
    databaseUrl === null
      ? undefined
      : keep(
          await openPostgresStore({
            url: databaseUrl,
            migrationsFolder: POSTGRES_MIGRATIONS,
            fence: openFenceFile(files.fence),
          }),
        )
  const isNew = shared ? await isUntouched(shared) : !existsSync(files.database)
  const keys = openKeyRing(join(secretsFolder, 'keys'), Date.now(), isNew)
  const pseudonyms = openPseudonyms(join(secretsFolder, 'pseudonyms.secret'), isNew)
  const cells = keep(await openCells(config, isNew))
  // The embedded database is made last: with it there, missing keys are lost keys.
  const store = shared ?? keep(openSqliteStore({ file: files.database, migrationsFolder: SQLITE_MIGRATIONS }))
  return { store, cells, keys, pseudonyms, isShared: shared !== undefined }
}

/** Opens the register of the log's current epoch: each log has its own. */
export async function openRegister(
  config: Config,
  epoch: number,
  origin: string,
): Promise<{ register: CheckpointRegister; warning: string | null }> {
  const place = placeInEpoch(config.checkpointRegister, config.dataFolder, epoch)
  return openCheckpointRegister(place, { origin, url: config.databaseUrl })
}

async function openCells({ dataFolder, keyStoreUrl, databaseUrl, kekFile }: Config, mayCreate: boolean) {
  if (keyStoreUrl === null) {
    return openCellStore({ file: dataFilesIn(dataFolder).cells, kekFile, nowMs: Date.now(), mayCreate })
  }
  if (databaseUrl !== null) {
    const standing = compareDatabases(
      await databaseIdentity(keyStoreUrl),
      await databaseIdentity(databaseUrl),
    )
    if (standing === 'same')
      throw new StorageMisplaced(
        'COUNTERSIGN_KEY_STORE_URL is the database whose contents its keys seal: a backup of the one would bring back what was erased with the other. Name another database',
      )
  }
  return openPostgresCellStore({ url: keyStoreUrl, kekFile, nowMs: Date.now, mayCreate })
}

/** Whether nothing was ever written: then keys may be made, and otherwise they must be there. */
async function isUntouched(store: Store): Promise<boolean> {
  return store.read(async (tx) => {
    const checks = await tx.keyChecks.list()
    const waiting = await tx.logQueue.oldest(1)
    return checks.length === 0 && waiting.length === 0 && (await tx.logQueue.treeSize()) === 0
  })
}
