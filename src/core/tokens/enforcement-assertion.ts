import { z } from 'zod'
import {
  decodeBase64url,
  type JwsFault,
  type VerificationKey,
  verifyCompactJws,
} from '../execution/compact-jws.ts'
import { isId } from '../ids.ts'
import { audienceOf } from './access-token.ts'

/** `typ` of what an enforcement point signs to say who it is; no other token has it. */
export const ENFORCEMENT_ASSERTION_TYP = 'countersign-enforcement-point+jwt'
/** The longest life of one in seconds: it is signed anew, never stored. */
export const ASSERTION_TTL_SECONDS_MOST = 300
/** How far ahead of our clock its signer's may run, in seconds. */
const CLOCK_SKEW_SECONDS = 30

const pointId = z.string().refine((text) => isId('enforcementPoint', text))
const seconds = z.int().min(0)
const claimsShape = z.object({
  iss: pointId,
  sub: pointId,
  aud: z.string().max(400),
  jti: z.string().min(1).max(128),
  iat: seconds,
  exp: seconds,
})

export type AssertionFault =
  | JwsFault
  | 'invalid_claims'
  | 'wrong_audience'
  | 'lifetime_too_long'
  | 'not_yet_valid'
  | 'expired'

/** Whose assertion a token claims to be, from its unverified payload; undefined where it is none of an enforcement point. */
export function claimedPointOf(token: string): string | undefined {
  const [header, payload] = token.split('.').map(readJson)
  const typ = z.object({ typ: z.literal(ENFORCEMENT_ASSERTION_TYP) }).safeParse(header)
  const claims = z.object({ iss: pointId }).safeParse(payload)
  return typ.success && claims.success ? claims.data.iss : undefined
}

/**
 * Verifies what an enforcement point signed with a key of its own (RFC 7523 section 3, sent as the bearer token
 * itself). It says who calls and nothing else, for this broker and for minutes.
 */
export function verifyEnforcementAssertion(
  token: string,
  expected: { issuer: string; pointId: string; keys: readonly VerificationKey[]; nowMs: number },
): { ok: true } | { ok: false; code: AssertionFault } {
  const verdict = verifyCompactJws(token, { typ: ENFORCEMENT_ASSERTION_TYP, keys: expected.keys })
  if (!verdict.ok) return verdict
  const parsed = claimsShape.safeParse(verdict.payload)
  if (!parsed.success) return refused('invalid_claims')
  const { iss, sub, aud, iat, exp } = parsed.data
  if (iss !== expected.pointId || sub !== expected.pointId) return refused('invalid_claims')
  if (aud !== audienceOf(expected.issuer, 'enforcement_point')) return refused('wrong_audience')
  if (exp <= iat || exp - iat > ASSERTION_TTL_SECONDS_MOST) return refused('lifetime_too_long')
  if (expected.nowMs < (iat - CLOCK_SKEW_SECONDS) * 1000) return refused('not_yet_valid')
  return expected.nowMs < exp * 1000 ? { ok: true } : refused('expired')
}

function refused(code: AssertionFault) {
  return { ok: false, code } as const
}

function readJson(part: string): unknown {
  try {
    return JSON.parse(decodeBase64url(part)?.toString('utf8') ?? '')
  } catch {
    return undefined
  }
}
