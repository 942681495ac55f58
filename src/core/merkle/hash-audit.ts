import type { Checkpoint } from './checkpoint.ts'
import type { LogFault } from './log-audit.ts'
import { type TileRef, tilePath, tileWidth } from './tile.ts'
import { appendLeafHash, type Edge, EMPTY_EDGE, HASH_BYTES, rootOf, TILE_WIDTH } from './tree.ts'

export type HashSearch =
  | { readonly kind: 'found'; readonly leafIndex: number }
  /** Every leaf hash under the checkpoint was seen, and they are what was signed. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'fault'; readonly fault: LogFault }

/**
 * Looks for a leaf hash among all that a checkpoint covers, newest first, by the tiles of row 0. Asks for tiles by
 * yielding them. A leaf that was found is not proven yet, that takes its inclusion proof; one that was not is: the hashes
 * that were read fold to the signed root.
 */
export function* searchHash(
  { treeSize, rootHash }: Checkpoint,
  leafHash: Buffer,
): Generator<TileRef, HashSearch, Buffer> {
  const roots: Buffer[] = []
  let tail: Buffer[] = []
  for (const ref of newestFirst(treeSize)) {
    const { index, width } = ref
    const bytes = yield ref
    if (bytes.length !== width * HASH_BYTES) {
      const fault = { code: 'malformed_tile', path: tilePath(ref), leafIndex: index * TILE_WIDTH } as const
      return { kind: 'fault', fault }
    }
    const hashes = Array.from({ length: width }, (_, i) =>
      bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES),
    )
    const at = hashes.findIndex((hash) => hash.equals(leafHash))
    if (at >= 0) return { kind: 'found', leafIndex: index * TILE_WIDTH + at }
    if (width < TILE_WIDTH) tail = hashes
    else roots.push(rootOf(appendAll(EMPTY_EDGE, hashes)))
  }
  // Full tiles are leaves of a tree 256 times smaller: its edge is the edge of theirs.
  const { hashes } = appendAll(EMPTY_EDGE, roots.reverse())
  const edge = appendAll({ treeSize: roots.length * TILE_WIDTH, hashes }, tail)
  if (rootOf(edge).equals(rootHash)) return { kind: 'absent' }
  return { kind: 'fault', fault: { code: 'root_mismatch', treeSize } }
}

/** The tiles of row 0 in the order a search reads them. */
export function* newestFirst(treeSize: number): Generator<TileRef> {
  for (let index = Math.ceil(treeSize / TILE_WIDTH) - 1; index >= 0; index -= 1) {
    yield { level: 0, index, width: tileWidth(treeSize, 0, index) }
  }
}

function appendAll(edge: Edge, hashes: readonly Buffer[]): Edge {
  return hashes.reduce((grown, hash) => appendLeafHash(grown, hash).edge, edge)
}
