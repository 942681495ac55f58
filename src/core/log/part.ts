import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hash,
  type KeyObject,
} from 'node:crypto'

/** A part of a leaf as it is kept: the commitment goes into the leaf, the sealed bytes beside the log. */
export interface SealedPart {
  /** 32 bytes. */
  readonly commitment: Buffer
  /** AES-256-GCM ciphertext with its 16-byte tag at the end. */
  readonly sealed: Buffer
}

const HASH_BYTES = 32
const BLOCK_BYTES = 64
const TAG_BYTES = 16
// Each data key seals one message only, so the nonce need not differ.
const ZERO_NONCE = Buffer.alloc(12)
const PART_LABEL = lengthPrefixed('countersign/v1/part')
const AGAIN_LABEL = lengthPrefixed('countersign/v1/part-again')
const COMMIT_LABEL = lengthPrefixed('countersign/v1/commit')

/**
 * Seals one part of a leaf under its cell key and commits to it (DESIGN section 9).
 *
 * Sealing other bytes under the same cell, event and part would use a data key and nonce twice, which gives
 * the plaintexts away: an event id is new for every leaf, and nobody seals a part again.
 *
 * @param cellKey 32 secret bytes as a KeyObject, which the caller keeps: making one costs more than sealing.
 */
export function sealPart(cellKey: KeyObject, eventId: string, part: string, bytes: Uint8Array): SealedPart {
  const name = nameOf(eventId, part)
  const { salt, dataKey } = secretsOf(cellKey, name)
  const commitment = commit(salt, name, bytes)
  const cipher = createCipheriv('aes-256-gcm', createSecretKey(dataKey), ZERO_NONCE)
  cipher.setAAD(sealedHeader(name, commitment))
  const ciphertext = cipher.update(bytes)
  cipher.final()
  return { commitment, sealed: Buffer.concat([ciphertext, cipher.getAuthTag()], bytes.length + TAG_BYTES) }
}

/**
 * Opens a sealed part and checks it against its commitment; undefined if the key is another cell's or anything
 * was changed: the bytes, the event id, the part's name or the commitment.
 */
export function openPart(
  cellKey: KeyObject,
  eventId: string,
  part: string,
  { commitment, sealed }: SealedPart,
): Buffer | undefined {
  if (commitment.length !== HASH_BYTES || sealed.length < TAG_BYTES) return undefined
  const name = nameOf(eventId, part)
  const { salt, dataKey } = secretsOf(cellKey, name)
  const bytes = unseal(dataKey, name, commitment, sealed)
  if (bytes) return commit(salt, name, bytes).equals(commitment) ? bytes : undefined
  const again = unseal(againKey(cellKey, name), name, commitment, sealed)
  if (!again || again.length < HASH_BYTES) return undefined
  const [firstSalt, inner] = [again.subarray(0, HASH_BYTES), again.subarray(HASH_BYTES)]
  return commit(firstSalt, name, inner).equals(commitment) ? inner : undefined
}

/**
 * Seals a part that is sealed already under another cell, as when the first one has to be destroyed for other parts in
 * it. Its commitment stays what the leaf says: the salt goes along with the bytes. Doing it twice gives the same.
 *
 * @returns undefined if the part does not open under its cell.
 */
export function resealPart(
  from: KeyObject,
  into: KeyObject,
  eventId: string,
  part: string,
  row: SealedPart,
): SealedPart | undefined {
  const bytes = openPart(from, eventId, part, row)
  const salt = saltOfPart(from, eventId, part, row)
  if (!bytes || !salt) return undefined
  const name = nameOf(eventId, part)
  const cipher = createCipheriv('aes-256-gcm', createSecretKey(againKey(into, name)), ZERO_NONCE)
  cipher.setAAD(sealedHeader(name, row.commitment))
  const ciphertext = Buffer.concat([cipher.update(salt), cipher.update(bytes)])
  cipher.final()
  return { commitment: row.commitment, sealed: Buffer.concat([ciphertext, cipher.getAuthTag()]) }
}

/** The salt of a part's commitment, for whoever may see its bytes; undefined if it does not open. */
export function saltOfPart(
  cellKey: KeyObject,
  eventId: string,
  part: string,
  row: SealedPart,
): Buffer | undefined {
  const bytes = openPart(cellKey, eventId, part, row)
  if (!bytes) return undefined
  const name = nameOf(eventId, part)
  const { salt } = secretsOf(cellKey, name)
  return commit(salt, name, bytes).equals(row.commitment) ? salt : carriedSalt(cellKey, name, row)
}

