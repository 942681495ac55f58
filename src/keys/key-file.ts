import {
  chmodSync,
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { KEY_PURPOSES, type KeyPurpose } from '../ports/signer.ts'
import {
  ed25519Thumbprint,
  generateBrokerKey,
  type KeyFileContent,
  keyFileShape,
  toPrivateKey,
  toPublicKey,
} from './broker-key.ts'

export type KeyFileFault =
  | 'folder_open_to_others'
  | 'key_file_open_to_others'
  | 'not_a_regular_file'
  | 'key_file_broken'
  | 'private_key_missing'
  | 'key_is_current'
  | 'key_unknown'
  | 'keys_differ'

/** A key folder that must not be used as it is; the message says which file and what to do. */
export class KeyFileError extends Error {
  readonly code: KeyFileFault

  constructor(code: KeyFileFault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'KeyFileError'
    this.code = code
  }
}

export interface BrokerKeys {
  /** The key that signs, with its private part, for every purpose. */
  readonly current: ReadonlyMap<KeyPurpose, KeyFileContent>
  /** All keys to publish, current ones first. */
  readonly published: readonly KeyFileContent[]
}

const FILE_NAME = new RegExp(`^(${KEY_PURPOSES.join('|')})\\.([A-Za-z0-9_-]{43})\\.(private|public)\\.jwk$`)

/** Purposes that came after the first release: a folder that is older holds no key for them, and gets one. */
const LATER_PURPOSES: ReadonlySet<KeyPurpose> = new Set(['notice', 'status', 'event'])

/**
 * Opens the folder of the broker's keys and makes a key for every purpose that never had one.
 *
 * A file `<purpose>.<kid>.private.jwk` (mode 0600) is a key that signs, `<purpose>.<kid>.public.jwk` one that was
 * rotated out and is only published. A purpose with public keys and no private one has lost its key, and a new one is
 * not made silently in its place.
 *
 * @param mayCreate false where a log was signed already: other keys would silently go on under its name.
 * @throws KeyFileError when files are open to others, broken, or missing.
 */
export function openKeyFolder(folder: string, nowMs: number, mayCreate = true): BrokerKeys {
  prepareFolder(folder)
  const stored = readKeys(folder)
  for (const purpose of KEY_PURPOSES) {
    const own = stored.filter((key) => key.cs_purpose === purpose)
    if (own.length === 0) {
      const isOlder = LATER_PURPOSES.has(purpose) && stored.some((key) => key.cs_purpose === 'log')
      if (!mayCreate && !isOlder) throw keysLost(folder, purpose)
      const made = generateBrokerKey(purpose, nowMs)
      writeKey(folder, made, 'private')
      stored.push(made)
    } else if (own.every((key) => key.d === undefined)) {
      const message = `${folder} holds public ${purpose} keys but no private one: restore ${purpose}.*.private.jwk`
      throw new KeyFileError('private_key_missing', message)
    }
  }
  return arrange(stored.map((key) => demoteIfSuperseded(folder, key, stored)))
}

/**
 * Makes a new current key for a purpose. The old one stays published, without its private part, until it is retired.
 * Returns the new key's id.
 */
export function rotateKey(folder: string, purpose: KeyPurpose, nowMs: number): string {
  const before = openKeyFolder(folder, nowMs, false).current.get(purpose)
  // Rotated twice in one millisecond, or by a clock set back, the new key must still be the newest.
  const made = generateBrokerKey(purpose, Math.max(nowMs, (before?.cs_created_at_ms ?? 0) + 1))
  writeKey(folder, made, 'private')
  openKeyFolder(folder, nowMs, false)
  return made.kid
}

/** Stops publishing a key that was rotated out; whatever it signed no longer verifies. */
export function retireKey(folder: string, purpose: KeyPurpose, kid: string, nowMs: number): void {
  const keys = openKeyFolder(folder, nowMs, false)
  if (keys.current.get(purpose)?.kid === kid) {
    throw new KeyFileError('key_is_current', `${purpose} key ${kid} still signs: rotate before retiring it`)
  }
  const found = keys.published.find((key) => key.cs_purpose === purpose && key.kid === kid)
  if (!found) throw new KeyFileError('key_unknown', `there is no ${purpose} key ${kid} in ${folder}`)
  rmSync(join(folder, fileName(found, 'public')))
  syncFolder(folder)
}

function keysLost(folder: string, purpose: KeyPurpose): KeyFileError {
  const message = `${folder} holds no ${purpose} key, but a database that was begun with one is there: restore the folder ${folder} from its backup. If there is none, this log cannot go on: keep its data folder as evidence, and begin a new log with COUNTERSIGN_DATA set to a new folder and COUNTERSIGN_LOG_ORIGIN to a new name`
  return new KeyFileError('private_key_missing', message)
}

function arrange(keys: readonly KeyFileContent[]): BrokerKeys {
  const signing = KEY_PURPOSES.flatMap(
    (purpose) => keys.find((key) => key.cs_purpose === purpose && key.d) ?? [],
  )
  const current = new Map(signing.map((key) => [key.cs_purpose, key]))
  const old = keys
    .filter((key) => key.d === undefined)
    .sort((a, b) => b.cs_created_at_ms - a.cs_created_at_ms)
  return { current, published: [...signing, ...old] }
}

/** Finishes a rotation: of several private keys only the newest keeps its private part. */
function demoteIfSuperseded(
  folder: string,
  key: KeyFileContent,
  all: readonly KeyFileContent[],
): KeyFileContent {
  const isSuperseded = all.some(
    (other) =>
      other.d !== undefined &&
      other.cs_purpose === key.cs_purpose &&
      (other.cs_created_at_ms > key.cs_created_at_ms ||
        (other.cs_created_at_ms === key.cs_created_at_ms && other.kid > key.kid)),
  )
  if (key.d === undefined || !isSuperseded) return key
  const { d: _, ...published } = key
  writeKey(folder, published, 'public')
  rmSync(join(folder, fileName(key, 'private')))
  syncFolder(folder)
  return published
}

function prepareFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const found = lstatSync(folder)
  if (!found.isDirectory())
    throw new KeyFileError('not_a_regular_file', `${folder} must be a folder, not a link`)
  if (process.platform !== 'win32' && (found.mode & 0o022) !== 0) {
    const message = `${folder} can be changed by other users of this machine: run chmod 700 ${folder}`
    throw new KeyFileError('folder_open_to_others', message)
  }
}

