import { foldNodes, type NodeId } from '../core/merkle/proof.ts'
import { type TileRef, tilePath } from '../core/merkle/tile.ts'
import { fetchedNodes, tilesForNodes } from '../core/merkle/tile-reader.ts'
import { EMPTY_ROOT, subtreesOf, TILE_HEIGHT, TILE_WIDTH } from '../core/merkle/tree.ts'
import type { Tx } from '../ports/store.ts'

/** The hashes of a tile, joined; shorter than asked for where the tree does not reach. */
export async function readHashTile(tx: Tx, ref: TileRef & { readonly level: number }): Promise<Buffer> {
  const from = ref.index * TILE_WIDTH
  const hashes =
    ref.level === 0
      ? await tx.log.leafHashes(from, ref.width)
      : await tx.log.nodes(ref.level * TILE_HEIGHT, from, ref.width)
  return Buffer.concat(hashes)
}

/**
 * Computes the hashes of a proof from the tiles they are in: a few reads a level, however long the log is.
 * @throws RangeError if the stored tree does not reach this size.
 */
export async function readPath(tx: Tx, path: readonly NodeId[][], treeSize: number): Promise<Buffer[]> {
  const tiles = new Map<string, Buffer>()
  for (const ref of tilesForNodes(path.flat(), treeSize))
    tiles.set(tilePath(ref), await readHashTile(tx, ref))
  const readHash = fetchedNodes(tiles, treeSize)
  return path.map((nodes) => foldNodes(nodes, readHash))
}

/** The root the stored tree had at a size. @throws RangeError if it does not reach this size. */
export async function rootAt(tx: Tx, treeSize: number): Promise<Buffer> {
  if (treeSize === 0) return EMPTY_ROOT
  const [root] = await readPath(tx, [subtreesOf(0, treeSize)], treeSize)
  if (!root) throw new RangeError('no root')
  return root
}
