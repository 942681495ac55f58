import { LRUCache } from 'lru-cache'
import { type LoadedManifest, loadManifest } from '../core/manifest/loaded-manifest.ts'
import { manifestShape } from '../core/manifest/manifest.ts'
import type { ManifestChange } from '../core/manifest/manifest-change.ts'
import { diffManifests } from '../core/manifest/manifest-diff.ts'
import type { Tx } from '../ports/store.ts'

/**
 * Compiled manifests and their differences by digest. A digest names one content for ever, so nothing here can
 * be stale; whether a version is approved is read from the store each time.
 */
export class ManifestCache {
  readonly #loaded = new LRUCache<string, LoadedManifest>({ max: 2000 })
  readonly #changes = new LRUCache<string, Readonly<Record<string, readonly ManifestChange[]>>>({ max: 5000 })

  readonly #skills = new Set<string>()

  /** Whether somebody registered a skill of this name. Skills are never removed, so one look is enough. */
  async knowsSkill(tx: Tx, skillId: string): Promise<boolean> {
    if (this.#skills.has(skillId)) return true
    if (!(await tx.skills.find(skillId))) return false
    this.#skills.add(skillId)
    return true
  }

  /** @throws Error if a digest that the store refers to is not there: a defect. */
  async load(tx: Tx, digest: string): Promise<LoadedManifest> {
    const known = this.#loaded.get(digest)
    if (known) return known
    const row = await tx.manifests.find(digest)
    if (!row) throw new Error('a manifest that is referred to is missing')
    const loaded = loadManifest(digest, manifestShape.parse(JSON.parse(row.canonical)))
    this.#loaded.set(digest, loaded)
    return loaded
  }

  /** What the newer version asks for an action beyond the one consented to. */
  async newlyAsked(
    tx: Tx,
    consented: string,
    current: string,
    action: string,
  ): Promise<readonly ManifestChange[]> {
    if (consented === current) return []
    const key = `${consented} ${current}`
    let changes = this.#changes.get(key)
    if (!changes) {
      const [before, after] = [await this.load(tx, consented), await this.load(tx, current)]
      changes = diffManifests(before.manifest, after.manifest).perAction
      this.#changes.set(key, changes)
    }
    return changes[action] ?? []
  }
}
