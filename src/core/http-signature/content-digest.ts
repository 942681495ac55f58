import { createHash, timingSafeEqual } from 'node:crypto'
import { parseDictionary } from './structured-fields.ts'

const HASHES: Readonly<Record<string, string>> = { 'sha-256': 'sha256', 'sha-512': 'sha512' }

/** The `Content-Digest` of these bytes, by SHA-256 (RFC 9530 section 2). */
export function contentDigest(body: Uint8Array): string {
  return `sha-256=:${createHash('sha256').update(body).digest('base64')}:`
}

/**
 * Whether a `Content-Digest` is of these bytes: every digest in it that is known here must be right, and there must be
 * one. RFC 9530 section 2 lets a receiver ignore algorithms it does not know.
 */
export function isDigestOf(header: string, body: Uint8Array): boolean {
  const members = parseDictionary(header)
  if (!members) return false
  let known = 0
  for (const [name, { value }] of members) {
    const hash = HASHES[name]
    if (hash === undefined) continue
    if (!(value instanceof Uint8Array)) return false
    const expected = createHash(hash).update(body).digest()
    if (value.length !== expected.length || !timingSafeEqual(value, expected)) return false
    known += 1
  }
  return known > 0
}
