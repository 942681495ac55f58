import type { LoadedAction, LoadedManifest } from './loaded-manifest.ts'
import type { Manifest, ManifestLink } from './manifest.ts'
import { isSameJson } from './manifest-change.ts'

/** The accounts a user has to have linked for an action: those that fill one of its fields. */
export function linksWanted({ manifest }: LoadedManifest, action: LoadedAction): ManifestLink[] {
  if (manifest.links === undefined) return []
  const pointers = action.brokerFields.filter(({ kind }) => kind === 'account').map(({ pointer }) => pointer)
  return manifest.links.filter((link) => link.fills.some((pointer) => pointers.includes(pointer)))
}

/**
 * Whether what a user linked under one version is still the same under another: the same skill at the same place, and
 * the same authorization server. Titles may change; a token goes nowhere its user was not shown.
 */
export function isSameLink(linkedUnder: Manifest, now: Manifest, id: string): boolean {
  const before = findLink(linkedUnder, id)
  const after = findLink(now, id)
  if (!before || !after) return false
  const { title: _, ...was } = before
  const { title: __, ...is } = after
  const isSamePlace = isSameJson(linkedUnder.endpoint, now.endpoint)
  return isSamePlace && linkedUnder.publisher === now.publisher && isSameJson(was, is)
}

export function findLink(manifest: Manifest, id: string): ManifestLink | undefined {
  return manifest.links?.find((link) => link.id === id)
}
