import { canonicalJson } from '../core/canonical-json.ts'
import type { FindKey, JwsVerdict, PrivateJwk } from './detached-jws.ts'
import { signDetached, verifyDetached } from './detached-jws.ts'

export const KEY_REVOCATION_TYP = 'countersign-key-revocation+jws'

/** A living key's statement that a key, itself perhaps, no longer speaks for the publisher. */
export interface KeyRevocation {
  readonly publisher: string
  readonly kid: string
}

/** Signs the revocation of a key with one of the publisher's living keys; detached, as manifests are. */
export function signKeyRevocation(revocation: KeyRevocation, privateJwk: PrivateJwk): Promise<string> {
  return signDetached(KEY_REVOCATION_TYP, bytesOf(revocation), privateJwk)
}

/** Verifies that a living key of the publisher signed exactly this revocation. */
export function verifyKeyRevocation(
  revocation: KeyRevocation,
  jws: string,
  findKey: FindKey,
): Promise<JwsVerdict> {
  return verifyDetached(KEY_REVOCATION_TYP, bytesOf(revocation), jws, findKey)
}

function bytesOf({ publisher, kid }: KeyRevocation): Uint8Array {
  return Buffer.from(canonicalJson({ publisher, kid }))
}
