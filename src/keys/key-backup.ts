import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname, join, sep } from 'node:path'
import Database from 'better-sqlite3'
import { z } from 'zod'
import type { KeyStoreMark } from '../ports/cells.ts'
import { openKeyStoreView } from './key-store-view.ts'
import { writeSecretFile } from './write-secret-file.ts'

/** Where the keys of a deployment are. The key-encryption keys are not named: they are in no backup. */
export type KeyPlaces = {
  /** The key store; null where it is a database of its own, which is backed up by its own means. */
  readonly cells: string | null
  /** The folder of the broker's own keys. */
  readonly keys: string
  readonly pseudonyms: string
}

export type KeyBackup = {
  readonly takenAtMs: number
  readonly keyStore: KeyStoreMark | null
  readonly files: number
}

/** Keys cannot be backed up or put back as asked; the message says why, and what to do. */
export class KeyBackupRefused extends Error {
  override name = 'KeyBackupRefused'
}

const MANIFEST = 'manifest.json'
const fileName = z.string().regex(/^(cells\.sqlite|pseudonyms\.secret|keys\/[A-Za-z0-9._-]+\.jwk)$/)
const manifestShape = z.strictObject({
  formatVersion: z.literal(1),
  kind: z.literal('keys'),
  takenAtMs: z.int().min(0),
  keyStore: z.strictObject({ id: z.string(), generation: z.int().min(0) }).nullable(),
  files: z.array(z.strictObject({ name: fileName, sha256: z.string() })).min(1),
})

/**
 * Copies the key store and the broker's own keys into a new folder, while they are in use. Without the key-encryption
 * keys, which are left out, no cell of the copy can be opened; the broker's own keys are there as they are.
 *
 * @throws KeyBackupRefused if something of that name is there, or there are no keys.
 */
export async function backUpKeys(places: KeyPlaces, folder: string, nowMs: number): Promise<KeyBackup> {
  if (existsSync(folder)) throw new KeyBackupRefused(`${folder} is there already: a backup never overwrites`)
  if (places.cells !== null && !existsSync(places.cells))
    throw new KeyBackupRefused(`${places.cells} is missing: there are no keys here`)
  mkdirSync(dirname(folder), { recursive: true })
  const beside = `${folder}.partial`
  rmSync(beside, { recursive: true, force: true })
  mkdirSync(join(beside, 'keys'), { recursive: true, mode: 0o700 })
  try {
    const names: string[] = []
    if (places.cells !== null) {
      await copyCells(places.cells, join(beside, 'cells.sqlite'))
      names.push('cells.sqlite')
    }
    if (existsSync(places.pseudonyms)) {
      copyPrivate(places.pseudonyms, join(beside, 'pseudonyms.secret'))
      names.push('pseudonyms.secret')
    }
    for (const file of readdirSync(places.keys).filter((name) => name.endsWith('.jwk'))) {
      copyPrivate(join(places.keys, file), join(beside, 'keys', file))
      names.push(`keys/${file}`)
    }
    const keyStore = await markIn(beside)
    const files = names.map((name) => ({ name, sha256: digestOf(join(beside, name)) }))
    const manifest: z.input<typeof manifestShape> = {
      formatVersion: 1,
      kind: 'keys',
      takenAtMs: nowMs,
      keyStore,
      files,
    }
    writeSecretFile(join(beside, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`)
    renameSync(beside, folder)
    return { takenAtMs: nowMs, keyStore, files: files.length }
  } catch (error) {
    rmSync(beside, { recursive: true, force: true })
    throw error
  }
}

/**
 * Puts keys back where there are none. Never over keys that are there, and never a key store from before a destruction
 * that the database knows of: what was erased would come back.
 *
 * @param known the newest mark that is remembered elsewhere; undefined where nothing is.
 * @throws KeyBackupRefused for both, and for a backup that is not as it was written.
 */
export async function restoreKeys(
  folder: string,
  places: KeyPlaces,
  known: KeyStoreMark | undefined,
): Promise<KeyBackup> {
  const manifest = await readKeyManifest(folder)
  for (const place of [places.cells, places.pseudonyms, places.keys]) {
    if (place !== null && existsSync(place))
      throw new KeyBackupRefused(`${place} is there already: keys are never put back over keys`)
  }
  if (known && known.id === manifest.keyStore?.id && manifest.keyStore.generation < known.generation)
    throw new KeyBackupRefused(
      `${folder} is from before something was erased: it has generation ${manifest.keyStore.generation}, and ${known.generation} is known. What was erased would come back`,
    )
  mkdirSync(places.keys, { recursive: true, mode: 0o700 })
  for (const { name } of manifest.files) copyPrivate(join(folder, name), placeOf(places, name))
  return { takenAtMs: manifest.takenAtMs, keyStore: manifest.keyStore, files: manifest.files.length }
}

/** The mark of the key store in a backup of keys. @throws KeyBackupRefused if it is none, or was changed. */
async function readKeyManifest(folder: string): Promise<z.infer<typeof manifestShape>> {
  let manifest: z.infer<typeof manifestShape>
  try {
    manifest = manifestShape.parse(JSON.parse(readFileSync(join(folder, MANIFEST), 'utf8')))
  } catch (cause) {
    throw new KeyBackupRefused(`${folder} is no backup of keys`, { cause })
  }
  for (const { name, sha256 } of manifest.files) {
    const file = join(folder, name)
    if (!existsSync(file) || digestOf(file) !== sha256)
      throw new KeyBackupRefused(`${file} is missing or not as it was written`)
  }
  const mark = await markIn(folder)
  if (mark?.id !== manifest.keyStore?.id || mark?.generation !== manifest.keyStore?.generation)
    throw new KeyBackupRefused(`the key store in ${folder} is not the one its manifest names`)
  return manifest
}

async function markIn(folder: string): Promise<KeyStoreMark | null> {
  const view = openKeyStoreView(join(folder, 'cells.sqlite'))
  await view?.close()
  return view?.mark ?? null
}

function placeOf(places: KeyPlaces, name: string): string {
  if (name === 'cells.sqlite') {
    if (places.cells !== null) return places.cells
    throw new KeyBackupRefused('the key store is a database of its own here: put it back by its own means')
  }
  if (name === 'pseudonyms.secret') return places.pseudonyms
  return `${places.keys}${sep}${name.slice('keys/'.length)}`
}

/** A consistent copy of a file that another process writes to. */
async function copyCells(from: string, to: string): Promise<void> {
  const db = new Database(from, { readonly: true, fileMustExist: true })
  try {
    await db.backup(to)
  } finally {
    db.close()
  }
  chmodSync(to, 0o600)
  // One file without a log beside it, so that looking at the copy leaves it as it is.
  const copy = new Database(to)
  try {
    copy.pragma('journal_mode = DELETE')
  } finally {
    copy.close()
  }
}

function copyPrivate(from: string, to: string): void {
  if (!statSync(from).isFile()) throw new KeyBackupRefused(`${from} is no file`)
  copyFileSync(from, to)
  chmodSync(to, 0o600)
}

function digestOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('base64url')
}
