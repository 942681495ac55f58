import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { z } from 'zod'

/** A key signatures are checked against. Its algorithm comes from the key, never from the token. */
export interface VerificationKey {
  readonly kid: string
  readonly alg: 'EdDSA' | 'ES256'
  /** `cs_purpose` of a broker key; undefined for a skill's runtime key. */
  readonly purpose: string | undefined
  readonly key: KeyObject
}

export type JwsFault =
  | 'malformed'
  | 'header_refused'
  | 'algorithm_refused'
  | 'wrong_type'
  | 'unknown_key'
  | 'wrong_purpose'
  | 'bad_signature'

export type JwsVerdict =
  | { readonly ok: true; readonly payload: unknown }
  | { readonly ok: false; readonly code: JwsFault }

/** Longer than any token of ours by far; parsing stops here. */
const MAX_TOKEN_CHARACTERS = 16_384
const SIGNATURE_BYTES = 64

/** Exactly these members: `jwk`, `jku`, `x5u`, `x5c`, `crit` and `b64` would let the token choose its own rules. */
const headerShape = z.strictObject({ alg: z.string(), typ: z.string(), kid: z.string().min(1).max(128) })

const publicJwk = z.object({
  kty: z.enum(['OKP', 'EC']),
  crv: z.enum(['Ed25519', 'P-256']),
  x: z.string(),
  y: z.string().optional(),
  kid: z.string().min(1).max(128),
  alg: z.enum(['EdDSA', 'ES256']).optional(),
  use: z.literal('sig').optional(),
  cs_purpose: z.string().optional(),
})

/**
 * Imports the Ed25519 and P-256 keys of a key set. Other keys, keys marked for encryption and keys whose `alg`
 * contradicts their curve are left out, as RFC 7517 section 5 asks; of two keys with one `kid` neither is taken.
 */
export function importVerificationKeys(jwks: readonly unknown[]): VerificationKey[] {
  const imported = jwks.flatMap((candidate) => importKey(candidate) ?? [])
  return imported.filter((key) => imported.filter((other) => other.kid === key.kid).length === 1)
}

function importKey(candidate: unknown): VerificationKey | undefined {
  const parsed = publicJwk.safeParse(candidate)
  if (!parsed.success) return undefined
  const { kty, crv, x, y, kid, cs_purpose: purpose } = parsed.data
  const alg = crv === 'Ed25519' ? 'EdDSA' : 'ES256'
  if ((kty === 'OKP') !== (crv === 'Ed25519')) return undefined
  if (parsed.data.alg !== undefined && parsed.data.alg !== alg) return undefined
  try {
    const key = createPublicKey({ format: 'jwk', key: { kty, crv, x, ...(y === undefined ? {} : { y }) } })
    return { kid, alg, purpose, key }
  } catch {
    return undefined // The coordinates are not a point of the curve.
  }
}

/**
 * Checks a compact JWS (RFC 7515) and returns its JSON payload. `purpose` must equal the key's `cs_purpose`, so
 * that a key for one kind of token is worthless for another (RFC 8725 sections 3.1, 3.11 and 3.12).
 */
export function verifyCompactJws(
  token: string,
  expected: {
    typ: string
    keys: readonly VerificationKey[]
    purpose?: string
    /** For what may be longer than a token. */
    charactersMost?: number
  },
): JwsVerdict {
  const parts = token.length <= (expected.charactersMost ?? MAX_TOKEN_CHARACTERS) ? token.split('.') : []
  const [headerPart, payloadPart, signaturePart] = parts
  if (parts.length !== 3 || !headerPart || !payloadPart || signaturePart === undefined)
    return fault('malformed')

  const headerText = decodeText(headerPart)
  const header = headerText === undefined ? undefined : parseJson(headerText)
  if (header === undefined || payloadPart === '') return fault('malformed')
  const parsed = headerShape.safeParse(header)
  if (!parsed.success) return fault('header_refused')
  const { alg, typ, kid } = parsed.data
  if (alg !== 'EdDSA' && alg !== 'ES256') return fault('algorithm_refused')
  if (typ !== expected.typ) return fault('wrong_type')

  const key = expected.keys.find((candidate) => candidate.kid === kid)
  if (!key) return fault('unknown_key')
  if (key.alg !== alg) return fault('algorithm_refused')
  if (key.purpose !== expected.purpose) return fault('wrong_purpose')

  if (!verifyJwsSignature(`${headerPart}.${payloadPart}`, signaturePart, key)) return fault('bad_signature')

  const payloadText = decodeText(payloadPart)
  const payload = payloadText === undefined ? undefined : parseJson(payloadText)
  return payload === undefined ? fault('malformed') : { ok: true, payload }
}

/** Whether the signature of a compact JWS was made over this input by this key, by the key's own algorithm. */
export function verifyJwsSignature(
  signingInput: string,
  signaturePart: string,
  key: VerificationKey,
): boolean {
  const signature = decodeBase64url(signaturePart)
  if (signature?.length !== SIGNATURE_BYTES) return false
  const signed = Buffer.from(signingInput, 'ascii')
  return key.alg === 'EdDSA'
    ? verify(null, signed, key.key, signature)
    : verify('sha256', signed, { key: key.key, dsaEncoding: 'ieee-p1363' }, signature)
}

/** What is signed for a compact JWS: base64url header, a dot, base64url payload. */
export function jwsSigningInput(header: { alg: string; kid: string; typ: string }, payload: object): string {
  return `${encodeJson(header)}.${encodeJson(payload)}`
}

function encodeJson(value: object): string {
  return Buffer.from(JSON.stringify(value), 'utf8').toString('base64url')
}

/** Decodes base64url without padding in its one canonical spelling, or undefined. */
export function decodeBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}

function decodeText(part: string): string | undefined {
  const bytes = decodeBase64url(part)
  if (!bytes) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function fault(code: JwsFault): JwsVerdict {
  return { ok: false, code }
}
