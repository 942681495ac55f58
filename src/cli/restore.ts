import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { knownKeyStore } from '../broker/note-key-store.ts'
import { KeyBackupRefused, restoreKeys } from '../keys/key-backup.ts'
import type { KeyStoreMark } from '../ports/cells.ts'
import { BackupDamaged } from '../store/backup/manifest.ts'
import { TargetNotEmpty } from '../store/backup/sqlite-sink.ts'
import { dataFilesIn } from '../store/data-files.ts'
import { claimDataFolder, DataFolderBusy } from '../store/data-folder.ts'
import { countOf } from './count-of.ts'
import { openDataView } from './data-log.ts'
import { deploymentConfig, keyPlacesOf, livingEpochs, openKeyStore, registerIn } from './deployment.ts'
import { openProgress } from './progress.ts'
import {
  type BackupStanding,
  type RestoredDatabase,
  RestoreRefused,
  restoreDatabase,
} from './restore-database.ts'
import type { Terminal } from './terminal.ts'

type Env = Readonly<Record<string, string | undefined>>
type Options = { from: string; data: string; keys: boolean; freeze: boolean; origin?: string }

export function addRestore(program: Command, terminal: Terminal, env: Env): void {
  program
    .command('restore')
    .description('put a backup into an empty deployment, which begins a new log')
    .requiredOption('--from <folder>', 'what countersign backup wrote')
    .option(
      '--data <folder>',
      'the data folder to be; no broker may run on it',
      env.COUNTERSIGN_DATA ?? './data',
    )
    .option('--keys', 'put back keys, from a backup of keys', false)
    .option('--origin <name>', 'the name of the log that ends, if the backup holds no checkpoint yet')
    .option(
      '--no-freeze',
      'do not freeze the platform: you have looked at what was frozen and revoked since the backup',
    )
    .action(async (options: Options) => {
      try {
        await (options.keys ? keysBack(options, terminal, env) : databaseBack(options, terminal, env))
      } catch (error) {
        if (!isRefusal(error)) throw error
        terminal.err(`${terminal.paint('red', 'refused')}: ${error.message}`)
        terminal.exitWith(1)
      }
    })
}

function isRefusal(error: unknown): error is Error {
  return [RestoreRefused, BackupDamaged, KeyBackupRefused, TargetNotEmpty, DataFolderBusy].some(
    (kind) => error instanceof kind,
  )
}

async function keysBack({ from, data }: Options, terminal: Terminal, env: Env): Promise<void> {
  const config = deploymentConfig(data, env)
  const claim = claimDataFolder(resolve(data), Date.now())
  try {
    const done = await restoreKeys(resolve(from), keyPlacesOf(config), await rememberedKeyStore(data))
    terminal.out(`${terminal.paint('green', 'the keys are back')}: ${countOf(done.files, 'file')} in ${data}`)
    if (done.keyStore) terminal.out(`key store ${done.keyStore.id}, generation ${done.keyStore.generation}`)
    terminal.err(terminal.paint('dim', 'put the key-encryption keys where COUNTERSIGN_KEK_FILE says'))
  } finally {
    claim.release()
  }
}

/** What the database of the folder knows of its key store, if there is one. */
async function rememberedKeyStore(data: string): Promise<KeyStoreMark | undefined> {
  if (!existsSync(dataFilesIn(data).database)) return undefined
  const view = openDataView(data)
  try {
    return await view.read(knownKeyStore)
  } finally {
    view.close()
  }
}

async function databaseBack(options: Options, terminal: Terminal, env: Env): Promise<void> {
  const config = deploymentConfig(options.data, env)
  const progress = openProgress(terminal)
  try {
    const done = await restoreDatabase({
      from: resolve(options.from),
      folder: config.dataFolder,
      databaseUrl: config.databaseUrl,
      registerOf: (epoch, origin) => registerIn(config, epoch, origin),
      openKeys: () => openKeyStore(config),
      openEpochs: () => livingEpochs(config),
      begin: (standing) => tellStanding(standing, terminal),
      firstOrigin: config.logOrigin,
      freezes: options.freeze,
      origin: options.origin,
      nowMs: Date.now(),
      tell: progress.tell,
    })
    print(done, options, terminal)
  } finally {
    progress.end()
  }
}

/** Said before anything is written: who wants the rest finds its keys first. */
function tellStanding(
  { keyEpoch, living, hasPersonal, takenAtMs }: BackupStanding,
  terminal: Terminal,
): void {
  terminal.err(`a backup of ${new Date(takenAtMs).toISOString()}, of key epoch ${keyEpoch}`)
  if (hasPersonal) return
  const left = living.length === 0 ? 'there is no key-encryption key' : `epoch ${Math.max(...living)} is left`
  terminal.err(
    `${terminal.paint('yellow', 'it is older than its key')}: ${left}. Ledger, log and grants come back; names, purposes, users’ passkeys and what grants compare with do not, and no sealed part opens but by keys that the key store still holds`,
  )
}

function print({ report, epoch, manifest }: RestoredDatabase, options: Options, terminal: Terminal): void {
  const { held, published } = report
  terminal.out(`${terminal.paint('green', 'restored')}: ${report.rows} rows into ${options.data}`)
  terminal.out(
    `the log ended with ${held.treeSize} leaves here; ${published.treeSize} may have been published. Epoch ${epoch} begins`,
  )
  terminal.out(`everything after ${new Date(manifest.log.newestAtMs).toISOString()} is forgotten:`)
  terminal.out(`  ${countOf(report.suspendedGrants, 'grant')} wait for one more yes of their users`)
  terminal.out(
    `  ${countOf(report.voidApprovals, 'approval')} are void, and running windows count as used up`,
  )
  if (report.erasedParts > 0)
    terminal.out(`  ${countOf(report.erasedParts, 'sealed part')} erased since are not brought back`)
  if (options.freeze)
    terminal.out(
      '  the platform is frozen: look at what was frozen, suspended and revoked since, then lift it',
    )
}
