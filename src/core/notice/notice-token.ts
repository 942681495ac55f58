import { z } from 'zod'
import { type JwsFault, type VerificationKey, verifyCompactJws } from '../execution/compact-jws.ts'
import { NOTICE_REASONS, type NoticeReason, type NoticeScope } from './notice-scope.ts'

export const NOTICE_TYP = 'countersign-notice+jwt'
/** How a notice and its acknowledgement are sent: the compact JWS itself is the body (RFC 7519 section 10.3.1). */
export const NOTICE_MEDIA_TYPE = 'application/jwt'

/** Seconds one delivery of a notice is good for; the notice itself is delivered again and again until acknowledged. */
export const NOTICE_TTL_SECONDS = 300

const seconds = z.int().min(0)
const name = z.string().min(1).max(128)

/**
 * Claims of a deletion notice. Short names as in an action token; claims a verifier does not know are ignored, as RFC
 * 7519 section 4 asks.
 */
export const noticeClaims = z.object({
  /** The broker. */
  iss: z.string().min(1).max(300),
  /** The exact URL it is sent to. */
  aud: z.string().min(1).max(600),
  /** The person, by the id the skill's publisher knows them by. */
  sub: name,
  /** This delivery; another one of the same notice has another. */
  jti: name,
  iat: seconds,
  exp: seconds,
  /** The notice: the same in every delivery, so that it is carried out once. */
  ntc: name,
  skl: name,
  rsn: z.enum(NOTICE_REASONS),
  /** Memory classes, or everything the skill keeps of this person. */
  cls: z.union([z.literal('all'), z.array(z.string().min(1).max(64)).min(1).max(32)]),
  /** Only what these executions wrote (`exe` of their action tokens). */
  exe: z.array(name).min(1).max(500).optional(),
  /** Only what was to be kept until then at the latest (`ret` of the action tokens). */
  upt: seconds.optional(),
  /** By when it is to be done. */
  due: seconds,
  /** Leaf hash of this delivery, base64url, and the log's promise to include it. */
  lfh: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  prm: z.string().min(1).max(4096),
})
export type NoticeClaims = z.infer<typeof noticeClaims>

/** A notice whose signature, place and time were checked. */
export interface VerifiedNotice {
  readonly noticeId: string
  readonly deliveryId: string
  readonly expiresAtMs: number
  readonly issuer: string
  readonly skillId: string
  /** The person, by an id only this publisher sees. */
  readonly userId: string
  readonly reason: NoticeReason
  readonly scope: NoticeScope
  readonly dueAtMs: number
  readonly leafHash: string
  /** The log's promise, to be shown to others. */
  readonly promise: string
}

export interface NoticeExpectation {
  readonly issuer: string
  /** The URL that was called, as the manifest spells it. */
  readonly audience: string
  readonly keys: readonly VerificationKey[]
  readonly nowMs: number
  readonly clockSkewSeconds: number
}

export type NoticeFault =
  | JwsFault
  | 'invalid_claims'
  | 'wrong_issuer'
  | 'wrong_audience'
  | 'lifetime_too_long'
  | 'not_yet_valid'
  | 'expired'

export type NoticeVerdict =
  | { readonly ok: true; readonly notice: VerifiedNotice }
  | { readonly ok: false; readonly code: NoticeFault }

/** Verifies one delivery of a notice offline: by the broker's notice key, for exactly this URL, now. */
export function verifyNotice(token: string, expected: NoticeExpectation): NoticeVerdict {
  const signed = verifyCompactJws(token, { typ: NOTICE_TYP, purpose: 'notice', keys: expected.keys })
  if (!signed.ok) return signed
  const parsed = noticeClaims.safeParse(signed.payload)
  if (!parsed.success) return { ok: false, code: 'invalid_claims' }
  const claims = parsed.data
  if (claims.iss !== expected.issuer) return { ok: false, code: 'wrong_issuer' }
  if (claims.aud !== expected.audience) return { ok: false, code: 'wrong_audience' }
  if (claims.exp <= claims.iat || claims.exp - claims.iat > NOTICE_TTL_SECONDS)
    return { ok: false, code: 'lifetime_too_long' }
  if (claims.iat * 1000 > expected.nowMs + expected.clockSkewSeconds * 1000)
    return { ok: false, code: 'not_yet_valid' }
  const expiresAtMs = (claims.exp + expected.clockSkewSeconds) * 1000
  if (expected.nowMs >= expiresAtMs) return { ok: false, code: 'expired' }
  return { ok: true, notice: { ...toNotice(claims), expiresAtMs } }
}

function toNotice(claims: NoticeClaims): Omit<VerifiedNotice, 'expiresAtMs'> {
  return {
    noticeId: claims.ntc,
    deliveryId: claims.jti,
    issuer: claims.iss,
    skillId: claims.skl,
    userId: claims.sub,
    reason: claims.rsn,
    scope: {
      classes: claims.cls,
      ...(claims.exe === undefined ? {} : { executions: claims.exe }),
      ...(claims.upt === undefined ? {} : { untilMs: claims.upt * 1000 }),
    },
    dueAtMs: claims.due * 1000,
    leafHash: claims.lfh,
    promise: claims.prm,
  }
}
