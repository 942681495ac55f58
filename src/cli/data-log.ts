import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readHashTile } from '../broker/tree-tiles.ts'
import { parseNote } from '../core/merkle/note.ts'
import { type NoteKey, noteKey } from '../core/merkle/note-key.ts'
import { encodeEntryBundle } from '../core/merkle/tile.ts'
import { TILE_WIDTH } from '../core/merkle/tree.ts'
import { keyFileShape } from '../keys/broker-key.ts'
import type { LogSource } from '../sdk/log-source.ts'
import { dataFilesIn } from '../store/data-files.ts'
import { openSqliteView, type StoreView } from '../store/open-sqlite-reader.ts'
import { CannotRun } from './terminal.ts'

/** Opens the database of a data folder for looking only. @throws CannotRun if there is none. */
export function openDataView(folder: string): StoreView {
  const { database } = dataFilesIn(folder)
  if (!existsSync(database)) throw new CannotRun(`${folder} holds no database ${database}`)
  try {
    return openSqliteView(database, Date.now())
  } catch (cause) {
    throw new CannotRun(`cannot read ${database}: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    })
  }
}

/** The log of a database, as an auditor reads one that is served. */
export function viewLogSource(view: StoreView): LogSource {
  return {
    async checkpoint() {
      const newest = await view.read(async (tx) => tx.log.newestCheckpoint())
      if (!newest) throw new Error('no checkpoint was published yet')
      return newest.note
    },
    tile: (level, index, width) => view.read((tx) => readHashTile(tx, { level, index, width })),
    async entries(index, width) {
      const rows = await view.read(async (tx) => tx.log.leaves(index * TILE_WIDTH, width))
      return encodeEntryBundle(rows.map((row) => row.leaf))
    },
  }
}

/**
 * The key of the data folder that signed this note; undefined if none did. Trusts the folder: whoever wants to
 * know whether the folder itself is honest brings a key from elsewhere.
 */
export function findLogKey(folder: string, note: string): NoteKey | undefined {
  const { keys } = dataFilesIn(folder)
  const parsed = parseNote(note)
  const origin = parsed?.text.split('\n')[0]
  if (!parsed || !origin || !existsSync(keys)) return undefined
  return readdirSync(keys)
    .filter((name) => /^log\..*\.jwk$/.test(name))
    .flatMap((name) => keyIn(join(keys, name), origin) ?? [])
    .find((key) => parsed.signatures.some((it) => it.name === key.name && it.keyId === key.keyId))
}

function keyIn(path: string, origin: string): NoteKey | undefined {
  try {
    const { x } = keyFileShape.parse(JSON.parse(readFileSync(path, 'utf8')))
    return noteKey(origin, Buffer.from(x, 'base64url'))
  } catch {
    // A file that is no key of ours verifies nothing; the parser's message might quote a private key.
    return undefined
  }
}
