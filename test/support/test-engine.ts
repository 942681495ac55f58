import { join } from 'node:path'
import type { Store } from '../../src/ports/store.ts'
import { openSqliteStore } from '../../src/store/open-sqlite.ts'
import type { ClockSources } from '../../src/store/platform-clock.ts'
import { createTestDatabase, type TestDatabase } from './postgres-database.ts'
import { sequencedStore } from './sequence-queue.ts'
import { MIGRATIONS } from './sqlite-file.ts'

/** Which engine the tests of this project are run on: each that goes through the store's port is, on both. */
export const ENGINE = process.env.TEST_STORE === 'postgres' ? 'postgres' : 'sqlite'

/** Databases by the folder of the broker they belong to, so that it finds its own after a restart. */
const databases = new Map<string, TestDatabase>()

/** Opens the store of the broker in a folder, as it was left there. */
export async function openTestEngine(
  folder: string,
  {
    engine = ENGINE,
    sequences = true,
    ...options
  }: { clocks: ClockSources; maxBatch?: number; engine?: typeof ENGINE; sequences?: boolean },
): Promise<Store> {
  if (engine === 'sqlite')
    return openSqliteStore({ file: join(folder, 'broker.sqlite'), migrationsFolder: MIGRATIONS, ...options })
  const store = await (await databaseOf(folder)).open({ clocks: options.clocks })
  return sequences ? sequencedStore(store) : store
}

/** Where the database of the broker in a folder is; null for one in the folder itself. */
export async function testDatabaseUrl(folder: string): Promise<string | null> {
  return ENGINE === 'sqlite' ? null : (await databaseOf(folder)).url()
}

/** Runs statements on the PostgreSQL of the broker in a folder, as the role that may do everything. */
export async function queryTestDatabase(folder: string, text: string): Promise<void> {
  await (await databaseOf(folder)).query(text)
}

/** Removes what is not in the folder itself. */
export async function removeTestEngine(folder: string): Promise<void> {
  const database = databases.get(folder)
  databases.delete(folder)
  await database?.drop()
}

async function databaseOf(folder: string): Promise<TestDatabase> {
  const known = databases.get(folder) ?? (await createTestDatabase())
  databases.set(folder, known)
  return known
}
