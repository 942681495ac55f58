import { createHash, type KeyObject } from 'node:crypto'
import { createReadStream, existsSync, statSync } from 'node:fs'
import { createGunzip } from 'node:zlib'
import type { EpochKeySet } from '../../ports/epoch-keys.ts'
import { BackupDamaged, type Manifest, readManifest, tableFile } from './manifest.ts'
import { personalFile, personalLines } from './personal-file.ts'
import { joinRows, personalPartOf } from './personal-rows.ts'
import { BadLine, parseRowLine } from './row-lines.ts'
import { type Row, schemaDigest, TABLE_LAYOUTS, type TableLayout } from './table-layout.ts'
import { ROWS_AT_A_TIME, type TableSource } from './table-source.ts'

/** A leaf has 64 KiB and its base64 a third more; nothing else comes near. */
const LINE_BYTES_MOST = 4 * 1024 * 1024

/**
 * Opens a backup to read its rows from. What was changed since it was written is found out while its tables are read,
 * at the latest at the end of each: keep nothing before.
 *
 * @param epochKeys without that of its epoch nothing personal is read: what stands in its place is.
 * @throws BackupDamaged if it is none, or of another version; while reading, if it is not as it was written.
 */
export function openBackup(
  folder: string,
  epochKeys?: EpochKeySet,
): { readonly manifest: Manifest; readonly source: TableSource; readonly hasPersonal: boolean } {
  const manifest = readManifest(folder)
  if (manifest.schema !== schemaDigest())
    throw new BackupDamaged(
      `${folder} was written by another version: restore it with that version, then start this one on it`,
    )
  const expected = TABLE_LAYOUTS.map(({ name }) => name)
  const found = manifest.tables.map(({ name }) => name)
  if (found.join(' ') !== expected.join(' '))
    throw new BackupDamaged(`${folder} lacks tables, or has them in another order`)
  for (const { name } of TABLE_LAYOUTS) {
    if (!existsSync(tableFile(folder, name))) throw new BackupDamaged(`${tableFile(folder, name)} is missing`)
  }
  const epochKey = epochKeys?.living.get(manifest.personal.epoch)
  return {
    manifest,
    hasPersonal: epochKey !== undefined,
    source: {
      engine: manifest.engine,
      rows: (table) => readWhole(folder, table, manifest, epochKey),
      close: async () => undefined,
    },
  }
}

/** The rows of a table with what is personal in them, where its key is there. */
async function* readWhole(
  folder: string,
  table: TableLayout,
  manifest: Manifest,
  epochKey: KeyObject | undefined,
): AsyncGenerator<readonly Row[]> {
  const open = readTable(folder, table, manifest)
  const part = personalPartOf(table)
  if (!part || !epochKey) {
    yield* open
    return
  }
  const file = personalFile(folder, table.name)
  const expected = manifest.tables.find(({ name }) => name === table.name)?.personal
  if (!expected || !existsSync(file) || statSync(file).size !== expected.bytes)
    throw new BackupDamaged(`${file} is missing or not as it was written`)
  const salt = Buffer.from(manifest.personal.salt, 'base64url')
  try {
    yield* joinRows(table, part, open, personalLines(file, epochKey, salt, table.name))
  } catch (cause) {
    if (!(cause instanceof BadLine)) throw cause
    throw new BackupDamaged(`${file} is damaged: ${cause.message}`, { cause })
  }
}

async function* readTable(
  folder: string,
  table: TableLayout,
  manifest: Manifest,
): AsyncGenerator<readonly Row[]> {
  const expected = manifest.tables.find(({ name }) => name === table.name)
  if (!expected) throw new BackupDamaged(`the backup does not hold ${table.name}`)
  const file = tableFile(folder, table.name)
  const hash = createHash('sha256')
  let rows = 0
  let batch: Row[] = []
  try {
    for await (const line of linesOf(file, (chunk) => hash.update(chunk))) {
      batch.push(parseRowLine(table, line))
      rows += 1
      if (batch.length < ROWS_AT_A_TIME) continue
      yield batch
      batch = []
    }
  } catch (cause) {
    if (cause instanceof BackupDamaged) throw cause
    const what = cause instanceof BadLine ? cause.message : 'it cannot be unpacked'
    throw new BackupDamaged(`${file} is damaged: ${what}`, { cause })
  }
  if (batch.length > 0) yield batch
  if (hash.digest('base64url') !== expected.sha256 || rows !== expected.rows)
    throw new BackupDamaged(`${file} is not as it was written`)
}

async function* linesOf(file: string, see: (chunk: Buffer) => void): AsyncGenerator<string> {
  const packed = createReadStream(file)
  packed.on('data', (chunk) => see(chunk as Buffer))
  const unpacked = createGunzip()
  packed.on('error', (error) => unpacked.destroy(error))
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of packed.pipe(unpacked) as AsyncIterable<Buffer>) {
    let from = 0
    const joined: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    for (let end = joined.indexOf(10); end !== -1; end = joined.indexOf(10, from)) {
      yield joined.toString('utf8', from, end)
      from = end + 1
    }
    rest = joined.subarray(from)
    if (rest.length > LINE_BYTES_MOST) throw new BadLine('a line without end')
  }
  if (rest.length > 0) throw new BadLine('the last line is cut off')
}
