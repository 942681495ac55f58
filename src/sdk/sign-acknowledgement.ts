import { sign } from 'node:crypto'
import { jwsSigningInput } from '../core/execution/compact-jws.ts'
import {
  ACKNOWLEDGEMENT_TYP,
  type AcknowledgementClaims,
  acknowledgementClaims,
} from '../core/notice/acknowledgement.ts'
import type { VerifiedNotice } from '../core/notice/notice-token.ts'
import type { SkillSigningKey } from './sign-skill-receipt.ts'

/** What a skill answers to a notice. */
export type DeletionAnswer =
  | { readonly status: 'deleted' }
  /** A law makes it keep something; the reason is shown to the person. */
  | { readonly status: 'kept'; readonly code: string; readonly why: string }
  /** It does not do it. It stands still for this person from then on, where the platform says so. */
  | { readonly status: 'refused'; readonly code: string; readonly why?: string }

/**
 * Signs the skill's word on one notice, as the compact JWS that is the body of the answer. Throws ZodError when the
 * answer is misshapen.
 */
export function signAcknowledgement(
  key: SkillSigningKey,
  notice: Pick<VerifiedNotice, 'issuer' | 'noticeId' | 'skillId' | 'userId'>,
  answer: DeletionAnswer,
  nowMs: number,
): string {
  const { status, ...why } = answer
  const claims: AcknowledgementClaims = acknowledgementClaims.parse({
    aud: notice.issuer,
    ntc: notice.noticeId,
    skl: notice.skillId,
    sub: notice.userId,
    sts: status,
    ...why,
    iat: Math.floor(nowMs / 1000),
  })
  const input = jwsSigningInput({ alg: key.alg, kid: key.kid, typ: ACKNOWLEDGEMENT_TYP }, claims)
  const bytes = Buffer.from(input, 'ascii')
  const signature =
    key.alg === 'EdDSA'
      ? sign(null, bytes, key.key)
      : sign('sha256', bytes, { key: key.key, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}
