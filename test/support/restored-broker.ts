import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { settingsInEpoch } from '../../src/broker/current-epoch.ts'
import { openCheckpointPublisher } from '../../src/broker/publish-checkpoint.ts'
import { type RestoredDatabase, restoreDatabase } from '../../src/cli/restore-database.ts'
import { readEpochKeys } from '../../src/keys/kek-file.ts'
import { openKeyStoreView } from '../../src/keys/key-store-view.ts'
import { openPostgresSource } from '../../src/store/backup/postgres-source.ts'
import { openSqliteSource } from '../../src/store/backup/sqlite-source.ts'
import { writeBackup } from '../../src/store/backup/write-backup.ts'
import { openCheckpointRegisterFile } from '../../src/store/checkpoint-register-file.ts'
import { dataFilesIn, registerFileIn } from '../../src/store/data-files.ts'
import { createTestBroker, type TestBroker } from './test-broker.ts'
import { testDatabaseUrl } from './test-engine.ts'

/** Publishes a checkpoint over everything that is there, as the running broker does twice a second. */
export async function publish(test: TestBroker, epoch = 1): Promise<string> {
  const register = openCheckpointRegisterFile(registerFileIn(test.folder, epoch))
  return (await openCheckpointPublisher(test.broker, register).publishNow()).note
}

/** Backs up a broker that serves. */
export async function backUp(test: TestBroker, to: string): Promise<string> {
  const url = await testDatabaseUrl(test.folder)
  const source =
    url === null ? openSqliteSource(dataFilesIn(test.folder).database) : await openPostgresSource(url)
  const keys = openKeyStoreView(dataFilesIn(test.folder).cells)
  try {
    const epochKeys = readEpochKeys(join(test.folder, 'kek.json'))
    await writeBackup(source, to, { takenAtMs: test.clock.nowMs(), keyStore: keys?.mark ?? null, epochKeys })
    return to
  } finally {
    await keys?.close()
    await source.close()
  }
}

/** Takes the key store, its key-encryption keys and the registers of one folder along to another. */
export function takeKeysAlong(from: string, to: string, ...more: string[]): void {
  mkdirSync(to, { recursive: true, mode: 0o700 })
  for (const name of ['cells.sqlite', 'kek.json', ...more]) copyFileSync(join(from, name), join(to, name))
}

export type RestoredBroker = TestBroker & { readonly done: RestoredDatabase }

/** Restores a backup beside the broker it is of, and opens what came of it, under the same clock and keys. */
export async function restoreBeside(
  test: TestBroker,
  from: string,
  folder: string,
  { freezes = false, registers = ['checkpoint-register.json'] } = {},
): Promise<RestoredBroker> {
  await test.broker.cells.close()
  takeKeysAlong(test.folder, folder, ...registers)
  const nowMs = test.clock.nowMs()
  const done = await restoreDatabase({
    from,
    folder,
    databaseUrl: await testDatabaseUrl(folder),
    registerOf: async (epoch) => openCheckpointRegisterFile(registerFileIn(folder, epoch)),
    openKeys: async () => openKeyStoreView(dataFilesIn(folder).cells),
    openEpochs: () => readEpochKeys(join(folder, 'kek.json')),
    firstOrigin: test.broker.settings.logOrigin.replace(/\/\d+$/, ''),
    freezes,
    origin: undefined,
    nowMs,
    tell: () => undefined,
  })
  const restored = await createTestBroker({ folder, signer: test.signer, nowMs })
  restored.broker.settings = await settingsInEpoch(restored.broker)
  return { ...restored, done }
}
