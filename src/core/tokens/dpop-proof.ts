import { createHash } from 'node:crypto'
import { z } from 'zod'
import { decodeBase64url, importVerificationKeys, verifyJwsSignature } from '../execution/compact-jws.ts'
import { thumbprintOf } from '../manifest/public-key.ts'
import { parseStrictJsonBytes } from '../strict-json.ts'

/** How old a proof may be, and how far ahead of our clock, in milliseconds (RFC 9449 section 11.1). */
export const DPOP_AGE_MS_MOST = 60_000
const DPOP_AHEAD_MS_MOST = 5_000
const MAX_PROOF_CHARACTERS = 4_096
const LIMITS = { maxBytes: MAX_PROOF_CHARACTERS, maxDepth: 4, maxMembers: 40 }

const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
/** Only public members: a proof that carries a private key gives the key away. */
const keyShape = z.discriminatedUnion('kty', [
  z.strictObject({
    kty: z.literal('OKP'),
    crv: z.literal('Ed25519'),
    x: coordinate,
    alg: z.enum(['EdDSA', 'Ed25519']).exactOptional(),
    kid: z.string().max(128).exactOptional(),
    use: z.literal('sig').exactOptional(),
  }),
  z.strictObject({
    kty: z.literal('EC'),
    crv: z.literal('P-256'),
    x: coordinate,
    y: coordinate,
    alg: z.literal('ES256').exactOptional(),
    kid: z.string().max(128).exactOptional(),
    use: z.literal('sig').exactOptional(),
  }),
])
const headerShape = z.strictObject({
  typ: z.literal('dpop+jwt'),
  /** Ed25519 is the same under its newer name (RFC 9864). */
  alg: z.enum(['EdDSA', 'Ed25519', 'ES256']),
  jwk: keyShape,
})
const claimsShape = z.object({
  jti: z.string().min(8).max(128),
  htm: z.string().min(1).max(16),
  htu: z.string().min(1).max(2_000),
  iat: z.int().min(0),
  ath: coordinate,
})

export type DpopFault =
  | 'malformed'
  | 'header_refused'
  | 'bad_signature'
  | 'wrong_key'
  | 'invalid_claims'
  | 'wrong_method'
  | 'wrong_url'
  | 'wrong_token'
  | 'proof_expired'

export type DpopVerdict =
  | {
      readonly ok: true
      readonly proofId: string
      readonly issuedAtMs: number
      readonly expiresAtMs: number
    }
  | { readonly ok: false; readonly code: DpopFault }

export type DpopExpectation = {
  readonly method: string
  /** The URL that was called, as the public sees it, without query and fragment. */
  readonly url: string
  readonly accessToken: string
  /** `cnf.jkt` of the access token. */
  readonly boundTo: string
  readonly nowMs: number
}

/**
 * Checks a DPoP proof (RFC 9449 section 4.3) but for its replay: the caller refuses a `proofId` seen before
 * `expiresAtMs`. The key comes with the proof, so nothing is proved until its thumbprint is the token's.
 */
export function verifyDpopProof(proof: string, expected: DpopExpectation): DpopVerdict {
  const parts = proof.length <= MAX_PROOF_CHARACTERS ? proof.split('.') : []
  const [headerPart, payloadPart, signaturePart] = parts
  if (parts.length !== 3 || !headerPart || !payloadPart || !signaturePart) return fault('malformed')
  const header = headerShape.safeParse(parsePart(headerPart))
  if (!header.success) return fault('header_refused')
  const { jwk, alg } = header.data
  if ((jwk.kty === 'OKP') === (alg === 'ES256')) return fault('header_refused')
  const thumbprint = thumbprintOf(jwk)
  if (thumbprint !== expected.boundTo) return fault('wrong_key')
  const [key] = importVerificationKeys([{ ...jwk, kid: thumbprint }])
  if (!key) return fault('header_refused')
  if (!verifyJwsSignature(`${headerPart}.${payloadPart}`, signaturePart, key)) return fault('bad_signature')

  const claims = claimsShape.safeParse(parsePart(payloadPart))
  if (!claims.success) return fault('invalid_claims')
  const { jti, htm, htu, iat, ath } = claims.data
  if (htm !== expected.method) return fault('wrong_method')
  if (withoutQuery(htu) !== expected.url) return fault('wrong_url')
  if (ath !== tokenHash(expected.accessToken)) return fault('wrong_token')
  const issuedAtMs = iat * 1000
  const ageMs = expected.nowMs - issuedAtMs
  if (ageMs > DPOP_AGE_MS_MOST || ageMs < -DPOP_AHEAD_MS_MOST) return fault('proof_expired')
  const expiresAtMs = issuedAtMs + DPOP_AGE_MS_MOST + 1_000
  return { ok: true, proofId: `${thumbprint}.${jti}`, issuedAtMs, expiresAtMs }
}

/** The `ath` of a token: base64url SHA-256 of its ASCII (RFC 9449 section 4.2). */
export function tokenHash(accessToken: string): string {
  return createHash('sha256').update(accessToken, 'ascii').digest('base64url')
}

/** Normalized as RFC 3986 section 6.2 has it, and without query and fragment. */
function withoutQuery(text: string): string {
  if (!URL.canParse(text)) return ''
  const { origin, pathname } = new URL(text)
  return `${origin}${pathname}`
}

function parsePart(part: string): unknown {
  const bytes = decodeBase64url(part)
  if (!bytes) return undefined
  const parsed = parseStrictJsonBytes(bytes, LIMITS)
  return parsed.ok ? parsed.value : undefined
}

function fault(code: DpopFault): DpopVerdict {
  return { ok: false, code }
}
