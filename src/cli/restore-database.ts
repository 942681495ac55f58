import { existsSync } from 'node:fs'
import { EPOCH_MARK } from '../broker/current-epoch.ts'
import { keyStoreText } from '../broker/note-key-store.ts'
import { taggedDigest } from '../core/canonical-json.ts'
import { epochOrigin, type NamedHead } from '../core/log/epoch-leaf.ts'
import type { KeyStoreView } from '../keys/key-store-view.ts'
import { createIds } from '../keys/new-id.ts'
import type { KeyStoreMark } from '../ports/cells.ts'
import type { CheckpointRegister } from '../ports/checkpoint-register.ts'
import type { EpochKeySet } from '../ports/epoch-keys.ts'
import type { Manifest } from '../store/backup/manifest.ts'
import { openPostgresSink } from '../store/backup/postgres-sink.ts'
import { openBackup } from '../store/backup/read-backup.ts'
import { type RestoreReport, restoreRows } from '../store/backup/restore-rows.ts'
import { openSqliteSink, TargetNotEmpty } from '../store/backup/sqlite-sink.ts'
import type { TableSink } from '../store/backup/table-source.ts'
import type { Progress } from '../store/backup/write-backup.ts'
import { dataFilesIn } from '../store/data-files.ts'
import { claimDataFolder } from '../store/data-folder.ts'
import { POSTGRES_MIGRATIONS, SQLITE_MIGRATIONS } from './deployment.ts'
import { CannotRun } from './terminal.ts'

/** The backup, the key store or the register do not go together; the message says what to do. */
export class RestoreRefused extends Error {
  override name = 'RestoreRefused'
}

export type RestoreInput = {
  readonly from: string
  /** The data folder to be, with its key store in place. */
  readonly folder: string
  /** The empty PostgreSQL database to fill, as the role that serves; null for a database in the folder. */
  readonly databaseUrl: string | null
  /** The register of an epoch's log. */
  registerOf(epoch: number, origin: string): Promise<CheckpointRegister>
  /** Looks at the key store; undefined if there is none. */
  openKeys(): Promise<KeyStoreView | undefined>
  /** The key-encryption keys that are left; undefined if there are none. */
  openEpochs?(): EpochKeySet | undefined
  /** Is told what the backup is of, before anything is written. */
  begin?(backup: BackupStanding): void
  /** The configured name of the log, in its first epoch. */
  readonly firstOrigin: string
  readonly freezes: boolean
  /** The name of the log that ends, for a backup from before the first checkpoint. */
  readonly origin: string | undefined
  readonly nowMs: number
  readonly tell: Progress
}

export type BackupStanding = {
  /** The key epoch the backup is of, and those whose keys are left. */
  readonly keyEpoch: number
  readonly living: readonly number[]
  /** Whether what is personal comes back; ledger, log and grants do either way. */
  readonly hasPersonal: boolean
  readonly takenAtMs: number
}

export type RestoredDatabase = {
  readonly report: RestoreReport
  readonly epoch: number
  readonly manifest: Manifest
}

/**
 * Puts a backup of a database into a folder that has none, as a store that begins a new log and has forgotten what
 * came after the backup.
 *
 * @throws (rejects) RestoreRefused, BackupDamaged, TargetNotEmpty or DataFolderBusy; then the folder is as it was.
 */
export async function restoreDatabase(input: RestoreInput): Promise<RestoredDatabase> {
  const { from, folder, nowMs } = input
  const epochKeys = input.openEpochs?.()
  const { manifest, source, hasPersonal } = openBackup(from, epochKeys)
  const files = dataFilesIn(folder)
  if (input.databaseUrl === null && existsSync(files.database))
    throw new TargetNotEmpty(`${files.database} is there already: a backup is put into an empty folder only`)
  const claim = claimDataFolder(folder, nowMs)
  let keys: KeyStoreView | undefined
  let sink: TableSink | undefined
  try {
    keys = await requireKeyStore(input, manifest)
    const { mark, living } = keys
    input.begin?.({
      keyEpoch: manifest.personal.epoch,
      living: [...(epochKeys?.living.keys() ?? [])],
      hasPersonal,
      takenAtMs: manifest.takenAtMs,
    })
    const epoch = await nextEpoch(input, manifest.log.epoch)
    const previousOrigin = originOf(manifest, input.origin)
    const restoredAtMs = Math.max(nowMs, manifest.log.newestAtMs)
    const facts = {
      restoredAtMs,
      epoch,
      previousOrigin,
      registered: await registeredHead(input, manifest.log.epoch, previousOrigin),
      eventId: createIds(() => restoredAtMs)('event'),
      policyDigest: taggedDigest('countersign/v1/policy', { restore: 1 }),
      livingCells: living,
      marks: { key_store: keyStoreText(mark), [EPOCH_MARK]: String(epoch) },
      freezes: input.freezes,
    }
    sink =
      input.databaseUrl === null
        ? openSqliteSink(files.database, SQLITE_MIGRATIONS)
        : await openPostgresSink(input.databaseUrl, POSTGRES_MIGRATIONS)
    const report = await restoreRows(source, manifest, sink, facts, input.tell)
    await sink.commit()
    return { report, epoch, manifest }
  } finally {
    await sink?.abandon()
    await keys?.close()
    claim.release()
  }
}

/** Without the key store nothing that is sealed could be opened; with an older one, what was erased would come back. */
async function requireKeyStore({ openKeys }: RestoreInput, manifest: Manifest): Promise<KeyStoreView> {
  const view = await openKeys()
  if (!view)
    throw new RestoreRefused(
      'there is no key store: put it in its place first, or its newest backup with countersign restore --keys',
    )
  const fault = keyStoreFault(view.mark, manifest)
  if (fault === undefined) return view
  await view.close()
  throw new RestoreRefused(fault)
}

function keyStoreFault(mark: KeyStoreMark, { keyStore }: Manifest): string | undefined {
  if (keyStore && keyStore.id !== mark.id)
    return 'the key store is that of another deployment: put the right one in its place'
  if (keyStore && mark.generation < keyStore.generation)
    return `the key store is older than the backup (generation ${mark.generation}, and the backup knows ${keyStore.generation}): what was erased would come back. A key store is never put back to an older state`
  return undefined
}

/** The epoch after the backup's that no log was begun in: a backup can be restored more than once. */
async function nextEpoch({ registerOf, firstOrigin }: RestoreInput, last: number): Promise<number> {
  for (let epoch = last + 1; ; epoch += 1) {
    const register = await registerOf(epoch, epochOrigin(firstOrigin, epoch))
    if ((await register.read()) === undefined) return epoch
  }
}

function originOf(manifest: Manifest, given: string | undefined): string {
  const { origin } = manifest.log
  if (origin !== null && given !== undefined && given !== origin)
    throw new RestoreRefused(`the backup is of the log ${origin}, not of ${given}`)
  const name = origin ?? given
  if (name === undefined)
    throw new RestoreRefused(
      'no checkpoint was published before this backup: say with --origin what the log was called',
    )
  return name
}

async function registeredHead(
  { registerOf }: RestoreInput,
  epoch: number,
  origin: string,
): Promise<NamedHead | undefined> {
  const register = await registerOf(epoch, origin)
  const entry = await register.read().catch((cause: unknown) => {
    throw new CannotRun(cause instanceof Error ? cause.message : 'the checkpoint register cannot be read', {
      cause,
    })
  })
  if (entry && entry.origin !== origin)
    throw new RestoreRefused(`the register is of the log ${entry.origin}, and the backup of ${origin}`)
  return entry
}
