import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { lstatSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { KeyFileError } from './key-file.ts'
import { writeSecretFile } from './write-secret-file.ts'

/** 32 bytes: 43 digits and one sign of padding. */
const key32 = z.string().regex(/^[A-Za-z0-9+/]{43}=$/)

const epochShape = z.discriminatedUnion('state', [
  z.strictObject({
    epoch: z.int().min(1),
    state: z.literal('living'),
    keyBase64: key32,
    createdAtMs: z.int().min(0),
  }),
  z.strictObject({ epoch: z.int().min(1), state: z.literal('destroyed'), createdAtMs: z.int().min(0) }),
])

const fileShape = z.strictObject({
  /** Finds cells by name. It outlives the epochs: with a new one every cell would be made anew. */
  lookupKeyBase64: key32,
  epochs: z.array(epochShape).min(1),
})

export interface KeyEncryptionKeys {
  readonly lookupKey: KeyObject
  /** The epoch that wraps new keys. */
  readonly newestEpoch: number
  /** Every epoch that can still unwrap. */
  readonly living: ReadonlyMap<number, KeyObject>
}

/**
 * Reads the key-encryption keys, and makes the file with its first epoch where it may.
 *
 * The file belongs in no backup: whoever has an old copy of it and of the cells could open what was erased.
 *
 * @param mayCreate false when cells exist already: a new key could open none of them.
 * @throws KeyFileError when the file is missing, broken or open to other users.
 */
export function openKekFile(path: string, mayCreate: boolean, nowMs: number): KeyEncryptionKeys {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) {
    if (!mayCreate) {
      throw new KeyFileError(
        'private_key_missing',
        `${path} is missing, and the cells cannot be opened without it`,
      )
    }
    writeFirstEpoch(path, nowMs)
  } else if (!found.isFile()) {
    throw new KeyFileError('not_a_regular_file', `${path} must be a regular file, not a link`)
  } else if (process.platform !== 'win32' && (found.mode & 0o077) !== 0) {
    throw new KeyFileError('key_file_open_to_others', `${path} is open to other users: run chmod 600 ${path}`)
  }
  return parse(path)
}

function parse(path: string): KeyEncryptionKeys {
  let content: z.infer<typeof fileShape>
  try {
    content = fileShape.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    // The cause is left out: a parser's message may quote a key.
    throw new KeyFileError('key_file_broken', `${path} is not a file of key-encryption keys`)
  }
  const living = new Map<number, KeyObject>()
  for (const one of content.epochs) {
    if (one.state === 'living') living.set(one.epoch, createSecretKey(Buffer.from(one.keyBase64, 'base64')))
  }
  if (living.size === 0) throw new KeyFileError('private_key_missing', `${path} holds no living epoch`)
  const lookupKey = createSecretKey(Buffer.from(content.lookupKeyBase64, 'base64'))
  return { lookupKey, newestEpoch: Math.max(...living.keys()), living }
}

function writeFirstEpoch(path: string, nowMs: number): void {
  const content: z.infer<typeof fileShape> = {
    lookupKeyBase64: randomBytes(32).toString('base64'),
    epochs: [
      { epoch: 1, state: 'living', keyBase64: randomBytes(32).toString('base64'), createdAtMs: nowMs },
    ],
  }
  writeSecretFile(path, `${JSON.stringify(content, null, 2)}\n`)
}
