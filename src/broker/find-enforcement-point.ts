import { hash } from 'node:crypto'
import { importVerificationKeys } from '../core/execution/compact-jws.ts'
import { claimedPointOf, verifyEnforcementAssertion } from '../core/tokens/enforcement-assertion.ts'
import type { EnforcementCredentialRow, EnforcementPointRow } from '../ports/enforcement-store.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'

/** What an enforcement point's secret begins with, so that it is told from a token at a glance. */
export const ENFORCEMENT_SECRET_PREFIX = 'cep_'
const SECRET = /^cep_[A-Za-z0-9_-]{43}$/

export type FoundPoint =
  | { readonly kind: 'found'; readonly point: EnforcementPointRow }
  /** It is meant as the credential of an enforcement point, and is not good (any more). */
  | { readonly kind: 'refused' }
  /** It is some other kind of credential. */
  | { readonly kind: 'other' }

/** SHA-256 of a secret of 256 random bits, in base64url: what is kept of it, and what it is found by. */
export function secretDigest(secret: string): string {
  return hash('sha256', secret, 'base64url')
}

/**
 * Says which enforcement point sends a bearer token: a secret of its, or an assertion it signed. Looked up in the
 * store each time, so that one that was replaced or revoked is worth nothing from then on.
 */
export async function findEnforcementPoint(
  broker: Broker,
  token: string,
  nowMs: number,
): Promise<FoundPoint> {
  if (token.startsWith(ENFORCEMENT_SECRET_PREFIX)) {
    return SECRET.test(token) ? bySecret(broker, secretDigest(token), nowMs) : { kind: 'refused' }
  }
  const claimed = claimedPointOf(token)
  return claimed === undefined ? { kind: 'other' } : byAssertion(broker, token, claimed, nowMs)
}

function bySecret(broker: Broker, digest: string, nowMs: number): Promise<FoundPoint> {
  return broker.store.read(async (tx) => {
    const credential = await tx.enforcementPoints.credentialByDigest(digest)
    const isGood = credential !== undefined && credential.publicJwk === null && isGoodAt(credential, nowMs)
    return isGood ? livingPoint(tx, credential.pointId) : { kind: 'refused' }
  })
}

function byAssertion(broker: Broker, token: string, pointId: string, nowMs: number): Promise<FoundPoint> {
  return broker.store.read(async (tx) => {
    const jwks = (await tx.enforcementPoints.credentials(pointId))
      .filter((credential) => isGoodAt(credential, nowMs))
      .flatMap(({ publicJwk }) => (publicJwk === null ? [] : [JSON.parse(publicJwk) as unknown]))
    const { issuer } = broker.settings
    const keys = importVerificationKeys(jwks)
    const verdict = verifyEnforcementAssertion(token, { issuer, pointId, keys, nowMs })
    return verdict.ok ? livingPoint(tx, pointId) : { kind: 'refused' }
  })
}

async function livingPoint(tx: Tx, pointId: string): Promise<FoundPoint> {
  const point = await tx.enforcementPoints.find(pointId)
  return point?.status === 'active' ? { kind: 'found', point } : { kind: 'refused' }
}

/** Whether a credential is still good. */
export function isGoodAt({ endsAtMs }: EnforcementCredentialRow, nowMs: number): boolean {
  return endsAtMs === null || nowMs < endsAtMs
}
