import type { LeafInTree, ProvenLeaf } from '../core/execution/receipt.ts'
import { inclusionNodes } from '../core/merkle/proof.ts'
import type { LeafRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import { readPath, type TreeRows } from './tree-tiles.ts'

/** A leaf with the log it is in: null for the current one. */
export type PlacedLeaf = LeafRow & { readonly epoch: number | null }

/** Finds a leaf in the current log or in one that has ended. */
export async function placedLeaf(tx: Tx, eventId: string): Promise<PlacedLeaf | undefined> {
  const current = await tx.log.leafByEvent(eventId)
  return current ? { ...current, epoch: null } : await tx.pastLogs.leafByEvent(eventId)
}

/**
 * Proves that a leaf is in the current log, or in the log that the first leaf of the next one names, and so on until
 * the current one.
 *
 * @param treeSize the current log's, as its newest checkpoint says.
 */
export async function proveLeaf(tx: Tx, leaf: PlacedLeaf, treeSize: number): Promise<ProvenLeaf> {
  if (leaf.epoch === null) return inTree(tx, leaf, treeSize)
  const { epoch } = leaf
  const later = (await tx.pastLogs.list()).filter((log) => log.epoch >= epoch)
  const [own, ...between] = later
  if (own?.epoch !== epoch) throw new Error('a leaf of an ended log that is missing')

  const epochs: LeafInTree[] = []
  for (const log of between) {
    const [first] = await tx.pastLogs.leaves(log.epoch, 0, 1)
    if (!first) throw new Error('an ended log without its first leaf')
    epochs.push(await inTree(pastTree(tx, log.epoch), first, log.treeSize))
  }
  const first = await tx.log.leafAt(0)
  if (!first) throw new Error('the current log does not name the one before it')
  epochs.push(await inTree(tx, first, treeSize))
  return { ...(await inTree(pastTree(tx, epoch), leaf, own.treeSize)), epochs }
}

/** The stored hashes of a log that has ended, read as those of the current one are. */
export function pastTree(tx: Tx, epoch: number): TreeRows {
  return {
    log: {
      leafHashes: (fromIndex, limit) => tx.pastLogs.leafHashes(epoch, fromIndex, limit),
      nodes: (level, fromIndex, limit) => tx.pastLogs.nodes(epoch, level, fromIndex, limit),
    },
  }
}

async function inTree(rows: TreeRows, { leaf, leafIndex }: LeafRow, treeSize: number): Promise<LeafInTree> {
  const proof = await readPath(rows, inclusionNodes(leafIndex, treeSize), treeSize)
  return { leaf: leaf.toString('base64'), leafIndex, proof: proof.map((hash) => hash.toString('base64')) }
}