function carriedSalt(
  cellKey: KeyObject,
  name: Buffer,
  { commitment, sealed }: SealedPart,
): Buffer | undefined {
  return unseal(againKey(cellKey, name), name, commitment, sealed)?.subarray(0, HASH_BYTES)
}

function againKey(cellKey: KeyObject, name: Buffer): Buffer {
  return createHmac('sha512', cellKey).update(AGAIN_LABEL).update(name).digest().subarray(HASH_BYTES)
}

function unseal(dataKey: Buffer, name: Buffer, commitment: Buffer, sealed: Buffer): Buffer | undefined {
  const tagAt = sealed.length - TAG_BYTES
  const decipher = createDecipheriv('aes-256-gcm', createSecretKey(dataKey), ZERO_NONCE, {
    authTagLength: TAG_BYTES,
  })
  decipher.setAAD(sealedHeader(name, commitment))
  decipher.setAuthTag(sealed.subarray(tagAt))
  const bytes = decipher.update(sealed.subarray(0, tagAt))
  try {
    decipher.final()
  } catch {
    // A wrong tag is all that `final` can throw for here, and it is an answer, not a defect.
    return undefined
  }
  return bytes
}

/**
 * The commitment to a part: HMAC-SHA256 under its salt. Whoever is shown bytes and salt can recompute it and
 * compare it with the leaf; without the salt it says nothing, not even which of two values it is.
 * @param salt 32 bytes.
 */
export function commitmentOf(salt: Uint8Array, eventId: string, part: string, bytes: Uint8Array): Buffer {
  return commit(salt, nameOf(eventId, part), bytes)
}

/** Derives salt and data key of one part: the two halves of an HMAC-SHA512 under the cell key. */
export function partSecrets(
  cellKey: KeyObject,
  eventId: string,
  part: string,
): { readonly salt: Buffer; readonly dataKey: Buffer } {
  return secretsOf(cellKey, nameOf(eventId, part))
}

function secretsOf(cellKey: KeyObject, name: Buffer): { salt: Buffer; dataKey: Buffer } {
  const both = createHmac('sha512', cellKey).update(PART_LABEL).update(name).digest()
  return { salt: both.subarray(0, HASH_BYTES), dataKey: both.subarray(HASH_BYTES) }
}

/**
 * HMAC-SHA256 (RFC 2104) by two one-shot hashes: six times faster than createHmac, which sets up a new key
 * object, and the salt is new for every part.
 */
function commit(salt: Uint8Array, name: Buffer, bytes: Uint8Array): Buffer {
  const nameAt = BLOCK_BYTES + COMMIT_LABEL.length
  const bytesAt = nameAt + name.length + 4
  const inner = Buffer.allocUnsafe(bytesAt + bytes.length)
  const outer = Buffer.allocUnsafe(BLOCK_BYTES + HASH_BYTES)
  inner.fill(0x36, 0, BLOCK_BYTES)
  outer.fill(0x5c, 0, BLOCK_BYTES)
  for (let i = 0; i < salt.length; i += 1) {
    const byte = salt[i] ?? 0
    inner[i] = byte ^ 0x36
    outer[i] = byte ^ 0x5c
  }
  inner.set(COMMIT_LABEL, BLOCK_BYTES)
  inner.set(name, nameAt)
  inner.writeUInt32BE(bytes.length, bytesAt - 4)
  inner.set(bytes, bytesAt)
  outer.set(hash('sha256', inner, 'buffer'), BLOCK_BYTES)
  return hash('sha256', outer, 'buffer')
}

/** What the seal authenticates besides the bytes: lp(event id) ‖ lp(part) ‖ lp(commitment). */
function sealedHeader(name: Buffer, commitment: Buffer): Buffer {
  const header = Buffer.allocUnsafe(name.length + 4 + HASH_BYTES)
  header.set(name)
  header.writeUInt32BE(HASH_BYTES, name.length)
  header.set(commitment, name.length + 4)
  return header
}

/** lp(event id) ‖ lp(part), which every step below binds. */
function nameOf(eventId: string, part: string): Buffer {
  const idBytes = Buffer.byteLength(eventId)
  const partBytes = Buffer.byteLength(part)
  const name = Buffer.allocUnsafe(8 + idBytes + partBytes)
  name.writeUInt32BE(idBytes, 0)
  name.write(eventId, 4)
  name.writeUInt32BE(partBytes, 4 + idBytes)
  name.write(part, 8 + idBytes)
  return name
}

/** Four bytes of length, big-endian, then the text in UTF-8. */
function lengthPrefixed(text: string): Buffer {
  const prefixed = Buffer.alloc(4 + Buffer.byteLength(text))
  prefixed.writeUInt32BE(prefixed.length - 4)
  prefixed.write(text, 4)
  return prefixed
}
