import { type KeyObject, verify } from 'node:crypto'
import { isDigestOf } from './content-digest.ts'
import { type SignedMessage, signatureBase } from './signature-base.ts'
import { type InnerList, parseDictionary, serializeInnerList } from './structured-fields.ts'

/** What every event of the broker's is signed over, in this order. */
export const EVENT_COMPONENTS = ['@method', '@target-uri', 'content-digest', 'content-type'] as const
/** Says what the signature is for: one made for something else is refused, whoever made it. */
export const EVENT_TAG = 'countersign-event'
/** How long a signed request may be on its way, in seconds. Each attempt is signed anew. */
export const EVENT_SIGNATURE_SECONDS = 120

const SIGNATURE_BYTES = 64

export type SigningParameters = {
  /** Unix seconds. */
  readonly created: number
  readonly expires: number
  readonly nonce: string
  readonly keyid: string
  readonly tag: string
}

/** The signature input over these components (RFC 9421 section 2.3), to be signed with an Ed25519 key. */
export function signatureInput(components: readonly string[], parameters: SigningParameters): InnerList {
  const { created, expires, nonce, keyid, tag } = parameters
  return {
    value: components.map((name) => ({ value: name, parameters: new Map() })),
    parameters: new Map<string, string | number>([
      ['created', created],
      ['expires', expires],
      ['nonce', nonce],
      ['keyid', keyid],
      ['alg', 'ed25519'],
      ['tag', tag],
    ]),
  }
}

/** The two header fields that carry a signature. */
export function signatureHeaders(input: InnerList, signature: Uint8Array): Record<string, string> {
  return {
    'signature-input': `sig=${serializeInnerList(input)}`,
    signature: `sig=:${Buffer.from(signature).toString('base64')}:`,
  }
}

export type SignatureFault =
  | 'signature_missing'
  | 'signature_malformed'
  | 'not_covered'
  | 'wrong_tag'
  | 'wrong_algorithm'
  | 'unknown_key'
  | 'not_yet_valid'
  | 'expired'
  | 'lives_too_long'
  | 'digest_mismatch'
  | 'bad_signature'

export type SignatureVerdict =
  | { readonly ok: true; readonly nonce: string; readonly expiresAtMs: number; readonly keyid: string }
  | { readonly ok: false; readonly code: SignatureFault }

export type SignatureExpectation = {
  readonly tag: string
  readonly components: readonly string[]
  /** The key's own id names it; a key for another purpose is not found. */
  readonly findKey: (keyid: string) => KeyObject | undefined
  readonly nowMs: number
  readonly clockSkewSeconds: number
  /** The longest a signature may be good for, in seconds. */
  readonly secondsMost: number
}

/**
 * Checks the one signature of a request that has the expected tag (RFC 9421 section 3.2): that it covers at least
 * the expected components, was made by a key that is known for this, is neither old nor from the future, and that the body
 * is the one whose digest it covers. Whether its nonce was seen before is the caller's to ask.
 */
export function verifyEventSignature(
  message: SignedMessage,
  body: Uint8Array,
  expected: SignatureExpectation,
): SignatureVerdict {
  const inputs = dictionaryIn(message, 'signature-input')
  const signatures = dictionaryIn(message, 'signature')
  if (inputs === 'missing' || signatures === 'missing') return refused('signature_missing')
  if (!inputs || !signatures) return refused('signature_malformed')

  const tagged = [...inputs].filter(([, { parameters }]) => parameters.get('tag') === expected.tag)
  const [label, input] = tagged[0] ?? []
  if (label === undefined || !input) return refused('wrong_tag')
  // Two signatures under one tag would let a middle man put the one that is looked at beside the one that was meant.
  const signature = signatures.get(label)?.value
  if (tagged.length > 1 || !Array.isArray(input.value) || !(signature instanceof Uint8Array))
    return refused('signature_malformed')
  return verifyOne(message, body, input as InnerList, signature, expected)
}

function verifyOne(
  message: SignedMessage,
  body: Uint8Array,
  input: InnerList,
  signature: Uint8Array,
  expected: SignatureExpectation,
): SignatureVerdict {
  const covered = new Set(input.value.map(({ value }) => value))
  if (expected.components.some((name) => !covered.has(name))) return refused('not_covered')
  const { created, expires, nonce, keyid, alg } = Object.fromEntries(input.parameters)
  if (typeof created !== 'number' || typeof expires !== 'number' || typeof nonce !== 'string')
    return refused('signature_malformed')
  if (typeof keyid !== 'string' || nonce.length < 16 || nonce.length > 128)
    return refused('signature_malformed')
  // The algorithm is the key's; a signature that names another was not made for it.
  if (alg !== undefined && alg !== 'ed25519') return refused('wrong_algorithm')

  const nowSeconds = expected.nowMs / 1000
  if (created > nowSeconds + expected.clockSkewSeconds) return refused('not_yet_valid')
  if (expires <= nowSeconds - expected.clockSkewSeconds) return refused('expired')
  if (expires - created > expected.secondsMost) return refused('lives_too_long')

  const key = expected.findKey(keyid)
  if (!key) return refused('unknown_key')
  const base = signatureBase(message, input)
  if (base === undefined) return refused('not_covered')
  if (key.asymmetricKeyType !== 'ed25519') return refused('wrong_algorithm')
  if (signature.length !== SIGNATURE_BYTES || !verify(null, Buffer.from(base), key, signature))
    return refused('bad_signature')
  const digest = message.headers['content-digest']
  if (typeof digest !== 'string' || !isDigestOf(digest, body)) return refused('digest_mismatch')
  const expiresAtMs = (expires + expected.clockSkewSeconds) * 1000
  return { ok: true, nonce, keyid, expiresAtMs }
}

function dictionaryIn({ headers }: SignedMessage, name: string) {
  const value = headers[name]
  if (value === undefined) return 'missing'
  return parseDictionary(typeof value === 'string' ? value : value.join(', '))
}

function refused(code: SignatureFault): SignatureVerdict {
  return { ok: false, code }
}
