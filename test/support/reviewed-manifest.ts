import type { Effect, Manifest } from '../../src/core/manifest/manifest.ts'
import { parseManifest } from '../../src/core/manifest/parse-manifest.ts'

/**
 * Does to an imported manifest what a reviewer does: reads and translates its texts and names effects. What is asked of
 * a person beyond that is asked of the tests that use it.
 */
export function reviewed(imported: string, effects: Readonly<Record<string, readonly Effect[]>>): Manifest {
  const text = imported
    .replaceAll(/"zh": "TODO[^"]*"/g, '"zh": "这是一项经过审核的说明"')
    .replaceAll(/"en": "TODO:? ?/g, '"en": "')
  const manifest = JSON.parse(text) as { actions: { name: string; effects: readonly Effect[] }[] }
  for (const action of manifest.actions) action.effects = effects[action.name] ?? ['read']
  const parsed = parseManifest(JSON.stringify(manifest))
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults, null, 2))
  return parsed.manifest
}
