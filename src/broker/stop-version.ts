import type { JsonObject } from '../core/json-value.ts'
import type { ManifestRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import type { LeafSealer } from './leaf-sealer.ts'

/** Why a version is stopped, and by whom; `by` goes into the leaf's `subj`. */
export type VersionStop = {
  readonly status: 'suspended' | 'revoked'
  /** Stable code, in the leaf for all to read. */
  readonly code: 'operator' | 'key_revoked' | 'amount_without_spend' | 'drift'
  /** What operators and the publisher read. */
  readonly reason: string
  readonly by: JsonObject
}

/**
 * Stops a version, inside a transaction. If it was the current one, its skill has none afterwards: an older
 * version is never put back silently.
 */
export async function stopVersion(
  tx: Tx,
  seal: LeafSealer,
  row: ManifestRow,
  stop: VersionStop,
): Promise<void> {
  await tx.manifests.setStatus(row.digest, stop.status, stop.reason, tx.nowMs)
  const skill = await tx.skills.find(row.skillId)
  if (skill?.currentDigest === row.digest) await tx.skills.setCurrent(row.skillId, null)
  const leaf = seal(
    {
      type: 'manifest',
      outcome: stop.status,
      reason: stop.code,
      core: { skill: row.skillId, version: row.version, manifest: row.digest, publisher: row.publisherId },
      subj: stop.by,
      body: { reason: stop.reason },
    },
    tx.nowMs,
  )
  await tx.log.append(leaf, tx.nowMs)
}
