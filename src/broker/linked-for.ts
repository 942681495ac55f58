import { isSameLink, linksWanted } from '../core/manifest/links.ts'
import type { LoadedAction, LoadedManifest } from '../core/manifest/loaded-manifest.ts'
import type { LinkedAccountRow } from '../ports/link-rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'

export type LinkedFor = { readonly rows: readonly LinkedAccountRow[]; readonly unlinked: readonly string[] }

const NOTHING: LinkedFor = { rows: [], unlinked: [] }

/**
 * The accounts an action wants, as this user has linked them. What was linked under another version counts only while
 * that version's place and authorization server are still those of the current one.
 */
export async function linkedFor(
  broker: Pick<Broker, 'manifests'>,
  tx: Tx,
  userId: string,
  loaded: LoadedManifest | null,
  action: LoadedAction | null,
): Promise<LinkedFor> {
  if (!loaded || !action) return NOTHING
  const wanted = linksWanted(loaded, action)
  if (wanted.length === 0) return NOTHING
  const rows: LinkedAccountRow[] = []
  const unlinked: string[] = []
  for (const { id } of wanted) {
    const row = await tx.linkedAccounts.findFor(userId, loaded.manifest.skill, id)
    if (row?.status === 'linked' && (await stands(broker, tx, row, loaded))) rows.push(row)
    else unlinked.push(id)
  }
  return { rows, unlinked }
}

async function stands(
  { manifests }: Pick<Broker, 'manifests'>,
  tx: Tx,
  row: LinkedAccountRow,
  now: LoadedManifest,
): Promise<boolean> {
  if (row.manifestDigest === now.digest) return true
  const linkedUnder = await manifests.load(tx, row.manifestDigest)
  return isSameLink(linkedUnder.manifest, now.manifest, row.link)
}
