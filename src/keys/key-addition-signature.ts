import { canonicalJson } from '../core/canonical-json.ts'
import { plainJson } from '../core/manifest/manifest-change.ts'
import type { PublicJwk } from '../core/manifest/public-key.ts'
import type { FindKey, JwsVerdict, PrivateJwk } from './detached-jws.ts'
import { signDetached, verifyDetached } from './detached-jws.ts'

export const KEY_ADDITION_TYP = 'countersign-key+jws'

/** A living key's statement that a new key speaks for the same publisher. */
export interface KeyAddition {
  readonly publisher: string
  readonly newKeyJwk: PublicJwk
}

/** Signs the addition of a key with one of the publisher's living keys; detached, as manifests are. */
export function signKeyAddition(addition: KeyAddition, privateJwk: PrivateJwk): Promise<string> {
  return signDetached(KEY_ADDITION_TYP, bytesOf(addition), privateJwk)
}

/** Verifies that a living key of the publisher signed exactly this addition. */
export function verifyKeyAddition(addition: KeyAddition, jws: string, findKey: FindKey): Promise<JwsVerdict> {
  return verifyDetached(KEY_ADDITION_TYP, bytesOf(addition), jws, findKey)
}

function bytesOf({ publisher, newKeyJwk }: KeyAddition): Uint8Array {
  return Buffer.from(canonicalJson(plainJson({ publisher, newKeyJwk })))
}
