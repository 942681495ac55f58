import { createSecretKey, randomBytes } from 'node:crypto'
import { lstatSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import type { EpochKeySet, EpochKeys } from '../ports/epoch-keys.ts'
import { KeyFileError } from './key-file.ts'
import { clearSecretRests, replaceSecretFile, writeSecretFile } from './write-secret-file.ts'

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
  lookupKeyBase64: key32,
  epochs: z.array(epochShape).min(1),
})
type KekFile = z.infer<typeof fileShape>

/**
 * Opens the file of the key-encryption keys, and makes it with its first epoch where it may.
 *
 * The file belongs in no backup: whoever has an old copy of it and of the cells could open what was erased.
 *
 * @param mayCreate false when cells exist already: a new key could open none of them.
 * @throws KeyFileError when the file is missing, broken or open to other users.
 */
export function openKekFile(path: string, mayCreate: boolean, nowMs: number): EpochKeys {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) {
    if (!mayCreate) {
      throw new KeyFileError(
        'private_key_missing',
        `${path} is missing, and the cells cannot be opened without it`,
      )
    }
    writeFirstEpoch(path, nowMs)
  }
  let keys = toKeySet(path, readKekFile(path))

  function change(epochs: (before: KekFile['epochs']) => KekFile['epochs']): EpochKeySet {
    const before = readKekFile(path)
    const after = epochs(before.epochs)
    if (after !== before.epochs) replaceSecretFile(path, textOf({ ...before, epochs: after }))
    else clearSecretRests(path)
    keys = toKeySet(path, readKekFile(path))
    return keys
  }

  return {
    current: () => keys,
    async reread() {
      keys = toKeySet(path, readKekFile(path))
      return keys
    },
    async begin(epoch, createdAtMs) {
      return change((before) =>
        before.some((one) => one.epoch >= epoch)
          ? before
          : [...before, { epoch, state: 'living', keyBase64: newKey(), createdAtMs }],
      )
    },
    async destroy(epochs) {
      return change((before) =>
        before.some((one) => one.state === 'living' && epochs.includes(one.epoch))
          ? before.map((one) =>
              epochs.includes(one.epoch)
                ? { epoch: one.epoch, state: 'destroyed', createdAtMs: one.createdAtMs }
                : one,
            )
          : before,
      )
    },
  }
}

/** Reads the keys for looking only. @throws KeyFileError as `openKekFile` does. */
export function readEpochKeys(path: string): EpochKeySet {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined)
    throw new KeyFileError('private_key_missing', `${path} is missing`)
  return toKeySet(path, readKekFile(path))
}

function readKekFile(path: string): KekFile {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (!found?.isFile())
    throw new KeyFileError('not_a_regular_file', `${path} must be a regular file, not a link`)
  if (process.platform !== 'win32' && (found.mode & 0o077) !== 0)
    throw new KeyFileError('key_file_open_to_others', `${path} is open to other users: run chmod 600 ${path}`)
  try {
    return fileShape.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    // The cause is left out: a parser's message may quote a key.
    throw new KeyFileError('key_file_broken', `${path} is not a file of key-encryption keys`)
  }
}

function toKeySet(path: string, { lookupKeyBase64, epochs }: KekFile): EpochKeySet {
  const living = epochs.filter((one) => one.state === 'living')
  if (living.length === 0) throw new KeyFileError('private_key_missing', `${path} holds no living epoch`)
  return {
    lookupKey: createSecretKey(Buffer.from(lookupKeyBase64, 'base64')),
    newestEpoch: Math.max(...living.map(({ epoch }) => epoch)),
    living: new Map(living.map((one) => [one.epoch, createSecretKey(Buffer.from(one.keyBase64, 'base64'))])),
    begunAtMs: new Map(living.map(({ epoch, createdAtMs }) => [epoch, createdAtMs])),
  }
}

function writeFirstEpoch(path: string, createdAtMs: number): void {
  writeSecretFile(
    path,
    textOf({
      lookupKeyBase64: newKey(),
      epochs: [{ epoch: 1, state: 'living', keyBase64: newKey(), createdAtMs }],
    }),
  )
}

function newKey(): string {
  return randomBytes(32).toString('base64')
}

function textOf(content: KekFile): string {
  return `${JSON.stringify(content, null, 2)}\n`
}
