import { z } from 'zod'
import { type JwsFault, type VerificationKey, verifyCompactJws } from '../execution/compact-jws.ts'

export const ACKNOWLEDGEMENT_TYP = 'countersign-notice-ack+jwt'

const name = z.string().min(1).max(128)
const code = z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, 'must be snake_case')

/** What a skill may say to a notice. */
const ANSWERS = ['deleted', 'refused', 'kept'] as const

/**
 * A skill's signed word on one notice. `kept` says that a law makes it keep something, and which; `refused` that it does
 * not do as it is told.
 */
export const acknowledgementClaims = z
  .strictObject({
    /** The broker it is for. */
    aud: z.string().min(1).max(300),
    /** The notice. */
    ntc: name,
    skl: name,
    /** The person, as the notice named them. */
    sub: name,
    sts: z.enum(ANSWERS),
    /** Why, for `refused` and `kept`. */
    code: code.optional(),
    /** The same in words a person is shown; for `kept` the legal reason. */
    why: z.string().min(1).max(300).optional(),
    iat: z.int().min(0),
  })
  .refine(({ sts, code }) => (sts === 'deleted') === (code === undefined), 'code goes with refused and kept')
  .refine(({ sts, why }) => sts !== 'kept' || why !== undefined, 'kept needs a reason')

export type AcknowledgementClaims = z.infer<typeof acknowledgementClaims>

export interface AcknowledgementExpectation {
  readonly issuer: string
  readonly noticeId: string
  readonly skillId: string
  /** The person's pairwise id. */
  readonly userId: string
  /** The notice was not sent before this; an older statement cannot speak of it. */
  readonly sentAtMs: number
  readonly nowMs: number
}

export type AcknowledgementFault = JwsFault | 'invalid_claims' | 'other_notice' | 'other_time'

export type AcknowledgementVerdict =
  | { readonly ok: true; readonly claims: AcknowledgementClaims }
  | { readonly ok: false; readonly code: AcknowledgementFault }

/** Seconds a skill's clock may be off in either direction. */
const CLOCK_TOLERANCE_SECONDS = 300

/**
 * Verifies a skill's answer with the runtime keys its manifest names, and that it speaks of exactly this notice: one that
 * was given to another notice, or for another person, acknowledges nothing.
 */
export function verifyAcknowledgement(
  token: string,
  runtimeKeys: readonly VerificationKey[],
  expected: AcknowledgementExpectation,
): AcknowledgementVerdict {
  const verdict = verifyCompactJws(token, { typ: ACKNOWLEDGEMENT_TYP, keys: runtimeKeys })
  if (!verdict.ok) return verdict
  const parsed = acknowledgementClaims.safeParse(verdict.payload)
  if (!parsed.success) return { ok: false, code: 'invalid_claims' }
  const claims = parsed.data
  const isSame =
    claims.ntc === expected.noticeId &&
    claims.skl === expected.skillId &&
    claims.sub === expected.userId &&
    claims.aud === expected.issuer
  if (!isSame) return { ok: false, code: 'other_notice' }
  const earliest = Math.floor(expected.sentAtMs / 1000) - CLOCK_TOLERANCE_SECONDS
  const latest = Math.ceil(expected.nowMs / 1000) + CLOCK_TOLERANCE_SECONDS
  if (claims.iat < earliest || claims.iat > latest) return { ok: false, code: 'other_time' }
  return { ok: true, claims }
}
