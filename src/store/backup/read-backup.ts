import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { BackupDamaged, type Manifest, readManifest, tableFile } from './manifest.ts'
import { BadLine, parseRowLine } from './row-lines.ts'
import { type Row, schemaDigest, TABLE_LAYOUTS, type TableLayout } from './table-layout.ts'
import { ROWS_AT_A_TIME, type TableSource } from './table-source.ts'

/** A leaf has 64 KiB and its base64 a third more; nothing else comes near. */
const LINE_BYTES_MOST = 4 * 1024 * 1024

/**
 * Opens a backup to read its rows from. What was changed since it was written is found out while its tables are read,
 * at the latest at the end of each: keep nothing before.
 *
 * @throws BackupDamaged if it is none, or of another version; while reading, if it is not as it was written.
 */
export function openBackup(folder: string): { readonly manifest: Manifest; readonly source: TableSource } {
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
  return {
    manifest,
    source: {
      engine: manifest.engine,
      rows: (table) => readTable(folder, table, manifest),
      close: async () => undefined,
    },
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
