import type { JsonObject } from '../core/json-value.ts'
import { type PublicJwk, type PublicJwkFault, parsePublicJwk } from '../core/manifest/public-key.ts'
import { type AddKeyOutcome, addKey, type KeyIntroducer } from '../core/manifest/publisher-keys.ts'
import type { Broker } from './broker.ts'
import { sealerFor } from './leaf-sealer.ts'
import { type OperatorAct, type ReasonRefused, refuseReason } from './operator-act.ts'
import { loadKeySet, toKeyRow } from './publisher-key-set.ts'

/** Who speaks for a publisher's keys: one of its living keys by signature, or an operator. */
export type KeyAuthority =
  | { readonly kind: 'key'; readonly signature: string }
  | ({ readonly kind: 'operator' } & OperatorAct)

export type SignatureRefused = {
  readonly kind: 'signature_refused'
  readonly code: string
  readonly message: string
}

export type AddPublisherKeyOutcome =
  | ReasonRefused
  | SignatureRefused
  | { readonly kind: 'key_refused'; readonly fault: PublicJwkFault }
  | { readonly kind: 'publisher_unknown' }
  | Exclude<AddKeyOutcome, { kind: 'added' }>
  | { readonly kind: 'added'; readonly kid: string }

/** Adds a key to a publisher, signed by one of its living keys or let in by an operator. */
export async function addPublisherKey(
  broker: Broker,
  input: { readonly publisherId: string; readonly jwk: unknown; readonly by: KeyAuthority },
): Promise<AddPublisherKeyOutcome> {
  const { publisherId, by } = input
  const refused = by.kind === 'operator' ? refuseReason(by) : undefined
  if (refused) return refused
  const parsed = parsePublicJwk(input.jwk)
  if (!parsed.ok) return { kind: 'key_refused', fault: parsed.fault }

  const introducer = await introducerOf(broker, publisherId, parsed.jwk, by)
  if (introducer.kind === 'signature_refused') return introducer
  const seal = await sealerFor(broker, { userId: '', skillId: '' })
  return broker.store.transaction(async (tx) => {
    if (!(await tx.publishers.find(publisherId))) return { kind: 'publisher_unknown' }
    // The introducer is looked at once more: it may have been revoked since its signature was verified.
    const added = addKey(await loadKeySet(tx, publisherId), parsed.jwk, introducer)
    if (added.kind !== 'added') return added
    const key = added.keySet.keys.at(-1)
    if (!key) throw new Error('a key that was added is not there')
    await tx.publishers.insertKey(toKeyRow(publisherId, key, tx.nowMs))
    const leaf = seal(
      {
        type: 'publisher',
        outcome: 'key_added',
        reason: by.kind,
        core: { publisher: publisherId, kid: key.kid },
        ...authorityParts(introducer, by),
      },
      tx.nowMs,
    )
    await tx.log.append(leaf, tx.nowMs)
    return { kind: 'added', kid: key.kid }
  })
}

/** Who did it, and why, as the parts of a leaf. */
export function authorityParts(
  introducer: KeyIntroducer,
  by: KeyAuthority,
): { subj: JsonObject; body?: JsonObject } {
  return {
    subj: introducer.kind === 'key' ? { key: introducer.kid } : { operator: introducer.operatorId },
    ...(by.kind === 'operator' ? { body: { reason: by.reason } } : {}),
  }
}

async function introducerOf(
  broker: Broker,
  publisher: string,
  newKeyJwk: PublicJwk,
  by: KeyAuthority,
): Promise<KeyIntroducer | SignatureRefused> {
  if (by.kind === 'operator') return { kind: 'operator', operatorId: by.operatorId }
  const keys = await livingKeys(broker, publisher)
  const verdict = await broker.manifestVerifier.verifyKeyAddition(
    { publisher, newKeyJwk },
    by.signature,
    keys,
  )
  return verdict.ok ? { kind: 'key', kid: verdict.kid } : refusedBy(verdict)
}

/** The keys a publisher may sign with now; none for an unknown one. */
export async function livingKeys(broker: Broker, publisherId: string): Promise<PublicJwk[]> {
  const { keys } = await broker.store.read((tx) => loadKeySet(tx, publisherId))
  return keys.filter((key) => key.state === 'living').map((key) => key.jwk)
}

export function refusedBy({ code, message }: { code: string; message: string }): SignatureRefused {
  return { kind: 'signature_refused', code, message }
}
