import { existsSync, writeFileSync } from 'node:fs'
import { currentEpoch } from '../broker/current-epoch.ts'
import { examineStore } from '../broker/doctor.ts'
import { rootAt } from '../broker/tree-tiles.ts'
import type { RegisterEntry } from '../ports/checkpoint-register.ts'
import { openPostgresSink } from '../store/backup/postgres-sink.ts'
import { openPostgresSource } from '../store/backup/postgres-source.ts'
import { TargetNotEmpty } from '../store/backup/sqlite-sink.ts'
import { openSqliteSource } from '../store/backup/sqlite-source.ts'
import { copyTables, differingTables, digestTables, type TableDigest } from '../store/backup/table-digest.ts'
import type { TableSource } from '../store/backup/table-source.ts'
import type { Progress } from '../store/backup/write-backup.ts'
import { dataFilesIn } from '../store/data-files.ts'
import { claimDataFolder } from '../store/data-folder.ts'
import { movedMarkIn, movedMarkText, movedTo } from '../store/moved-mark.ts'
import { openPostgresView } from '../store/open-postgres-view.ts'
import { openSqliteView, type StoreView } from '../store/open-sqlite-reader.ts'
import { CannotRun } from './terminal.ts'

/** The database cannot be moved as it is, or did not arrive as it was; the message says what to do. */
export class MigrateRefused extends Error {
  override name = 'MigrateRefused'
}

export type MigrateInput = {
  /** The data folder of a broker that is stopped. */
  readonly folder: string
  /** An empty database with its schema, as the role that serves. */
  readonly url: string
  readonly migrationsFolder: string
  /** What the register of an epoch's log holds, where the broker keeps it. */
  readRegister(epoch: number): Promise<RegisterEntry | undefined>
  readonly nowMs: number
  readonly tell: Progress
}

export type Migrated = {
  readonly tables: readonly TableDigest[]
  readonly treeSize: number
  readonly rootHash: Buffer
  /** Where it went, without a password. */
  readonly to: string
  /** Everything was there already, from a run that ended before the folder was marked. */
  readonly wasThere: boolean
}

/**
 * Moves the database of a stopped broker into PostgreSQL: every row as it is, the log with its leaves, nodes and
 * checkpoints. The folder is marked when all of it is there and has been checked, and starts no more. Keys and register
 * stay where they are. After a crash anywhere in between, the same command goes on or begins anew.
 *
 * @throws (rejects) MigrateRefused, TargetNotEmpty, DataFolderBusy, or what opening the database fails with. Then the
 *   folder is as it was, and starts.
 */
export async function migrateDatabase(input: MigrateInput): Promise<Migrated> {
  const { folder, url, nowMs } = input
  const { database } = dataFilesIn(folder)
  const moved = movedTo(folder)
  if (moved !== undefined) throw new MigrateRefused(`the database of ${folder} was moved to ${moved} before`)
  if (!existsSync(database)) throw new CannotRun(`${folder} holds no database ${database}`)
  const claim = claimDataFolder(folder, nowMs)
  let source: TableSource | undefined
  try {
    const before = openSqliteView(database, nowMs)
    try {
      await requireSound(before, input, 'the database to move')
    } finally {
      before.close()
    }
    source = openSqliteSource(database)
    const copied = await copyInto(source, input)
    const leaves = copied.tables.find(({ name }) => name === 'log_leaves')
    const head = await checkArrived(input, leaves?.rows ?? 0)
    const to = withoutPassword(url)
    writeFileSync(movedMarkIn(folder), movedMarkText(to, nowMs), { mode: 0o600, flush: true })
    return { ...copied, ...head, to }
  } finally {
    await source?.close()
    claim.release()
  }
}

/** Fills the empty database, or finds there what an earlier run has put there. */
async function copyInto(
  source: TableSource,
  { url, migrationsFolder, tell }: MigrateInput,
): Promise<{ tables: readonly TableDigest[]; wasThere: boolean }> {
  let sink: Awaited<ReturnType<typeof openPostgresSink>>
  try {
    sink = await openPostgresSink(url, migrationsFolder)
  } catch (error) {
    if (!(error instanceof TargetNotEmpty)) throw error
    const target = await openPostgresSource(url)
    try {
      const tables = await digestTables(source)
      if (differingTables(tables, await digestTables(target)).length > 0) throw error
      return { tables, wasThere: true }
    } finally {
      await target.close()
    }
  }
  try {
    const tables = await copyTables(source, sink, tell)
    const differing = differingTables(tables, await digestTables(sink.inside))
    if (differing.length > 0)
      throw new MigrateRefused(`rows did not arrive as they were: ${differing.join(', ')}. Nothing was kept`)
    await sink.commit()
    return { tables, wasThere: false }
  } finally {
    await sink.abandon()
  }
}

/** Examines what arrived as `doctor` does, from PostgreSQL itself. */
async function checkArrived(
  input: MigrateInput,
  treeSize: number,
): Promise<{ treeSize: number; rootHash: Buffer }> {
  const view = await openPostgresView(input)
  try {
    await requireSound(view, input, 'the database that was filled')
    return { treeSize, rootHash: await view.read((tx) => rootAt(tx, treeSize)) }
  } finally {
    await view.close()
  }
}

/** Every counter from its permits, the log from its leaves, and both against the register. */
async function requireSound(
  view: Pick<StoreView, 'read'>,
  { readRegister }: MigrateInput,
  what: string,
): Promise<void> {
  const { faults } = await examineStore(view, await readRegister(await currentEpoch({ store: view })))
  const [first] = faults
  if (first)
    throw new MigrateRefused(
      `${what} has ${faults.length} faults, the first ${first.code} (${first.where}): run countersign doctor`,
    )
}

/** An address that can be shown. */
export function withoutPassword(url: string): string {
  return url.replace(/^([a-z]+:\/\/[^:@/]*):[^@/]*@/, '$1@').replace(/\?.*$/, '')
}
