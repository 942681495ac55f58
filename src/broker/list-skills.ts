import type { Manifest } from '../core/manifest/manifest.ts'
import type { Broker } from './broker.ts'

/** A skill as anybody with a token may see it. */
export type SkillSummary = {
  readonly skill: string
  readonly publisher: string
  readonly version: number
  readonly manifestDigest: string
  readonly title: Manifest['title']
}

/** Every skill that has an approved current version, by name. */
export function listSkills(broker: Broker): Promise<SkillSummary[]> {
  return broker.store.read(async (tx) => {
    const summaries: SkillSummary[] = []
    for (const { currentDigest } of await tx.skills.list()) {
      if (currentDigest === null) continue
      const { manifest } = await broker.manifests.load(tx, currentDigest)
      summaries.push(summaryOf(manifest, currentDigest))
    }
    return summaries.sort((a, b) => (a.skill < b.skill ? -1 : 1))
  })
}

export type ShownSkill = SkillSummary & {
  readonly manifest: Manifest
  /** The publisher's detached signature over the manifest's canonical form. */
  readonly signature: string
}

/** A skill's current manifest with its signature; undefined when no version of it is approved. */
export function showSkill(broker: Broker, skillId: string): Promise<ShownSkill | undefined> {
  return broker.store.read(async (tx) => {
    const digest = (await tx.skills.find(skillId))?.currentDigest
    const row = digest ? await tx.manifests.find(digest) : undefined
    if (!digest || !row) return undefined
    const { manifest } = await broker.manifests.load(tx, digest)
    return { ...summaryOf(manifest, digest), manifest, signature: row.signature }
  })
}

function summaryOf(manifest: Manifest, manifestDigest: string): SkillSummary {
  const { skill, publisher, version, title } = manifest
  return { skill, publisher, version, manifestDigest, title }
}
