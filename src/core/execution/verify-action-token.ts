import type { z } from 'zod'
import {
  ACTION_TOKEN_TTL_SECONDS,
  ACTION_TOKEN_TYP,
  type ActionTokenClaims,
  actionTokenClaims,
  bodyDigest,
  type CallKind,
  PROMISE_TYP,
  type PromiseClaims,
  promiseClaims,
} from './action-token.ts'
import { type JwsFault, type VerificationKey, verifyCompactJws } from './compact-jws.ts'

/** What a skill knows without asking anyone. */
export interface ActionTokenExpectation {
  readonly issuer: string
  /** The URL that was called, as the manifest spells it. */
  readonly audience: string
  /** The body as received, before any parsing. */
  readonly body: Uint8Array
  readonly keys: readonly VerificationKey[]
  readonly nowMs: number
  readonly clockSkewSeconds: number
  /** How far ahead a promise may put its merge-by time; a promise for next year promises nothing. */
  readonly mergeDelaySecondsMax: number
  /** The log the promise must name, when the skill pins one. */
  readonly logOrigin?: string
}

/** One call whose every claim was checked. */
export interface VerifiedCall {
  readonly kind: CallKind
  readonly skillId: string
  readonly action: string
  readonly manifestDigest: string
  /** The user, by an id only this publisher sees. */
  readonly userId: string
  readonly brokerKey: string
  readonly executionId: string
  readonly amountMinor: number | undefined
  readonly currency: string | undefined
  readonly bodyDigest: string
  readonly tokenId: string
  readonly expiresAtMs: number
  /** Until when each memory class may be kept. */
  readonly retainUntilMs: ReadonlyMap<string, number>
  /** Keep this: it proves that the call was, or should have been, logged. */
  readonly leafHash: string
  readonly promise: PromiseClaims & { readonly token: string }
}

export type ActionTokenFault =
  | JwsFault
  | 'invalid_claims'
  | 'wrong_issuer'
  | 'wrong_audience'
  | 'lifetime_too_long'
  | 'not_yet_valid'
  | 'expired'
  | 'body_changed'
  | 'promise_invalid'
  | 'promise_mismatch'

export type ActionTokenVerdict =
  | { readonly ok: true; readonly call: VerifiedCall }
  | { readonly ok: false; readonly code: ActionTokenFault }

type Check = (claims: ActionTokenClaims, expected: ActionTokenExpectation) => boolean

/** What must not hold of the claims, in the order it is reported. */
const CLAIM_FAULTS: readonly (readonly [ActionTokenFault, Check])[] = [
  ['wrong_issuer', (claims, expected) => claims.iss !== expected.issuer],
  ['wrong_audience', (claims, expected) => claims.aud !== expected.audience],
  [
    'lifetime_too_long',
    (claims) => claims.exp <= claims.iat || claims.exp - claims.iat > ACTION_TOKEN_TTL_SECONDS,
  ],
  [
    'not_yet_valid',
    (claims, expected) => Math.max(claims.iat, claims.nbf ?? 0) * 1000 > latestStartMs(expected),
  ],
  ['expired', (claims, expected) => expected.nowMs >= (claims.exp + expected.clockSkewSeconds) * 1000],
  ['body_changed', (claims, expected) => claims.bod !== bodyDigest(expected.body)],
]

function latestStartMs(expected: ActionTokenExpectation): number {
  return expected.nowMs + expected.clockSkewSeconds * 1000
}

/**
 * Verifies an action token offline (P9): signature by the broker's action key, exact audience, time, the bytes it
 * speaks of, and the log's signed promise for the permit's leaf. Replays are the caller's to refuse.
 */
export function verifyActionToken(token: string, expected: ActionTokenExpectation): ActionTokenVerdict {
  const signed = readSigned(token, actionTokenClaims, { typ: ACTION_TOKEN_TYP, purpose: 'action' }, expected)
  if (!signed.ok) return signed
  const claims = signed.claims

  const broken = CLAIM_FAULTS.find(([, isBroken]) => isBroken(claims, expected))
  if (broken) return { ok: false, code: broken[0] }

  const promise = readSigned(claims.prm, promiseClaims, { typ: PROMISE_TYP, purpose: 'promise' }, expected)
  if (!promise.ok) return { ok: false, code: 'promise_invalid' }
  if (!promiseFits(promise.claims, claims, expected)) return { ok: false, code: 'promise_mismatch' }
  return { ok: true, call: toCall(claims, promise.claims, expected.clockSkewSeconds) }
}

function readSigned<Shape extends z.ZodType>(
  token: string,
  shape: Shape,
  kind: { typ: string; purpose: string },
  expected: ActionTokenExpectation,
): { ok: true; claims: z.infer<Shape> } | { ok: false; code: ActionTokenFault } {
  const verdict = verifyCompactJws(token, { ...kind, keys: expected.keys })
  if (!verdict.ok) return verdict
  const parsed = shape.safeParse(verdict.payload)
  return parsed.success ? { ok: true, claims: parsed.data } : { ok: false, code: 'invalid_claims' }
}

function promiseFits(
  promise: PromiseClaims,
  claims: ActionTokenClaims,
  expected: ActionTokenExpectation,
): boolean {
  if (promise.iss !== expected.issuer || promise.lfh !== claims.lfh) return false
  if (expected.logOrigin !== undefined && promise.org !== expected.logOrigin) return false
  return promise.mby <= claims.iat + expected.mergeDelaySecondsMax
}

function toCall(claims: ActionTokenClaims, promise: PromiseClaims, skewSeconds: number): VerifiedCall {
  return {
    kind: claims.kin,
    skillId: claims.skl,
    action: claims.act,
    manifestDigest: claims.mfd,
    userId: claims.sub,
    brokerKey: claims.key,
    executionId: claims.exe,
    amountMinor: claims.amt,
    currency: claims.cur,
    bodyDigest: claims.bod,
    tokenId: claims.jti,
    expiresAtMs: (claims.exp + skewSeconds) * 1000,
    retainUntilMs: new Map(Object.entries(claims.ret).map(([name, until]) => [name, until * 1000])),
    leafHash: claims.lfh,
    promise: { ...promise, token: claims.prm },
  }
}
