import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { lstatSync, readFileSync } from 'node:fs'
import type { Pseudonyms } from '../ports/pseudonyms.ts'
import { KeyFileError } from './key-file.ts'
import { writeSecretFile } from './write-secret-file.ts'

const SECRET_BYTES = 32

/**
 * Opens the secret behind the broker's pseudonyms, and makes it where it may.
 *
 * @param mayCreate false when the store already holds actions: with another secret a call sent again would carry
 *   another broker key, and a skill would execute it twice.
 * @throws KeyFileError when the file is missing, broken or open to other users.
 */
export function openPseudonyms(path: string, mayCreate: boolean): Pseudonyms {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) {
    if (!mayCreate) {
      throw new KeyFileError('private_key_missing', `${path} is missing: restore it from a backup`)
    }
    writeSecretFile(path, `${randomBytes(SECRET_BYTES).toString('base64url')}\n`)
  } else if (!found.isFile()) {
    throw new KeyFileError('not_a_regular_file', `${path} must be a regular file, not a link`)
  } else if (process.platform !== 'win32' && (found.mode & 0o077) !== 0) {
    throw new KeyFileError('key_file_open_to_others', `${path} is open to other users: run chmod 600 ${path}`)
  }
  const secret = Buffer.from(readFileSync(path, 'utf8').trim(), 'base64url')
  if (secret.length !== SECRET_BYTES) {
    throw new KeyFileError('key_file_broken', `${path} must hold ${SECRET_BYTES} bytes in base64url`)
  }
  return createPseudonyms(createSecretKey(secret))
}

/**
 * Makes pseudonyms from one secret: HMAC-SHA256 (RFC 2104) over a tag and the names, each with its length before
 * it, so that no two lists of names and no two purposes ever share an input.
 */
export function createPseudonyms(secret: KeyObject): Pseudonyms {
  return {
    checkValue: () => pseudonym(secret, 'key-check', []),
    brokerKey: (userId, agentId, callerKey, attempt) =>
      pseudonym(secret, 'broker-key', [userId, agentId, callerKey, String(attempt)]),
    pairwiseUser: (userId, publisherId) => pseudonym(secret, 'pairwise-user', [userId, publisherId]),
    accountTag: (issuer, subject) => pseudonym(secret, 'account', [issuer, subject]),
    recipientTag: (userId, recipient) => pseudonym(secret, 'recipient', [userId, recipient]),
    formTag: (sessionId, fields) => pseudonym(secret, 'kept-form', [sessionId, fields]),
    userCodeTag: (userCode) => pseudonym(secret, 'user-code', [userCode]),
  }
}

function pseudonym(secret: KeyObject, purpose: string, names: readonly string[]): string {
  const hmac = createHmac('sha256', secret)
  for (const text of [`countersign/v1/${purpose}`, ...names]) {
    const length = Buffer.allocUnsafe(4)
    length.writeUInt32BE(Buffer.byteLength(text))
    hmac.update(length).update(text)
  }
  return hmac.digest('base64url')
}
