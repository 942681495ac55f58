import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { Config } from '../config.ts'
import { backUpKeys, KeyBackupRefused } from '../keys/key-backup.ts'
import type { KeyStoreMark } from '../ports/cells.ts'
import { BackupDamaged } from '../store/backup/manifest.ts'
import { TargetNotEmpty } from '../store/backup/sqlite-sink.ts'
import { writeBackup } from '../store/backup/write-backup.ts'
import { countOf } from './count-of.ts'
import { deploymentConfig, keyPlacesOf, livingEpochs, openKeyStore, openTables } from './deployment.ts'
import { openProgress } from './progress.ts'
import { CannotRun, type Terminal } from './terminal.ts'

type Env = Readonly<Record<string, string | undefined>>
type Options = { to: string; data: string; keys: boolean }

export function addBackup(program: Command, terminal: Terminal, env: Env): void {
  program
    .command('backup')
    .description('copy a deployment of one moment into a new folder, while it serves')
    .requiredOption('--to <folder>', 'a folder that is not there yet')
    .option('--data <folder>', 'the data folder of the broker', env.COUNTERSIGN_DATA ?? './data')
    .option('--keys', 'the keys in place of the database: keep the two apart', false)
    .addHelpText(
      'after',
      '\nWith COUNTERSIGN_DATABASE_URL set, the database is that one. The key-encryption keys are in no backup.',
    )
    .action(async (options: Options) => {
      try {
        await (options.keys
          ? keysBackup(options.to, deploymentConfig(options.data, env), terminal)
          : databaseBackup(options.to, deploymentConfig(options.data, env), terminal))
      } catch (error) {
        if (
          !(
            error instanceof BackupDamaged ||
            error instanceof KeyBackupRefused ||
            error instanceof TargetNotEmpty
          )
        )
          throw error
        terminal.err(error.message)
        terminal.exitWith(1)
      }
    })
}

async function keysBackup(to: string, config: Config, terminal: Terminal): Promise<void> {
  const done = await backUpKeys(keyPlacesOf(config), resolve(to), Date.now())
  terminal.out(`${terminal.paint('green', 'the keys are copied')}: ${countOf(done.files, 'file')} in ${to}`)
  terminal.out(
    done.keyStore
      ? `key store ${done.keyStore.id}, generation ${done.keyStore.generation}`
      : 'the key store is a database of its own: back it up by its own means, apart from the other',
  )
  terminal.err(
    terminal.paint(
      'dim',
      'the key-encryption keys are not among them: keep a copy of kek.json in a vault of its own',
    ),
  )
}

async function databaseBackup(to: string, config: Config, terminal: Terminal): Promise<void> {
  const source = await openTables(config)
  const progress = openProgress(terminal)
  try {
    const keyStore = await markOf(config)
    const epochKeys = livingEpochs(config)
    if (!epochKeys)
      throw new CannotRun(`${config.kekFile} is missing: what is personal is encrypted with its newest key`)
    const manifest = await writeBackup(
      source,
      resolve(to),
      { takenAtMs: Date.now(), keyStore, epochKeys },
      progress.tell,
    )
    progress.end()
    const { log, tables } = manifest
    const rows = tables.reduce((sum, table) => sum + table.rows, 0)
    const bytes = tables.reduce((sum, table) => sum + table.bytes, 0)
    terminal.out(
      `${terminal.paint('green', 'the database is copied')}: ${rows} rows of ${tables.length} tables, ${bytes} bytes in ${to}`,
    )
    terminal.out(
      `log ${log.origin ?? 'without a checkpoint yet'}, ${log.treeSize} leaves, root ${log.rootHash}`,
    )
    terminal.out(`what is personal dies with key epoch ${manifest.personal.epoch}`)
    if (keyStore) terminal.out(`sealed with key store ${keyStore.id}, generation ${keyStore.generation}`)
  } finally {
    progress.end()
    await source.close()
  }
}

async function markOf(config: Config): Promise<KeyStoreMark | null> {
  const view = await openKeyStore(config)
  await view?.close()
  return view?.mark ?? null
}
