import { type KeyIntroducer, type RevokeKeyOutcome, revokeKey } from '../core/manifest/publisher-keys.ts'
import type { ManifestRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import {
  authorityParts,
  type KeyAuthority,
  livingKeys,
  refusedBy,
  type SignatureRefused,
} from './add-publisher-key.ts'
import type { Broker } from './broker.ts'
import { sealerFor } from './leaf-sealer.ts'
import { type ReasonRefused, refuseReason } from './operator-act.ts'
import { loadKeySet } from './publisher-key-set.ts'
import { stopVersion } from './stop-version.ts'

export type RevokePublisherKeyOutcome =
  | ReasonRefused
  | SignatureRefused
  | Exclude<RevokeKeyOutcome, { kind: 'revoked' }>
  | {
      readonly kind: 'revoked'
      readonly suspended: readonly { readonly skill: string; readonly version: number }[]
      /** Living keys that this one let in, directly or through others: an operator has to look at each. */
      readonly suspectKids: readonly string[]
    }

/**
 * Revokes a key for ever, and suspends every version that only it signed. A publisher signs with any of its
 * living keys, the revoked one included: whoever holds a leaked key may only make it worthless.
 */
export async function revokePublisherKey(
  broker: Broker,
  input: { readonly publisherId: string; readonly kid: string; readonly by: KeyAuthority },
): Promise<RevokePublisherKeyOutcome> {
  const { publisherId, kid, by } = input
  const refused = by.kind === 'operator' ? refuseReason(by) : undefined
  if (refused) return refused
  const revoker = await revokerOf(broker, publisherId, kid, by)
  if (revoker.kind === 'signature_refused') return revoker

  const seal = await sealerFor(broker, { userId: '', skillId: '' })
  const revoked = await broker.store.transaction<RevokePublisherKeyOutcome>(async (tx) => {
    const keySet = await loadKeySet(tx, publisherId)
    const mayStill =
      revoker.kind === 'operator' ||
      keySet.keys.some((key) => key.kid === revoker.kid && key.state === 'living')
    if (!mayStill)
      return refusedBy({ code: 'signature_key_unknown', message: 'the signing key was revoked meanwhile' })
    const rows = await standingVersions(tx, publisherId, kid)
    const versions = rows.map((row) => ({ skill: row.skillId, version: row.version, signedBy: [row.kid] }))
    const outcome = revokeKey(keySet, kid, versions)
    if (outcome.kind !== 'revoked') return outcome

    await tx.publishers.setKeyState(publisherId, kid, 'revoked')
    const parts = authorityParts(revoker, by)
    const leaf = seal(
      {
        type: 'publisher',
        outcome: 'key_revoked',
        reason: by.kind,
        core: { publisher: publisherId, kid, suspended: outcome.suspended.length },
        ...parts,
      },
      tx.nowMs,
    )
    await tx.log.append(leaf, tx.nowMs)
    for (const row of rows) {
      if (!outcome.suspended.some((it) => it.skill === row.skillId && it.version === row.version)) continue
      const stop = { status: 'suspended', code: 'key_revoked', reason: `key ${kid} was revoked` } as const
      await stopVersion(tx, seal, row, { ...stop, by: parts.subj })
    }
    return {
      kind: 'revoked',
      suspended: outcome.suspended.map(({ skill, version }) => ({ skill, version })),
      suspectKids: outcome.suspectKids,
    }
  })
  // Whoever looked before this was committed may still permit under a version that only this key signed.
  await broker.store.drained()
  return revoked
}

/** What this key signed and is still of use to anybody: approved, or waiting for it. */
async function standingVersions(tx: Tx, publisherId: string, kid: string): Promise<ManifestRow[]> {
  const rows = await tx.manifests.listByKey(publisherId, kid)
  return rows.filter((row) => row.status === 'approved' || row.status === 'submitted')
}

async function revokerOf(
  broker: Broker,
  publisher: string,
  kid: string,
  by: KeyAuthority,
): Promise<KeyIntroducer | SignatureRefused> {
  if (by.kind === 'operator') return { kind: 'operator', operatorId: by.operatorId }
  const keys = await livingKeys(broker, publisher)
  const verdict = await broker.manifestVerifier.verifyKeyRevocation({ publisher, kid }, by.signature, keys)
  return verdict.ok ? { kind: 'key', kid: verdict.kid } : refusedBy(verdict)
}
