import type { Manifest } from '../core/manifest/manifest.ts'
import type { ManifestDiff } from '../core/manifest/manifest-diff.ts'
import type { ManifestFault } from '../core/manifest/manifest-fault.ts'
import type { ManifestRow } from '../ports/rows.ts'
import type { Broker } from './broker.ts'
import { changesAgainstCurrent, lintFor } from './submit-manifest.ts'

export type ManifestSummary = Omit<ManifestRow, 'canonical' | 'signature'> & { readonly isCurrent: boolean }

/** Versions by status, oldest first, or of one skill, newest version first. */
export function listManifests(
  broker: Broker,
  by: { readonly status: string } | { readonly skillId: string },
): Promise<ManifestSummary[]> {
  return broker.store.read(async (tx) => {
    const rows =
      'status' in by ? await tx.manifests.listByStatus(by.status) : await tx.manifests.listBySkill(by.skillId)
    const current = new Set((await tx.skills.list()).map((skill) => skill.currentDigest))
    return rows.map((row) => summaryOf(row, current.has(row.digest)))
  })
}

export type ShowManifestOutcome =
  | { readonly kind: 'manifest_unknown' }
  | {
      readonly kind: 'manifest'
      readonly summary: ManifestSummary
      readonly manifest: Manifest
      readonly signature: string
      readonly faults: readonly ManifestFault[]
      /** What it asks beyond the current version, by action; null when its skill has no current one. */
      readonly changes: ManifestDiff['perAction'] | null
    }

/** One version with all a reviewer looks at. */
export function showManifest(broker: Broker, digest: string): Promise<ShowManifestOutcome> {
  return broker.store.read(async (tx) => {
    const row = await tx.manifests.find(digest)
    if (!row) return { kind: 'manifest_unknown' }
    const { manifest } = await broker.manifests.load(tx, digest)
    const skill = await tx.skills.find(row.skillId)
    return {
      kind: 'manifest',
      summary: summaryOf(row, skill?.currentDigest === digest),
      manifest,
      signature: row.signature,
      faults: lintFor(broker.settings, manifest),
      changes: await changesAgainstCurrent(tx, broker.manifests, manifest),
    }
  })
}

function summaryOf(row: ManifestRow, isCurrent: boolean): ManifestSummary {
  const { canonical: _, signature: __, ...summary } = row
  return { ...summary, isCurrent }
}
