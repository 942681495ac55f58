import type { LoadedManifest } from '../core/manifest/loaded-manifest.ts'
import type { Broker } from './broker.ts'
import { findOwnAgent } from './own-rows.ts'

/**
 * The current manifests of the skills an agent has a grant for that has not ended, by name; undefined for an agent
 * that is not connected. Suspended skills are left out.
 */
export function connectedSkills(
  broker: Broker,
  { userId, agentId }: { readonly userId: string; readonly agentId: string },
): Promise<readonly LoadedManifest[] | undefined> {
  return broker.store.read(async (tx) => {
    if ((await findOwnAgent(tx, userId, agentId))?.status !== 'connected') return undefined
    const grants = await tx.grants.live(userId)
    const own = grants.filter((grant) => grant.agentId === agentId && tx.nowMs < grant.expiresAtMs)
    const loaded: LoadedManifest[] = []
    for (const skillId of [...new Set(own.map((grant) => grant.skillId))].sort()) {
      const digest = (await tx.skills.find(skillId))?.currentDigest
      if (digest) loaded.push(await broker.manifests.load(tx, digest))
    }
    return loaded
  })
}
