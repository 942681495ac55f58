import type { Bilingual } from '../core/manifest/manifest.ts'
import type { Broker } from './broker.ts'
import { userZone } from './user-zone.ts'

/** How pages name what rows only have ids of. */
export type NamesForUser = {
  readonly zone: string
  /** By agent id, of all the user ever connected. */
  readonly agents: ReadonlyMap<string, string>
  /** Title of a skill's current version; its id while none is current. */
  skill(skillId: string): Bilingual
  /** Title of an action of a skill's current version; its name where that has none such. */
  action(skillId: string, action: string): Bilingual
}

/** Reads the names a list of a user's speaks of, in one read for all of them. */
export function namesForUser(
  broker: Broker,
  input: { userId: string; skillIds: readonly string[] },
): Promise<NamesForUser> {
  return broker.store.read(async (tx) => {
    const agents = new Map((await tx.agents.list(input.userId)).map((row) => [row.id, row.name]))
    const titles = new Map<string, Bilingual>()
    for (const skillId of new Set(input.skillIds)) {
      const digest = (await tx.skills.find(skillId))?.currentDigest
      if (!digest) continue
      const { manifest } = await broker.manifests.load(tx, digest)
      titles.set(skillId, manifest.title)
      for (const action of manifest.actions) titles.set(`${skillId}/${action.name}`, action.title)
    }
    const titleOf = (key: string, fallback: string) => titles.get(key) ?? { en: fallback, zh: fallback }
    return {
      zone: await userZone(tx, input.userId),
      agents,
      skill: (skillId) => titleOf(skillId, skillId),
      action: (skillId, action) => titleOf(`${skillId}/${action}`, action),
    }
  })
}
