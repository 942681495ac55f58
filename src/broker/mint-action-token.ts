import { randomUUID } from 'node:crypto'
import {
  ACTION_TOKEN_TTL_SECONDS,
  ACTION_TOKEN_TYP,
  type ActionTokenClaims,
  actionTokenClaims,
  bodyDigest,
  PROMISE_TYP,
  promiseClaims,
} from '../core/execution/action-token.ts'
import type { Signer } from '../ports/signer.ts'

export interface PromiseInput {
  readonly issuer: string
  readonly logOrigin: string
  /** RFC 9162 leaf hash of the permit, 32 bytes. */
  readonly leafHash: Uint8Array
  readonly eventId?: string
  readonly mergeByMs: number
}

export interface ActionTokenInput {
  readonly issuer: string
  /** The URL that is called; becomes the audience. */
  readonly endpoint: string
  readonly kind: ActionTokenClaims['kin']
  readonly skillId: string
  readonly action: string
  readonly manifestDigest: string
  /** Pairwise: this publisher's id for the user. */
  readonly userId: string
  readonly brokerKey: string
  readonly executionId: string
  /** The bytes that are sent. */
  readonly body: Uint8Array
  readonly amount?: { readonly amountMinor: number; readonly currency: string }
  readonly leafHash: Uint8Array
  /** From mintPromise, for the same leaf. */
  readonly promise: string
  readonly retainUntilMs: Readonly<Record<string, number>>
  /** The grant's place in a status list. */
  readonly status?: { readonly uri: string; readonly idx: number } | null
}

/** Signs the log's promise to include a leaf, with the key kept for promises. Throws ZodError on a defect of ours. */
export function mintPromise(signer: Signer, input: PromiseInput): Promise<string> {
  const claims = promiseClaims.parse({
    iss: input.issuer,
    org: input.logOrigin,
    lfh: Buffer.from(input.leafHash).toString('base64url'),
    ...(input.eventId === undefined ? {} : { evt: input.eventId }),
    mby: Math.ceil(input.mergeByMs / 1000),
  })
  return signer.sign('promise', { typ: PROMISE_TYP }, claims)
}

/**
 * Signs the token for one call to a skill, good for 60 s from `nowMs` and for these bytes at this URL only.
 * Throws ZodError when a claim is missing or misshapen, which is a defect of ours: nothing is sent then.
 */
export function mintActionToken(signer: Signer, input: ActionTokenInput, nowMs: number): Promise<string> {
  const issuedAt = Math.floor(nowMs / 1000)
  const retention = Object.entries(input.retainUntilMs).map(([name, ms]) => [name, Math.floor(ms / 1000)])
  const claims = actionTokenClaims.parse({
    iss: input.issuer,
    aud: input.endpoint,
    sub: input.userId,
    iat: issuedAt,
    exp: issuedAt + ACTION_TOKEN_TTL_SECONDS,
    jti: randomUUID(),
    kin: input.kind,
    skl: input.skillId,
    act: input.action,
    mfd: input.manifestDigest,
    bod: bodyDigest(input.body),
    ...(input.amount ? { amt: input.amount.amountMinor, cur: input.amount.currency } : {}),
    key: input.brokerKey,
    exe: input.executionId,
    lfh: Buffer.from(input.leafHash).toString('base64url'),
    prm: input.promise,
    ret: Object.fromEntries(retention),
    ...(input.status ? { status: { status_list: { idx: input.status.idx, uri: input.status.uri } } } : {}),
  })
  return signer.sign('action', { typ: ACTION_TOKEN_TYP }, claims)
}
