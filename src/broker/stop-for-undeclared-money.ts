import type { LoadedAction, LoadedManifest } from '../core/manifest/loaded-manifest.ts'
import type { Broker } from './broker.ts'
import { sealerFor } from './leaf-sealer.ts'
import { openIncident } from './open-incident.ts'
import { stopVersion } from './stop-version.ts'

/**
 * A skill answered with money in an action that declares none: its word on effects is worth nothing any more. The
 * version is suspended and an operator told (DESIGN section 6); once, however many answers say so.
 */
export async function stopForUndeclaredMoney(
  broker: Broker,
  about: { loaded: LoadedManifest; action: LoadedAction; userId: string; executionId: string },
  pointer: string,
): Promise<void> {
  const { loaded, action, userId, executionId } = about
  const { skill: skillId } = loaded.manifest
  const seal = await sealerFor(broker, { userId, skillId })
  await broker.store.transaction(async (tx) => {
    const version = await tx.manifests.find(loaded.digest)
    if (version?.status !== 'approved') return
    const reason = `the result of ${action.declared.name} named money at ${pointer}, and the action declares no spend`
    await stopVersion(tx, seal, version, {
      status: 'suspended',
      code: 'amount_without_spend',
      reason,
      by: { broker: 'result_check' },
    })
    await openIncident(broker, tx, seal, {
      kind: 'amount_without_spend',
      userId,
      skillId,
      actionId: executionId,
      detail: reason,
      stopsSpending: true,
    })
  })
}
