import { readFileSync } from 'node:fs'
import type { Manifest } from '../../core/manifest/manifest.ts'
import { parseManifest } from '../../core/manifest/parse-manifest.ts'

export const SAMPLE_SKILLS = ['coffee.order', 'pay.transfer', 'web.browse'] as const
export type SampleSkillName = (typeof SAMPLE_SKILLS)[number]

/** Reads the manifest of a sample skill as it stands in the repository. Throws Error if it does not parse. */
export function loadSampleManifest(name: SampleSkillName): Manifest {
  const file = new URL(`../../../manifests/${name}/manifest.json`, import.meta.url)
  const parsed = parseManifest(readFileSync(file, 'utf8'))
  if (!parsed.ok) throw new Error(`the sample manifest of ${name} does not parse`)
  return parsed.manifest
}
