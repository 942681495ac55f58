import type { Broker } from './broker.ts'
import { sealerFor } from './leaf-sealer.ts'
import { type OperatorAct, type ReasonRefused, refuseReason } from './operator-act.ts'
import { stopVersion } from './stop-version.ts'

export type StopManifestInput = OperatorAct & { readonly digest: string }

export type StopManifestOutcome =
  | ReasonRefused
  | { readonly kind: 'manifest_unknown' }
  | { readonly kind: 'wrong_status'; readonly status: string }
  | {
      readonly kind: 'suspended' | 'revoked'
      /** True when its skill has no current version now, and every action of it is refused. */
      readonly wasCurrent: boolean
    }

/** Suspends a version until somebody resumes it. */
export function suspendManifest(broker: Broker, input: StopManifestInput): Promise<StopManifestOutcome> {
  return stop(broker, input, 'suspended', ['submitted', 'approved'])
}

/** Revokes a version for ever, approved or still waiting. */
export function revokeManifest(broker: Broker, input: StopManifestInput): Promise<StopManifestOutcome> {
  return stop(broker, input, 'revoked', ['submitted', 'approved', 'suspended'])
}

async function stop(
  broker: Broker,
  input: StopManifestInput,
  status: 'suspended' | 'revoked',
  from: readonly string[],
): Promise<StopManifestOutcome> {
  const refused = refuseReason(input)
  if (refused) return refused
  const seal = await sealerFor(broker, { userId: '', skillId: '' })
  const outcome = await broker.store.transaction<StopManifestOutcome>(async (tx) => {
    const row = await tx.manifests.find(input.digest)
    if (!row) return { kind: 'manifest_unknown' }
    if (!from.includes(row.status)) return { kind: 'wrong_status', status: row.status }
    const skill = await tx.skills.find(row.skillId)
    const by = { operator: input.operatorId }
    await stopVersion(tx, seal, row, { status, code: 'operator', reason: input.reason, by })
    return { kind: status, wasCurrent: skill?.currentDigest === row.digest }
  })
  // Whoever looked before this was committed may still permit under the version; also when it was stopped before and
  // nobody heard that it was.
  await broker.store.drained()
  return outcome
}
