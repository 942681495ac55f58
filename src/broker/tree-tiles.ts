import { foldNodes, type NodeId } from '../core/merkle/proof.ts'
import { type TileRef, tilePath } from '../core/merkle/tile.ts'
import { fetchedNodes, tilesForNodes } from '../core/merkle/tile-reader.ts'
import { EMPTY_ROOT, subtreesOf, TILE_HEIGHT, TILE_WIDTH } from '../core/merkle/tree.ts'
import type { Log } from '../ports/store.ts'

/** Whatever holds the stored hashes of one tree: a unit of work for the current log, or one that has ended. */
export type TreeRows = { readonly log: Pick<Log, 'leafHashes' | 'nodes'> }

/** The hashes of a tile, joined; shorter than asked for where the tree does not reach. */
export async function readHashTile(
  rows: TreeRows,
  ref: TileRef & { readonly level: number },
): Promise<Buffer> {
  const from = ref.index * TILE_WIDTH
  const hashes =
    ref.level === 0
      ? await rows.log.leafHashes(from, ref.width)
      : await rows.log.nodes(ref.level * TILE_HEIGHT, from, ref.width)
  return Buffer.concat(hashes)
}

/**
 * Computes the hashes of a proof from the tiles they are in: a few reads a level, however long the log is.
 * @throws RangeError if the stored tree does not reach this size.
 */
export async function readPath(
  rows: TreeRows,
  path: readonly NodeId[][],
  treeSize: number,
): Promise<Buffer[]> {
  const tiles = new Map<string, Buffer>()
  for (const ref of tilesForNodes(path.flat(), treeSize))
    tiles.set(tilePath(ref), await readHashTile(rows, ref))
  const readHash = fetchedNodes(tiles, treeSize)
  return path.map((nodes) => foldNodes(nodes, readHash))
}

/** The root the stored tree had at a size. @throws RangeError if it does not reach this size. */
export async function rootAt(rows: TreeRows, treeSize: number): Promise<Buffer> {
  if (treeSize === 0) return EMPTY_ROOT
  const [root] = await readPath(rows, [subtreesOf(0, treeSize)], treeSize)
  if (!root) throw new RangeError('no root')
  return root
}
