import type { NodeId } from './proof.ts'
import { type TileRef, tilePath, tileWidth } from './tile.ts'
import { HASH_BYTES, type HashReader, nodeReader, rowOfNode, TILE_WIDTH } from './tree.ts'

/**
 * Names the tiles that hold the given nodes in a tree of this size, each once: what to fetch before a proof is
 * computed from a served log.
 */
export function tilesForNodes(
  nodes: readonly NodeId[],
  treeSize: number,
): (TileRef & { readonly level: number })[] {
  const tiles = new Map<string, TileRef & { readonly level: number }>()
  for (const node of nodes) {
    const { tileLevel, first } = rowOfNode(node.level, node.index)
    const index = Math.floor(first / TILE_WIDTH)
    const tile = { level: tileLevel, index, width: tileWidth(treeSize, tileLevel, index) }
    tiles.set(tilePath(tile), tile)
  }
  return [...tiles.values()]
}

/**
 * Reads nodes from fetched tiles, keyed by path as `tilesForNodes` names them. Nothing read this way is trusted
 * by itself: the proof built from it must lead to a signed root.
 * @throws RangeError if a tile is missing or shorter than the tree of this size makes it.
 */
export function fetchedNodes(tiles: ReadonlyMap<string, Buffer>, treeSize: number): HashReader {
  return nodeReader((tileLevel, first, count) => {
    const index = Math.floor(first / TILE_WIDTH)
    const tile = tiles.get(
      tilePath({ level: tileLevel, index, width: tileWidth(treeSize, tileLevel, index) }),
    )
    const at = (first - index * TILE_WIDTH) * HASH_BYTES
    return tile?.subarray(at, at + count * HASH_BYTES) ?? Buffer.alloc(0)
  })
}
