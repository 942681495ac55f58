import { originOf } from '../core/manifest/endpoint.ts'
import { findLink } from '../core/manifest/links.ts'
import type { Bilingual } from '../core/manifest/manifest.ts'
import type { Broker } from './broker.ts'

/** An account a user has linked, or may link. */
export type LinkView = {
  readonly skill: string
  readonly skillTitle: Bilingual
  readonly link: string
  readonly means: 'account' | 'payment'
  readonly title: Bilingual
  /** Where its token goes, and nowhere else. */
  readonly sentTo: string
  /** Where a browser is sent to sign in there. */
  readonly signInAt: string
  /** Null where it is not linked. `broken`: the skill no longer honours it. */
  readonly account: {
    readonly id: string
    readonly status: 'linked' | 'broken'
    readonly linkedAtMs: number
  } | null
  /** Whether the operator has registered this broker there. */
  readonly isConfigured: boolean
}

/**
 * What a user has linked, and what the skills they allowed something at could have linked; of a skill they have nothing
 * to do with nothing is said, unless it is named.
 */
export function listLinked(broker: Broker, input: { userId: string; skill?: string }): Promise<LinkView[]> {
  const { userId } = input
  return broker.store.read(async (tx) => {
    const rows = await tx.linkedAccounts.list(userId)
    const granted = (await tx.grants.list(userId, { limit: 200, before: null })).map(({ skillId }) => skillId)
    const named = input.skill === undefined ? [] : [input.skill]
    const skills = [...new Set([...rows.map(({ skillId }) => skillId), ...granted, ...named])].sort()
    const views: LinkView[] = []
    for (const skillId of skills) {
      const own = rows.filter((row) => row.skillId === skillId)
      const current = (await tx.skills.find(skillId))?.currentDigest
      const digest = current ?? own[0]?.manifestDigest
      if (!digest) continue
      const { manifest } = await broker.manifests.load(tx, digest)
      const links = current ? [...(manifest.links ?? [])] : []
      // What was linked under an earlier version stays listed, so that it can be taken back.
      for (const row of own.filter(({ link }) => !links.some(({ id }) => id === link))) {
        const before = findLink((await broker.manifests.load(tx, row.manifestDigest)).manifest, row.link)
        if (before) links.push(before)
      }
      for (const link of links) {
        const row = own.find((candidate) => candidate.link === link.id)
        views.push({
          skill: skillId,
          skillTitle: manifest.title,
          link: link.id,
          means: link.means,
          title: link.title,
          sentTo: originOf(manifest.endpoint) ?? manifest.endpoint.transport,
          signInAt: new URL(link.authorizationEndpoint).origin,
          account: row
            ? {
                id: row.id,
                status: row.status === 'linked' ? 'linked' : 'broken',
                linkedAtMs: row.createdAtMs,
              }
            : null,
          isConfigured: broker.linkClients.find(skillId, link.id) !== undefined,
        })
      }
    }
    return views
  })
}
