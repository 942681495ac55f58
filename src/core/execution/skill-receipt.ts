import { z } from 'zod'
import { type JwsFault, type VerificationKey, verifyCompactJws } from './compact-jws.ts'

export const SKILL_RECEIPT_TYP = 'countersign-skill-receipt+jwt'

const name = z.string().min(1).max(128)

/**
 * A skill's own signed word on one execution. `not_found` says that the skill never had it and never will, so
 * money may be released; `pending` settles nothing.
 */
export const skillReceiptClaims = z
  .strictObject({
    exe: name,
    /** Base64url SHA-256 of the bytes the skill was sent for that execution. */
    bod: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
    skl: name,
    act: name,
    status: z.enum(['succeeded', 'refused', 'not_found', 'pending']),
    /** What was really taken, in minor units of `cur`; both or neither. */
    amt: z.int().min(0).optional(),
    cur: z
      .string()
      .regex(/^[A-Z]{3}$/)
      .optional(),
    iat: z.int().min(0),
  })
  .refine((claims) => (claims.amt === undefined) === (claims.cur === undefined), 'amt and cur go together')

export type SkillReceiptClaims = z.infer<typeof skillReceiptClaims>

/** One call as a skill saw it: the bytes it was sent, and for which action. */
interface CallSeen {
  readonly bodyDigest: string
  readonly action: string
}

export interface SkillReceiptExpectation extends CallSeen {
  readonly executionId: string
  readonly skillId: string
  /** The call that asked: a skill that never got the first one knows no other to speak of when it says `not_found`. */
  readonly askedBy?: CallSeen
  /** The execution was not dispatched before this; an older statement cannot speak of it. */
  readonly dispatchedAtMs: number
  readonly nowMs: number
}

export type SkillReceiptFault = JwsFault | 'invalid_claims' | 'other_execution' | 'other_time'

export type SkillReceiptVerdict =
  | { readonly ok: true; readonly receipt: SkillReceiptClaims }
  | { readonly ok: false; readonly code: SkillReceiptFault }

/** Seconds a skill's clock may be off in either direction. */
const CLOCK_TOLERANCE_SECONDS = 300

/**
 * Verifies a skill's statement with the runtime keys its manifest names, and that it speaks of exactly this
 * execution and these bytes: a receipt for a cheaper order must not settle a dearer one.
 */
export function verifySkillReceipt(
  token: string,
  runtimeKeys: readonly VerificationKey[],
  expected: SkillReceiptExpectation,
): SkillReceiptVerdict {
  const verdict = verifyCompactJws(token, { typ: SKILL_RECEIPT_TYP, keys: runtimeKeys })
  if (!verdict.ok) return verdict
  const parsed = skillReceiptClaims.safeParse(verdict.payload)
  if (!parsed.success) return { ok: false, code: 'invalid_claims' }

  const receipt = parsed.data
  const isOfCall = (call: CallSeen) => receipt.bod === call.bodyDigest && receipt.act === call.action
  const isNeverHad = receipt.status === 'not_found' && expected.askedBy && isOfCall(expected.askedBy)
  const isSame = receipt.exe === expected.executionId && receipt.skl === expected.skillId
  if (!isSame || !(isNeverHad || isOfCall(expected))) return { ok: false, code: 'other_execution' }

  const earliest = Math.floor(expected.dispatchedAtMs / 1000) - CLOCK_TOLERANCE_SECONDS
  const latest = Math.ceil(expected.nowMs / 1000) + CLOCK_TOLERANCE_SECONDS
  if (receipt.iat < earliest || receipt.iat > latest) return { ok: false, code: 'other_time' }
  return { ok: true, receipt }
}
