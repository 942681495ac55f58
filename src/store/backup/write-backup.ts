import { createHash, randomBytes } from 'node:crypto'
import {
  closeSync,
  createWriteStream,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { parseNote } from '../../core/merkle/note.ts'
import type { EpochKeySet } from '../../ports/epoch-keys.ts'
import { BackupDamaged, MANIFEST_FILE, type Manifest, manifestText, tableFile } from './manifest.ts'
import { openPersonalWriter, type PersonalWriter, personalFile } from './personal-file.ts'
import { personalPartOf, splitRow } from './personal-rows.ts'
import { rowLine } from './row-lines.ts'
import { TargetNotEmpty } from './sqlite-sink.ts'
import { type Row, schemaDigest, TABLE_LAYOUTS, type TableLayout, valueAt } from './table-layout.ts'
import type { TableSource } from './table-source.ts'
import { TreeWatch } from './tree-watch.ts'
import { watchRow } from './watch-rows.ts'

export type BackupFacts = {
  readonly takenAtMs: number
  /** The newest epoch's key encrypts what is personal, which dies with it. */
  readonly epochKeys: EpochKeySet
  readonly keyStore: Manifest['keyStore']
}

/** Is told how many rows of a table went by, now and then and at its end. */
export type Progress = (table: string, rows: number) => void

/**
 * Writes every table of one moment into a new folder, and checks the logs on the way. The folder gets its name when
 * all of it is on the disk.
 *
 * @throws TargetNotEmpty if there is something of that name; BackupDamaged if what was read contradicts itself.
 */
export async function writeBackup(
  source: TableSource,
  folder: string,
  facts: BackupFacts,
  progress: Progress = () => undefined,
): Promise<Manifest> {
  if (existsSync(folder)) throw new TargetNotEmpty(`${folder} is there already: a backup never overwrites`)
  mkdirSync(dirname(folder), { recursive: true })
  const beside = `${folder}.partial`
  rmSync(beside, { recursive: true, force: true })
  mkdirSync(beside, { mode: 0o700 })
  try {
    const manifest = await writeTables(source, beside, facts, progress)
    writeFileSync(join(beside, MANIFEST_FILE), manifestText(manifest), { mode: 0o600, flush: true })
    syncFolder(beside)
    renameSync(beside, folder)
    syncFolder(dirname(folder))
    return manifest
  } catch (error) {
    rmSync(beside, { recursive: true, force: true })
    throw error
  }
}

async function writeTables(
  source: TableSource,
  folder: string,
  facts: BackupFacts,
  progress: Progress,
): Promise<Manifest> {
  const watch = new TreeWatch()
  const tables: Manifest['tables'] = []
  let checkpoint: Manifest['log']['checkpoint'] = null
  let epoch = 1
  const salt = randomBytes(32)
  const { newestEpoch, living } = facts.epochKeys
  const epochKey = living.get(newestEpoch)
  if (!epochKey) throw new Error('no living key-encryption key')
  for (const table of TABLE_LAYOUTS) {
    const see = (row: Row) => {
      watchRow(watch, table, row)
      if (table.name === 'log_checkpoints') checkpoint = checkpointOf(table, row)
      if (table.name === 'deployment_marks' && valueAt(table, row, 'name') === 'log_epoch')
        epoch = Number(valueAt(table, row, 'value'))
    }
    const personal = personalPartOf(table)
      ? openPersonalWriter(personalFile(folder, table.name), epochKey, salt, table.name)
      : undefined
    tables.push(await writeTable(source, table, folder, see, progress, personal))
  }
  const faults = watch.finish()
  if (faults.length > 0) throw new BackupDamaged(`the log of this database is damaged: ${faults.join('; ')}`)
  const { treeSize, rootHash, newestAtMs } = watch.head()
  return {
    formatVersion: 2,
    kind: 'database',
    engine: source.engine,
    schema: schemaDigest(),
    takenAtMs: facts.takenAtMs,
    log: {
      treeSize,
      rootHash: rootHash.toString('base64'),
      epoch,
      origin: originOf(checkpoint),
      newestAtMs,
      checkpoint,
    },
    keyStore: facts.keyStore,
    personal: { epoch: newestEpoch, salt: salt.toString('base64url') },
    tables,
  }
}

function checkpointOf(table: TableLayout, row: Row): NonNullable<Manifest['log']['checkpoint']> {
  const root = valueAt(table, row, 'root_hash')
  return {
    treeSize: Number(valueAt(table, row, 'tree_size')),
    rootHash: Buffer.isBuffer(root) ? root.toString('base64') : '',
    note: String(valueAt(table, row, 'note')),
  }
}

function originOf(checkpoint: Manifest['log']['checkpoint']): string | null {
  return (checkpoint && parseNote(checkpoint.note)?.text.split('\n')[0]) ?? null
}

async function writeTable(
  source: TableSource,
  table: TableLayout,
  folder: string,
  see: (row: Row) => void,
  progress: Progress,
  personal: PersonalWriter | undefined,
): Promise<Manifest['tables'][number]> {
  const hash = createHash('sha256')
  const part = personalPartOf(table)
  let rows = 0
  let bytes = 0
  const takeOut = (row: Row, into: PersonalWriter): Row[] => {
    if (!part) return [row]
    const split = splitRow(table, part, row, rows)
    if (split.personal !== undefined) into.write(split.personal)
    if (!split.open) return []
    rows += 1
    return [split.open]
  }
  async function* lines() {
    for await (const batch of source.rows(table)) {
      for (const row of batch) see(row)
      const open = personal ? batch.flatMap((row) => takeOut(row, personal)) : batch
      if (!personal) rows += batch.length
      progress(table.name, rows)
      yield open.map(rowLine).join('')
    }
  }
  async function* counted(chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      hash.update(chunk)
      bytes += chunk.length
      yield chunk
    }
  }
  const file = createWriteStream(tableFile(folder, table.name), { flags: 'wx', mode: 0o600, flush: true })
  await pipeline(Readable.from(lines()), createGzip({ level: 1 }), counted, file)
  const digests = { rows, bytes, sha256: hash.digest('base64url') }
  return { name: table.name, ...digests, personal: personal?.end() ?? null }
}

function syncFolder(path: string): void {
  if (process.platform === 'win32') return
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
