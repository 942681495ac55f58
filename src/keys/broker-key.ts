import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { z } from 'zod'
import { KEY_PURPOSES, type KeyPurpose, type PublicBrokerKey } from '../ports/signer.ts'

const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/)

const publicShape = z.strictObject({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: coordinate,
  use: z.literal('sig'),
  alg: z.literal('EdDSA'),
  kid: coordinate,
  cs_purpose: z.enum(KEY_PURPOSES),
})

/** A key file's content: the public key, when it was made, and the private part while the key still signs. */
export const keyFileShape = publicShape.extend({ d: coordinate.optional(), cs_created_at_ms: z.int().min(0) })

export type KeyFileContent = z.infer<typeof keyFileShape>

/** RFC 7638 thumbprint of an Ed25519 key: base64url SHA-256 of its required members in order. */
export function ed25519Thumbprint(x: string): string {
  return createHash('sha256').update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`).digest('base64url')
}

export function generateBrokerKey(purpose: KeyPurpose, nowMs: number): KeyFileContent {
  const { privateKey } = generateKeyPairSync('ed25519')
  const { x, d } = z.object({ x: coordinate, d: coordinate }).parse(privateKey.export({ format: 'jwk' }))
  const kid = ed25519Thumbprint(x)
  return {
    kty: 'OKP',
    crv: 'Ed25519',
    x,
    d,
    use: 'sig',
    alg: 'EdDSA',
    kid,
    cs_purpose: purpose,
    cs_created_at_ms: nowMs,
  }
}

export function toPublicKey(content: KeyFileContent): PublicBrokerKey {
  const { d: _, cs_created_at_ms: __, ...published } = content
  return published
}

/** Imports the private part. Throws if it is absent or does not belong to the public part. */
export function toPrivateKey(content: KeyFileContent): KeyObject {
  const { kty, crv, x, d } = content
  if (d === undefined) throw new TypeError('not a private key')
  const key = createPrivateKey({ format: 'jwk', key: { kty, crv, x, d } })
  // OpenSSL derives the public part from `d`; a file whose `x` says otherwise would sign what nobody can verify.
  if (key.export({ format: 'jwk' }).x !== x)
    throw new TypeError('private and public part do not belong together')
  return key
}
