import { createHash } from 'node:crypto'
import { z } from 'zod'

export const ACTION_TOKEN_TYP = 'countersign-action+jwt'
export const PROMISE_TYP = 'countersign-promise+jwt'

/** Seconds an action token is good for. */
export const ACTION_TOKEN_TTL_SECONDS = 60

/** The most a skill's clock may be off by, in seconds: a skill guard takes no setting above it. */
export const SKILL_CLOCK_SKEW_SECONDS_MOST = 60

/** After this long no skill accepts a token any more, wherever its call was held up. */
export const TOKEN_DEAD_AFTER_MS = (ACTION_TOKEN_TTL_SECONDS + SKILL_CLOCK_SKEW_SECONDS_MOST) * 1000

/** What the skill is asked: the action itself, or one of the calls around it (DESIGN section 5, clean-up calls). */
export const CALL_KINDS = ['action', 'preview', 'status', 'cancel', 'undo', 'stop'] as const
export type CallKind = (typeof CALL_KINDS)[number]

const seconds = z.int().min(0)
const name = z.string().min(1).max(128)
const sha256 = z.string().regex(/^[A-Za-z0-9_-]{43}$/)

/**
 * Claims of the token that accompanies every call to a skill. Short names, because it is a header; claims a
 * verifier does not know are ignored, as RFC 7519 section 4 asks.
 */
export const actionTokenClaims = z
  .object({
    /** The broker. */
    iss: z.string().min(1).max(300),
    /** The exact URL the call goes to. */
    aud: z.string().min(1).max(600),
    /** The user, by an id of this publisher's alone. */
    sub: name,
    iat: seconds,
    exp: seconds,
    nbf: seconds.optional(),
    jti: name,
    kin: z.enum(CALL_KINDS),
    skl: name,
    act: name,
    /** Digest of the signed manifest the decision was made by. */
    mfd: z.string().min(1).max(128),
    /** Base64url SHA-256 of the body's bytes. */
    bod: sha256,
    /** Amount in minor units of `cur`; both or neither. */
    amt: z.int().min(0).optional(),
    cur: z
      .string()
      .regex(/^[A-Z]{3}$/)
      .optional(),
    /** The broker's idempotency key: the same key means the same action. */
    key: name,
    exe: name,
    /** Base64url RFC 9162 leaf hash of the permit. */
    lfh: sha256,
    /** The log's promise to include that leaf: a compact JWS of its own. */
    prm: z.string().min(1).max(4096),
    /** Until when each memory class may be kept, in Unix seconds. */
    ret: z.record(z.string().min(1).max(64), seconds),
    /** Where the status of the grant is read (Token Status List); of calls an agent asked for alone. */
    status: z
      .object({ status_list: z.object({ idx: z.int().min(0), uri: z.string().min(1).max(400) }) })
      .optional(),
  })
  .refine((claims) => (claims.amt === undefined) === (claims.cur === undefined), 'amt and cur go together')

export type ActionTokenClaims = z.infer<typeof actionTokenClaims>

/** Claims of a promise of inclusion: the leaf will be under a checkpoint of this log by `mby`. */
export const promiseClaims = z.object({
  iss: z.string().min(1).max(300),
  /** Origin line of the log's checkpoints. */
  org: z.string().min(1).max(300),
  lfh: sha256,
  /** Event id of the leaf, to ask for its proof by. */
  evt: name.optional(),
  mby: seconds,
})

export type PromiseClaims = z.infer<typeof promiseClaims>

/** The `bod` claim of these bytes: base64url SHA-256. */
export function bodyDigest(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('base64url')
}
