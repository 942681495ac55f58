import type { PublicJwk } from './public-key.ts'

/** Who let a key in: a living key of the same publisher, or an operator who checked by other means. */
export type KeyIntroducer =
  | { readonly kind: 'key'; readonly kid: string }
  | { readonly kind: 'operator'; readonly operatorId: string }

export interface PublisherKey {
  readonly kid: string
  readonly jwk: PublicJwk
  readonly state: 'living' | 'revoked'
  readonly addedBy: KeyIntroducer
}

export interface PublisherKeySet {
  readonly publisher: string
  readonly keys: readonly PublisherKey[]
}

/** The keys whose signatures on one version were verified, revoked or not. */
export interface SignedVersion {
  readonly skill: string
  readonly version: number
  readonly signedBy: readonly string[]
}

export type AddKeyOutcome =
  | { readonly kind: 'key_was_revoked' }
  | { readonly kind: 'key_already_living' }
  | { readonly kind: 'introducer_unknown' }
  | { readonly kind: 'introducer_revoked' }
  | { readonly kind: 'too_many_keys'; readonly most: number }
  | { readonly kind: 'added'; readonly keySet: PublisherKeySet }

export type RevokeKeyOutcome =
  | { readonly kind: 'key_unknown' }
  | { readonly kind: 'key_already_revoked' }
  | {
      readonly kind: 'revoked'
      readonly keySet: PublisherKeySet
      /** Versions that no living key vouches for any more. */
      readonly suspended: readonly SignedVersion[]
      /** Living keys that this key let in, directly or through others: an operator has to look at each. */
      readonly suspectKids: readonly string[]
    }

/** Living keys a publisher may have at once; a stolen key cannot fill the registry. */
const LIVING_KEYS_MAX = 8

/** The key that may sign now, or undefined for an unknown or revoked one. */
export function findLivingKey(keySet: PublisherKeySet, kid: string): PublisherKey | undefined {
  return keySet.keys.find((key) => key.kid === kid && key.state === 'living')
}

/**
 * Adds a key that `parsePublicJwk` accepted. The caller has verified the introducer's signature, or the
 * operator's credential. A revoked key never comes back: a thief who still holds it must gain nothing.
 */
export function addKey(keySet: PublisherKeySet, jwk: PublicJwk, addedBy: KeyIntroducer): AddKeyOutcome {
  const existing = keySet.keys.find((key) => key.kid === jwk.kid)
  if (existing?.state === 'revoked') return { kind: 'key_was_revoked' }
  if (existing) return { kind: 'key_already_living' }

  if (addedBy.kind === 'key') {
    const introducer = keySet.keys.find((key) => key.kid === addedBy.kid)
    if (!introducer) return { kind: 'introducer_unknown' }
    if (introducer.state === 'revoked') return { kind: 'introducer_revoked' }
  }
  if (keySet.keys.filter((key) => key.state === 'living').length >= LIVING_KEYS_MAX)
    return { kind: 'too_many_keys', most: LIVING_KEYS_MAX }

  const added: PublisherKey = { kid: jwk.kid, jwk, state: 'living', addedBy }
  return { kind: 'added', keySet: { ...keySet, keys: [...keySet.keys, added] } }
}

/** Revokes a key and says which of the publisher's versions only revoked keys have signed. */
export function revokeKey(
  keySet: PublisherKeySet,
  kid: string,
  versions: readonly SignedVersion[],
): RevokeKeyOutcome {
  const existing = keySet.keys.find((key) => key.kid === kid)
  if (!existing) return { kind: 'key_unknown' }
  if (existing.state === 'revoked') return { kind: 'key_already_revoked' }

  const keys = keySet.keys.map((key) => (key.kid === kid ? { ...key, state: 'revoked' as const } : key))
  const after = { ...keySet, keys }
  return {
    kind: 'revoked',
    keySet: after,
    suspended: versions.filter(
      (version) => version.signedBy.includes(kid) && !version.signedBy.some((by) => findLivingKey(after, by)),
    ),
    suspectKids: kidsLetInBy(keys, kid).filter((suspect) => findLivingKey(after, suspect)),
  }
}

function kidsLetInBy(keys: readonly PublisherKey[], kid: string): string[] {
  const direct = keys.filter((key) => key.addedBy.kind === 'key' && key.addedBy.kid === kid)
  return direct.flatMap((key) => [key.kid, ...kidsLetInBy(keys, key.kid)])
}