function readKeys(folder: string): KeyFileContent[] {
  const names = readdirSync(folder).filter((name) => FILE_NAME.test(name))
  const keys = names.map((name) => readKey(join(folder, name), name))
  // A crash between the two steps of a demotion leaves both files; the private one is still good.
  return keys.filter((key) => key.d !== undefined || !keys.some((other) => other.d && other.kid === key.kid))
}

function readKey(path: string, name: string): KeyFileContent {
  const found = lstatSync(path)
  if (!found.isFile())
    throw new KeyFileError('not_a_regular_file', `${path} must be a regular file, not a link`)
  const isPrivate = name.endsWith('.private.jwk')
  const forbidden = isPrivate ? 0o077 : 0o022
  if (process.platform !== 'win32' && (found.mode & forbidden) !== 0) {
    const message = `${path} is open to other users of this machine: run chmod 600 ${path}, and rotate the key`
    throw new KeyFileError('key_file_open_to_others', message)
  }
  return parseKey(path, name, isPrivate)
}

function parseKey(path: string, name: string, isPrivate: boolean): KeyFileContent {
  try {
    const key = keyFileShape.parse(JSON.parse(readFileSync(path, 'utf8')))
    const belongs =
      name === fileName(key, isPrivate ? 'private' : 'public') && (key.d !== undefined) === isPrivate
    if (!belongs || key.kid !== ed25519Thumbprint(key.x)) throw new TypeError('name and content differ')
    if (isPrivate) toPrivateKey(key)
    return key
  } catch {
    // The cause is left out: a parser's message may quote the private key.
    throw new KeyFileError(
      'key_file_broken',
      `${path} is not a key file of that name: restore it from a backup`,
    )
  }
}

/** Writes beside, syncs, then renames, so that a crash leaves the old state or the new one. */
function writeKey(folder: string, key: KeyFileContent, part: 'private' | 'public'): void {
  const path = join(folder, fileName(key, part))
  const beside = `${path}.new`
  rmSync(beside, { force: true })
  const file = openSync(beside, 'wx', 0o600)
  try {
    const content = part === 'private' ? key : { ...toPublicKey(key), cs_created_at_ms: key.cs_created_at_ms }
    writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  chmodSync(beside, 0o600)
  renameSync(beside, path)
  syncFolder(folder)
}

function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

function fileName(key: KeyFileContent, part: 'private' | 'public'): string {
  return `${key.cs_purpose}.${key.kid}.${part}.jwk`
}
