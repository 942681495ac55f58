import { createPublicKey, hash, type KeyObject } from 'node:crypto'
import { decodeBase64 } from './strict-text.ts'

/** Signature types of c2sp.org/signed-note that are understood here. */
export const ED25519 = 0x01
export const ED25519_COSIGNATURE = 0x04

/** A public key notes are verified with. Name and id together identify it. */
export interface NoteKey {
  readonly name: string
  readonly type: number
  /** First four bytes of the key hash, as eight lower-case hex digits. */
  readonly keyId: string
  /** 32 bytes, RFC 8032. */
  readonly publicKey: Buffer
  readonly keyObject: KeyObject
}

/**
 * Makes the key that verifies notes signed under `name`.
 * @throws RangeError if the name is not a key name, the type unknown or the key not 32 bytes.
 */
export function noteKey(name: string, publicKey: Uint8Array, type: number = ED25519): NoteKey {
  if (!isKeyName(name)) throw new RangeError('a key name is not empty and has no space and no plus sign')
  if (type !== ED25519 && type !== ED25519_COSIGNATURE) throw new RangeError(`unknown signature type ${type}`)
  if (publicKey.length !== 32) throw new RangeError('an Ed25519 public key has 32 bytes')
  const bytes = Buffer.from(publicKey)
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: bytes.toString('base64url') }
  const keyObject = createPublicKey({ key: jwk, format: 'jwk' })
  return { name, type, keyId: keyIdOf(name, type, bytes), publicKey: bytes, keyObject }
}

/** The key id: SHA-256(name ‖ newline ‖ type ‖ public key), first four bytes, in hex (c2sp.org/signed-note). */
export function keyIdOf(name: string, type: number, publicKey: Uint8Array): string {
  const input = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(type), publicKey])
  return hash('sha256', input, 'hex').slice(0, 8)
}

/** Prints a key as `name+hex8(id)+base64(type ‖ key)`, the form auditors configure. */
export function formatVkey(key: Pick<NoteKey, 'name' | 'type' | 'publicKey'>): string {
  const encoded = Buffer.concat([Buffer.of(key.type), key.publicKey]).toString('base64')
  return `${key.name}+${keyIdOf(key.name, key.type, key.publicKey)}+${encoded}`
}

/** Parses a vkey; undefined unless its id matches its key and its type is one that is understood. */
export function parseVkey(vkey: string): NoteKey | undefined {
  // The base64 may hold plus signs; the name may not, so the first two separate.
  const [, name, keyId, encoded] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/s.exec(vkey) ?? []
  if (name === undefined || encoded === undefined || !isKeyName(name)) return undefined
  const bytes = decodeBase64(encoded)
  const type = bytes?.[0]
  if (bytes?.length !== 33 || (type !== ED25519 && type !== ED25519_COSIGNATURE)) return undefined
  const publicKey = bytes.subarray(1)
  return keyIdOf(name, type, publicKey) === keyId ? noteKey(name, publicKey, type) : undefined
}

/** Key names are not empty, are well-formed Unicode and hold no space, control character or plus sign. */
export function isKeyName(name: string): boolean {
  // \s lacks U+0085, which Unicode counts as a space. The range below U+0020 holds the control characters.
  return name !== '' && name.isWellFormed() && !/[\s\u0085+]/u.test(name) && !hasControlCharacter(name)
}

/** Finds characters below U+0020; a newline counts too. */
export function hasControlCharacter(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) < 0x20) return true
  return false
}
