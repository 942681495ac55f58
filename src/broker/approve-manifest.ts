import type { ManifestFault } from '../core/manifest/manifest-fault.ts'
import type { ManifestRow, SkillRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { sealerFor } from './leaf-sealer.ts'
import { type OperatorAct, type ReasonRefused, refuseReason } from './operator-act.ts'
import { hasErrors, lintFor } from './submit-manifest.ts'
import { findToolNameClash, type ToolNameTaken } from './tool-name-clash.ts'

export type ApproveManifestInput = OperatorAct & {
  readonly digest: string
  /** Says that making an older version current again is meant. */
  readonly goingBack?: boolean
}

type Refusal =
  | { readonly kind: 'manifest_unknown' }
  | { readonly kind: 'wrong_status'; readonly status: string }
  | { readonly kind: 'skill_of_other_publisher'; readonly skill: string }
  | { readonly kind: 'key_not_living'; readonly kid: string }
  | { readonly kind: 'manifest_faults'; readonly faults: readonly ManifestFault[] }
  | { readonly kind: 'going_back_not_said'; readonly highestVersion: number }
  | ToolNameTaken

export type ApproveManifestOutcome =
  | ReasonRefused
  | Refusal
  | { readonly kind: 'already_current' }
  | { readonly kind: 'approved'; readonly skill: string; readonly version: number }

/**
 * Approves a waiting version, or goes back to one approved before; it becomes its skill's current one. The first
 * approval of a name makes its publisher the owner for ever.
 */
export function approveManifest(
  broker: Broker,
  input: ApproveManifestInput,
): Promise<ApproveManifestOutcome> {
  return makeCurrent(broker, input, ['submitted', 'approved'], 'approved')
}

/** Takes a suspension back; the version becomes the current one again, by the same rules as an approval. */
export function resumeManifest(broker: Broker, input: ApproveManifestInput): Promise<ApproveManifestOutcome> {
  return makeCurrent(broker, input, ['suspended'], 'resumed')
}

async function makeCurrent(
  broker: Broker,
  input: ApproveManifestInput,
  from: readonly string[],
  outcome: 'approved' | 'resumed',
): Promise<ApproveManifestOutcome> {
  const refused = refuseReason(input)
  if (refused) return refused
  const seal = await sealerFor(broker, { userId: '', skillId: '' })
  return broker.store.transaction(async (tx) => {
    const row = await tx.manifests.find(input.digest)
    if (!row) return { kind: 'manifest_unknown' }
    const skill = await tx.skills.find(row.skillId)
    if (skill?.currentDigest === row.digest) return { kind: 'already_current' }
    if (!from.includes(row.status)) return { kind: 'wrong_status', status: row.status }
    const refusal = await refuseApproval(broker, tx, row, skill, input.goingBack ?? false)
    if (refusal) return refusal

    if (!skill) {
      await tx.skills.insert({
        id: row.skillId,
        publisherId: row.publisherId,
        currentDigest: row.digest,
        highestVersion: row.version,
        createdAtMs: tx.nowMs,
      })
    } else {
      await tx.skills.setCurrent(row.skillId, row.digest)
      if (row.version > skill.highestVersion) await tx.skills.setHighestVersion(row.skillId, row.version)
    }
    await tx.manifests.setStatus(row.digest, 'approved', input.reason, tx.nowMs)
    const isBack = skill !== undefined && row.version < skill.highestVersion
    const leaf = seal(
      {
        type: 'manifest',
        outcome,
        reason: isBack ? 'going_back' : 'operator',
        core: { skill: row.skillId, version: row.version, manifest: row.digest, publisher: row.publisherId },
        subj: { operator: input.operatorId },
        body: { reason: input.reason },
      },
      tx.nowMs,
    )
    await tx.log.append(leaf, tx.nowMs)
    return { kind: 'approved', skill: row.skillId, version: row.version }
  })
}

async function refuseApproval(
  broker: Broker,
  tx: Tx,
  row: ManifestRow,
  skill: SkillRow | undefined,
  goingBack: boolean,
): Promise<Refusal | undefined> {
  if (skill && skill.publisherId !== row.publisherId)
    return { kind: 'skill_of_other_publisher', skill: row.skillId }
  const keys = await tx.publishers.keys(row.publisherId)
  if (!keys.some((key) => key.kid === row.kid && key.state === 'living'))
    return { kind: 'key_not_living', kid: row.kid }
  if (skill && row.version < skill.highestVersion && !goingBack)
    return { kind: 'going_back_not_said', highestVersion: skill.highestVersion }
  const { manifest } = await broker.manifests.load(tx, row.digest)
  // Rules and settings may have become stricter since it was submitted.
  const faults = lintFor(broker.settings, manifest)
  if (hasErrors(faults)) return { kind: 'manifest_faults', faults }
  return findToolNameClash(tx, broker.manifests, manifest)
}
