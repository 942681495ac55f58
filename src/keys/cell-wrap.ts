import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto'

const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Bytes of a wrapped cell key: nonce, 32 bytes of key, tag. */
export const WRAPPED_BYTES = NONCE_BYTES + 32 + TAG_BYTES

/** Wraps a cell key (AES-256-GCM) so that it opens only under this key-encryption key and for this cell. */
export function wrapCellKey(kek: KeyObject, cellId: string, cellKey: Buffer): Buffer {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', kek, nonce)
  cipher.setAAD(Buffer.from(cellId))
  return Buffer.concat([nonce, cipher.update(cellKey), cipher.final(), cipher.getAuthTag()])
}

/** Unwraps a cell key; undefined if it was wrapped by another key, for another cell, or changed. */
export function unwrapCellKey(kek: KeyObject, cellId: string, wrapped: Buffer): Buffer | undefined {
  if (wrapped.length !== WRAPPED_BYTES) return undefined
  const tagAt = WRAPPED_BYTES - TAG_BYTES
  const decipher = createDecipheriv('aes-256-gcm', kek, wrapped.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
  decipher.setAAD(Buffer.from(cellId))
  decipher.setAuthTag(wrapped.subarray(tagAt))
  const cellKey = decipher.update(wrapped.subarray(NONCE_BYTES, tagAt))
  try {
    decipher.final()
  } catch {
    // A wrong tag is all that `final` can throw for here, and it is an answer, not a defect.
    return undefined
  }
  return cellKey
}
