import { createPrivateKey, type JsonWebKey, type KeyObject, sign } from 'node:crypto'
import { jwsSigningInput } from '../core/execution/compact-jws.ts'
import {
  SKILL_RECEIPT_TYP,
  type SkillReceiptClaims,
  skillReceiptClaims,
} from '../core/execution/skill-receipt.ts'
import type { VerifiedCall } from '../core/execution/verify-action-token.ts'

/** A runtime key of the skill; its public half stands in the manifest under the same `kid`. */
export interface SkillSigningKey {
  readonly kid: string
  readonly alg: 'EdDSA' | 'ES256'
  readonly key: KeyObject
}

export type SkillStatement = Pick<SkillReceiptClaims, 'status'> & {
  /** What was really taken; leave out when nothing was. */
  readonly taken?: { readonly amountMinor: number; readonly currency: string }
}

/** Imports a private JWK (Ed25519 or P-256) with a `kid`. Throws TypeError for anything else. */
export function importSkillKey(jwk: JsonWebKey & { kid: string }): SkillSigningKey {
  const key = createPrivateKey({ format: 'jwk', key: jwk })
  if (jwk.crv === 'Ed25519') return { kid: jwk.kid, alg: 'EdDSA', key }
  if (jwk.crv === 'P-256') return { kid: jwk.kid, alg: 'ES256', key }
  throw new TypeError('a runtime key is Ed25519 or P-256')
}

/**
 * Signs the skill's word on what became of one call, as a compact JWS to put into results and status answers.
 * Throws ZodError when the statement is misshapen.
 */
export function signSkillReceipt(
  key: SkillSigningKey,
  about: Pick<VerifiedCall, 'executionId' | 'bodyDigest' | 'skillId' | 'action'>,
  statement: SkillStatement,
  nowMs: number,
): string {
  const claims = skillReceiptClaims.parse({
    exe: about.executionId,
    bod: about.bodyDigest,
    skl: about.skillId,
    act: about.action,
    status: statement.status,
    ...(statement.taken ? { amt: statement.taken.amountMinor, cur: statement.taken.currency } : {}),
    iat: Math.floor(nowMs / 1000),
  })
  const input = jwsSigningInput({ alg: key.alg, kid: key.kid, typ: SKILL_RECEIPT_TYP }, claims)
  const bytes = Buffer.from(input, 'ascii')
  const signature =
    key.alg === 'EdDSA'
      ? sign(null, bytes, key.key)
      : sign('sha256', bytes, { key: key.key, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}
