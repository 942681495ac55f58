import { createHash } from 'node:crypto'
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
import { BackupDamaged, MANIFEST_FILE, type Manifest, manifestText, tableFile } from './manifest.ts'
import { rowLine } from './row-lines.ts'
import { TargetNotEmpty } from './sqlite-sink.ts'
import { type Row, schemaDigest, TABLE_LAYOUTS, type TableLayout, valueAt } from './table-layout.ts'
import type { TableSource } from './table-source.ts'
import { TreeWatch } from './tree-watch.ts'
import { watchRow } from './watch-rows.ts'

export type BackupFacts = {
  readonly takenAtMs: number
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
  for (const table of TABLE_LAYOUTS) {
    const see = (row: Row) => {
      watchRow(watch, table, row)
      if (table.name === 'log_checkpoints') checkpoint = checkpointOf(table, row)
      if (table.name === 'deployment_marks' && valueAt(table, row, 'name') === 'log_epoch')
        epoch = Number(valueAt(table, row, 'value'))
    }
    tables.push(await writeTable(source, table, folder, see, progress))
  }
  const faults = watch.finish()
  if (faults.length > 0) throw new BackupDamaged(`the log of this database is damaged: ${faults.join('; ')}`)
  const { treeSize, rootHash, newestAtMs } = watch.head()
  return {
    formatVersion: 1,
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
): Promise<Manifest['tables'][number]> {
  const hash = createHash('sha256')
  let rows = 0
  let bytes = 0
  async function* lines() {
    for await (const batch of source.rows(table)) {
      for (const row of batch) see(row)
      rows += batch.length
      progress(table.name, rows)
      yield batch.map(rowLine).join('')
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
  return { name: table.name, rows, bytes, sha256: hash.digest('base64url') }
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
