import type { Manifest } from '../core/manifest/manifest.ts'
import { toolNameOf } from '../core/manifest/tool-name.ts'
import type { Tx } from '../ports/store.ts'
import type { ManifestCache } from './manifest-cache.ts'

export type ToolNameTaken = {
  readonly kind: 'tool_name_taken'
  readonly toolName: string
  readonly skill: string
}

/** A tool name that another skill's current version already has: an agent could not tell the two apart. */
export async function findToolNameClash(
  tx: Tx,
  manifests: ManifestCache,
  manifest: Manifest,
): Promise<ToolNameTaken | undefined> {
  const wanted = new Set(manifest.actions.map((action) => toolNameOf(manifest.skill, action.name)))
  for (const skill of await tx.skills.list()) {
    if (skill.id === manifest.skill || skill.currentDigest === null) continue
    const { manifest: other } = await manifests.load(tx, skill.currentDigest)
    for (const action of other.actions) {
      const toolName = toolNameOf(skill.id, action.name)
      if (wanted.has(toolName)) return { kind: 'tool_name_taken', toolName, skill: skill.id }
    }
  }
  return undefined
}
