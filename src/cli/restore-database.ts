import { existsSync } from 'node:fs'
import { EPOCH_MARK } from '../broker/current-epoch.ts'
import { keyStoreText } from '../broker/note-key-store.ts'
import { taggedDigest } from '../core/canonical-json.ts'
import type { NamedHead } from '../core/log/epoch-leaf.ts'
import { type KeyStoreView, openKeyStoreView } from '../keys/key-store-view.ts'
import { createIds } from '../keys/new-id.ts'
import type { CheckpointRegister } from '../ports/checkpoint-register.ts'
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
  registerOf(epoch: number): CheckpointRegister
  readonly freezes: boolean
  /** The name of the log that ends, for a backup from before the first checkpoint. */
  readonly origin: string | undefined
  readonly nowMs: number
  readonly tell: Progress
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
  const { manifest, source } = openBackup(from)
  const files = dataFilesIn(folder)
  if (input.databaseUrl === null && existsSync(files.database))
    throw new TargetNotEmpty(`${files.database} is there already: a backup is put into an empty folder only`)
  const claim = claimDataFolder(folder, nowMs)
  let keys: KeyStoreView | undefined
  let sink: TableSink | undefined
  try {
    keys = requireKeyStore(files.cells, manifest)
    const { mark, has } = keys
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
      isCellAlive: has,
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
    keys?.close()
    claim.release()
  }
}

/** Without the key store nothing that is sealed could be opened; with an older one, what was erased would come back. */
function requireKeyStore(cells: string, manifest: Manifest): KeyStoreView {
  let view: KeyStoreView | undefined
  try {
    view = openKeyStoreView(cells)
  } catch (cause) {
    throw new RestoreRefused(`${cells} is no key store, or damaged`, { cause })
  }
  if (!view)
    throw new RestoreRefused(
      `${cells} is missing: put the key store there first, or its newest backup with countersign restore --keys`,
    )
  const refuse = (message: string): never => {
    view.close()
    throw new RestoreRefused(message)
  }
  const { keyStore } = manifest
  if (keyStore && keyStore.id !== view.mark.id)
    refuse(`${cells} is the key store of another deployment: put the right one in its place`)
  if (keyStore && view.mark.generation < keyStore.generation)
    refuse(
      `${cells} is older than the backup (generation ${view.mark.generation}, and the backup knows ${keyStore.generation}): what was erased would come back. A key store is never put back to an older state`,
    )
  return view
}

/** The epoch after the backup's that no log was begun in: a backup can be restored more than once. */
async function nextEpoch({ registerOf }: RestoreInput, last: number): Promise<number> {
  for (let epoch = last + 1; ; epoch += 1) {
    if ((await registerOf(epoch).read()) === undefined) return epoch
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
  const entry = await registerOf(epoch)
    .read()
    .catch((cause: unknown) => {
      throw new CannotRun(cause instanceof Error ? cause.message : 'the checkpoint register cannot be read', {
        cause,
      })
    })
  if (entry && entry.origin !== origin)
    throw new RestoreRefused(`the register is of the log ${entry.origin}, and the backup of ${origin}`)
  return entry
}
