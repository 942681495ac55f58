import type { LoadedAction, LoadedManifest } from '../core/manifest/loaded-manifest.ts'
import { SKILL_ID } from '../core/manifest/manifest.ts'
import type { Tx } from '../ports/store.ts'
import type { ManifestCache } from './manifest-cache.ts'

export type FoundTool = { readonly loaded: LoadedManifest; readonly action: LoadedAction }

/** More parts than any tool name of 64 characters can have and still name an action. */
const PARTS_MOST = 32

/**
 * Finds the action a tool name stands for, by trying where the skill's name could end. Registration lets no two skills
 * meet in one name, so at most one fits.
 */
export async function findTool(
  tx: Tx,
  manifests: ManifestCache,
  toolName: string,
): Promise<FoundTool | undefined> {
  const parts = toolName.split('_')
  if (parts.length > PARTS_MOST) return undefined
  for (let end = 2; end < parts.length; end++) {
    const skillId = parts.slice(0, end).join('.')
    if (!SKILL_ID.test(skillId)) return undefined
    const digest = (await tx.skills.find(skillId))?.currentDigest
    if (!digest) continue
    const loaded = await manifests.load(tx, digest)
    const action = loaded.actions.get(parts.slice(end).join('_'))
    if (action) return { loaded, action }
  }
  return undefined
}
