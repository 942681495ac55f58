import type { JsonValue } from '../core/json-value.ts'
import { originOf } from '../core/manifest/endpoint.ts'
import { lintManifest } from '../core/manifest/lint-manifest.ts'
import type { Manifest } from '../core/manifest/manifest.ts'
import { diffManifests, type ManifestDiff } from '../core/manifest/manifest-diff.ts'
import type { ManifestFault } from '../core/manifest/manifest-fault.ts'
import { parseManifestValue } from '../core/manifest/parse-manifest.ts'
import type { ManifestRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import { livingKeys, refusedBy, type SignatureRefused } from './add-publisher-key.ts'
import type { Broker, Settings } from './broker.ts'
import { sealerFor } from './leaf-sealer.ts'
import type { ManifestCache } from './manifest-cache.ts'
import { loadKeySet } from './publisher-key-set.ts'
import { findToolNameClash, type ToolNameTaken } from './tool-name-clash.ts'

/** Versions of one skill a publisher may have waiting: nobody can occupy the version numbers of a name. */
const WAITING_MOST = 8

export type SubmitManifestRefusal =
  | { readonly kind: 'manifest_faults'; readonly faults: readonly ManifestFault[] }
  | { readonly kind: 'publisher_unknown'; readonly publisher: string }
  | SignatureRefused
  | { readonly kind: 'skill_of_other_publisher'; readonly skill: string }
  | { readonly kind: 'version_has_other_digest'; readonly version: number }
  | { readonly kind: 'version_not_above'; readonly version: number; readonly highestVersion: number }
  | { readonly kind: 'too_many_waiting'; readonly most: number }
  | ToolNameTaken

export type SubmitManifestOutcome =
  | SubmitManifestRefusal
  | {
      readonly kind: 'submitted'
      readonly digest: string
      /** `submitted` until an operator decides; whatever it is by now for a version sent again. */
      readonly status: string
      readonly isNew: boolean
      readonly warnings: readonly ManifestFault[]
      /** What it asks beyond the current version, by action; null for the first version of a skill. */
      readonly changes: ManifestDiff['perAction'] | null
    }

/**
 * Takes in a signed version, to wait for an operator. The name belongs to nobody before the first approval, so
 * several publishers may ask for it; from then on only its owner may. A version sent again is answered as before.
 */
export async function submitManifest(
  broker: Broker,
  input: { readonly manifest: JsonValue; readonly signature: string },
): Promise<SubmitManifestOutcome> {
  const parsed = parseManifestValue(input.manifest)
  if (!parsed.ok) return { kind: 'manifest_faults', faults: parsed.faults }
  const { manifest, digest, canonical } = parsed

  const keys = await livingKeys(broker, manifest.publisher)
  if (keys.length === 0) return { kind: 'publisher_unknown', publisher: manifest.publisher }
  const verdict = await broker.manifestVerifier.verifyManifest(Buffer.from(canonical), input.signature, keys)
  if (!verdict.ok) return refusedBy(verdict)
  // After the signature: compiling hundreds of patterns takes long, and nobody else may have that done here.
  const faults = lintFor(broker.settings, manifest)
  if (hasErrors(faults)) return { kind: 'manifest_faults', faults }

  const seal = await sealerFor(broker, { userId: '', skillId: manifest.skill })
  return broker.store.transaction(async (tx) => {
    const keySet = await loadKeySet(tx, manifest.publisher)
    if (!keySet.keys.some((key) => key.kid === verdict.kid && key.state === 'living'))
      return refusedBy({ code: 'signature_key_unknown', message: 'the signing key was revoked meanwhile' })
    const changes = await changesAgainstCurrent(tx, broker.manifests, manifest)
    const answer = { kind: 'submitted', digest, warnings: faults, changes } as const
    const known = await tx.manifests.find(digest)
    if (known) return { ...answer, status: known.status, isNew: false }
    const refusal = await refuseVersion(tx, broker.manifests, manifest)
    if (refusal) return refusal

    const row: ManifestRow = {
      digest,
      skillId: manifest.skill,
      version: manifest.version,
      publisherId: manifest.publisher,
      canonical,
      signature: input.signature,
      kid: verdict.kid,
      status: 'submitted',
      reason: null,
      submittedAtMs: tx.nowMs,
      changedAtMs: tx.nowMs,
    }
    await tx.manifests.insert(row)
    const leaf = seal(
      {
        type: 'manifest',
        outcome: 'submitted',
        reason: 'publisher',
        core: { skill: row.skillId, version: row.version, manifest: digest, publisher: row.publisherId },
        subj: { key: row.kid },
      },
      tx.nowMs,
    )
    await tx.log.append(leaf, tx.nowMs)
    return { ...answer, status: row.status, isNew: true }
  })
}

async function refuseVersion(
  tx: Tx,
  manifests: ManifestCache,
  manifest: Manifest,
): Promise<SubmitManifestRefusal | undefined> {
  const { skill: skillId, version, publisher } = manifest
  const skill = await tx.skills.find(skillId)
  if (skill && skill.publisherId !== publisher) return { kind: 'skill_of_other_publisher', skill: skillId }
  // Another digest: the same one was answered before.
  if (await tx.manifests.findVersion(skillId, version)) return { kind: 'version_has_other_digest', version }
  if (skill && version <= skill.highestVersion)
    return { kind: 'version_not_above', version, highestVersion: skill.highestVersion }
  const rows = await tx.manifests.listBySkill(skillId)
  const waiting = rows.filter((row) => row.publisherId === publisher && row.status === 'submitted')
  if (waiting.length >= WAITING_MOST) return { kind: 'too_many_waiting', most: WAITING_MOST }
  return findToolNameClash(tx, manifests, manifest)
}

/** What a version asks beyond the current one of its skill; null when there is none. */
export async function changesAgainstCurrent(
  tx: Tx,
  manifests: ManifestCache,
  manifest: Manifest,
): Promise<ManifestDiff['perAction'] | null> {
  const skill = await tx.skills.find(manifest.skill)
  if (!skill?.currentDigest) return null
  const current = await manifests.load(tx, skill.currentDigest)
  return diffManifests(current.manifest, manifest).perAction
}

/** The faults of a manifest under this broker's settings: plain http only at origins that were named exactly. */
export function lintFor(settings: Settings, manifest: Manifest): ManifestFault[] {
  const origin = originOf(manifest.endpoint)
  return lintManifest(manifest, {
    allowDevelopment: origin !== null && settings.developmentEndpoints.includes(origin),
  })
}

export function hasErrors(faults: readonly ManifestFault[]): boolean {
  return faults.some((fault) => fault.severity === 'error')
}
