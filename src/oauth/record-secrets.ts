import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'

const NONCE_BYTES = 12
const TAG_BYTES = 16

/** What a record is found by: the SHA-256 of the secret that its holder shows. */
export function recordKeyOf(secret: string): string {
  return createHash('sha256').update(`countersign/v1/oauth-record\n${secret}`).digest('base64url')
}

/**
 * Seals a record under the secret that finds it, with AES-256-GCM. The secret itself is kept nowhere, so a copy of
 * the database opens nothing. Only for secrets of 120 random bits or more.
 */
export function sealPayload(secret: string, text: string): string {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', payloadKey(secret), nonce)
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url')
}

/** Opens what `sealPayload` made. @throws Error if it was sealed under another secret or changed. */
export function openPayload(secret: string, sealed: string): string {
  const bytes = Buffer.from(sealed, 'base64url')
  const decipher = createDecipheriv('aes-256-gcm', payloadKey(secret), bytes.subarray(0, NONCE_BYTES))
  decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
  const opened = decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES))
  return Buffer.concat([opened, decipher.final()]).toString('utf8')
}

/** Another hash than the one that is stored: whoever reads that one learns nothing of this one. */
function payloadKey(secret: string): Buffer {
  return createHash('sha256').update(`countersign/v1/oauth-payload\n${secret}`).digest()
}
