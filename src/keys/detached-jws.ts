import { FlattenedSign, flattenedVerify } from 'jose'
import type { PublicJwk } from '../core/manifest/public-key.ts'

/** The private half a publisher keeps. */
export type PrivateJwk = PublicJwk & { readonly d: string }

export type JwsFaultCode =
  | 'signature_malformed'
  | 'signature_header_refused'
  | 'signature_alg_refused'
  | 'signature_key_unknown'
  | 'signature_wrong'

export type JwsVerdict =
  | { readonly ok: true; readonly kid: string }
  | { readonly ok: false; readonly code: JwsFaultCode; readonly message: string }

/** Looks a living key up in the registry; a JWS never brings its own key. */
export type FindKey = (kid: string) => PublicJwk | undefined

const SEGMENT = /^[A-Za-z0-9_-]+$/
const HEADER_MEMBERS = ['alg', 'kid', 'typ']
const JWS_MAX_CHARS = 4096

/**
 * Signs bytes as a detached JWS in compact form, `header..signature` (RFC 7515 appendix F). The payload is
 * signed base64url-encoded as usual, not as RFC 7797: that would need `crit`, which verifiers here refuse.
 */
export async function signDetached(typ: string, bytes: Uint8Array, privateJwk: PrivateJwk): Promise<string> {
  const jws = await new FlattenedSign(bytes)
    .setProtectedHeader({ alg: privateJwk.alg, kid: privateJwk.kid, typ })
    .sign(privateJwk)
  return `${jws.protected}..${jws.signature}`
}

/**
 * Verifies a detached JWS whose protected header is exactly alg, kid and typ. The algorithm must be the one
 * the registered key is for, so `none`, HMAC with a public key and other tricks have no key to run on.
 */
export async function verifyDetached(
  typ: string,
  bytes: Uint8Array,
  jws: string,
  findKey: FindKey,
): Promise<JwsVerdict> {
  const parts = jws.length > JWS_MAX_CHARS ? [] : jws.split('.')
  const [encodedHeader, payload, signature] = parts
  if (parts.length !== 3 || payload !== '' || !isOneSpelling(encodedHeader) || !isOneSpelling(signature))
    return refused('signature_malformed', 'must be a detached JWS of the form header..signature in base64url')

  const header = parseHeader(encodedHeader)
  if (header === undefined || header.typ !== typ)
    return refused(
      'signature_header_refused',
      `the protected header must be exactly alg, kid and typ "${typ}"`,
    )
  const key = findKey(header.kid)
  if (key === undefined)
    return refused(
      'signature_key_unknown',
      `no living key ${header.kid.slice(0, 64)} is registered for this publisher`,
    )
  if (key.alg !== header.alg)
    return refused('signature_alg_refused', `the key ${key.kid} signs with ${key.alg} only`)

  try {
    const flattened = {
      protected: encodedHeader,
      payload: Buffer.from(bytes).toString('base64url'),
      signature,
    }
    await flattenedVerify(flattened, key, { algorithms: [key.alg] })
    return { ok: true, kid: key.kid }
  } catch {
    // jose throws for a bad signature and for nothing else once header and key are checked as above.
    return refused('signature_wrong', 'the signature does not belong to exactly these bytes and this key')
  }
}

/** base64url that decodes and encodes to itself: otherwise one signature could be written in several ways. */
function isOneSpelling(text: string | undefined): text is string {
  return (
    text !== undefined && SEGMENT.test(text) && Buffer.from(text, 'base64url').toString('base64url') === text
  )
}

/**
 * The header, if it is in the one form `signDetached` writes members in any order. Comparing with its own
 * serialization refuses duplicate members, which JSON.parse would silently merge.
 */
function parseHeader(encoded: string): { alg: string; kid: string; typ: string } | undefined {
  const json = Buffer.from(encoded, 'base64url').toString('utf8')
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  if (JSON.stringify(value) !== json) return undefined
  if (Object.keys(value).sort().join() !== HEADER_MEMBERS.join()) return undefined
  const { alg, kid, typ } = value as Record<string, unknown>
  if (typeof alg !== 'string' || typeof kid !== 'string' || typeof typ !== 'string') return undefined
  return { alg, kid, typ }
}

function refused(code: JwsFaultCode, message: string) {
  return { ok: false, code, message } as const
}
