import { createHash, createPublicKey } from 'node:crypto'
import { z } from 'zod'

const COORDINATE = /^[A-Za-z0-9_-]{43}$/

const ed25519 = z.strictObject({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string().regex(COORDINATE),
  kid: z.string().regex(COORDINATE),
  alg: z.literal('EdDSA'),
  use: z.literal('sig').exactOptional(),
})
const p256 = z.strictObject({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string().regex(COORDINATE),
  y: z.string().regex(COORDINATE),
  kid: z.string().regex(COORDINATE),
  alg: z.literal('ES256'),
  use: z.literal('sig').exactOptional(),
})
export const publicJwkShape = z.discriminatedUnion('kty', [ed25519, p256])
/** A public key that signs manifests or a skill's answers; its kid is its RFC 7638 thumbprint. */
export type PublicJwk = z.infer<typeof publicJwkShape>

export type PublicJwkFault = {
  readonly code: 'private_key_given' | 'not_a_public_key' | 'not_on_curve' | 'kid_not_thumbprint'
  readonly message: string
}

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/**
 * Parses a public Ed25519 or P-256 key. A key with private members is refused before anything else, so that
 * whoever sent it learns that it is no longer a secret.
 */
export function parsePublicJwk(
  value: unknown,
): { readonly ok: true; readonly jwk: PublicJwk } | { readonly ok: false; readonly fault: PublicJwkFault } {
  if (
    typeof value === 'object' &&
    value !== null &&
    PRIVATE_MEMBERS.some((name) => Object.hasOwn(value, name))
  )
    return refused('private_key_given', 'this is a private key: treat it as leaked and generate another one')
  const parsed = publicJwkShape.safeParse(value)
  if (!parsed.success)
    return refused(
      'not_a_public_key',
      'must be a JWK with exactly kty, crv, x (and y), kid, alg and perhaps use "sig"; Ed25519 with EdDSA or P-256 with ES256',
    )
  const jwk = parsed.data
  if (!isCanonicalPoint(jwk)) return refused('not_on_curve', `the coordinates are not a point of ${jwk.crv}`)
  if (thumbprintOf(jwk) !== jwk.kid)
    return refused('kid_not_thumbprint', `kid must be the RFC 7638 thumbprint ${thumbprintOf(jwk)}`)
  return { ok: true, jwk }
}

/** The RFC 7638 SHA-256 thumbprint, base64url: the required members in alphabetical order, nothing else. */
export function thumbprintOf(jwk: Omit<PublicJwk, 'kid' | 'alg' | 'use'> & { y?: string }): string {
  const members =
    jwk.kty === 'EC'
      ? { crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y }
      : { crv: jwk.crv, kty: jwk.kty, x: jwk.x }
  return createHash('sha256').update(JSON.stringify(members)).digest('base64url')
}

/** True when the coordinates are spelled the one way base64url allows, and OpenSSL accepts the point. */
function isCanonicalPoint(jwk: PublicJwk): boolean {
  const coordinates = jwk.kty === 'EC' ? [jwk.x, jwk.y] : [jwk.x]
  if (coordinates.some((text) => Buffer.from(text, 'base64url').toString('base64url') !== text)) return false
  try {
    createPublicKey({ key: jwk, format: 'jwk' })
    return true
  } catch {
    return false
  }
}

function refused(code: PublicJwkFault['code'], message: string) {
  return { ok: false, fault: { code, message } } as const
}
