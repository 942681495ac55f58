import type { Checkpoint, CheckpointRefusal } from './checkpoint.ts'
import { decodeEntryBundle, type TileRef, tilePath, tileWidth } from './tile.ts'
import {
  appendLeafHash,
  type Edge,
  EMPTY_EDGE,
  HASH_BYTES,
  hashLeaf,
  rootOf,
  TILE_HEIGHT,
  TILE_WIDTH,
} from './tree.ts'

/** The first thing found wrong with a log; `leafIndex` is the first leaf it concerns. */
export type LogFault =
  | { readonly code: CheckpointRefusal }
  | { readonly code: 'unavailable'; readonly path: string; readonly detail: string }
  | {
      readonly code: 'malformed_bundle' | 'malformed_tile'
      readonly path: string
      readonly leafIndex: number
    }
  /** An entry does not hash to what tile row 0 says: one of the two was changed. */
  | { readonly code: 'leaf_mismatch'; readonly path: string; readonly leafIndex: number }
  /** A hash of a higher tile row is not that of the leaves below it. */
  | { readonly code: 'tile_mismatch'; readonly path: string; readonly leafIndex: number }
  /** Leaves and tiles agree with one another, but not with the signed root. */
  | { readonly code: 'root_mismatch'; readonly treeSize: number }

/**
 * Audits a whole log against a checkpoint whose signature was already verified: hashes every entry, compares
 * every tile of every row, and in the end the root. Asks for resources by yielding them in the order of
 * `auditOrder`, so that the same audit runs over a database, files or HTTP. Returns the first fault, if any.
 *
 * @param onEntry sees each entry that agrees with its tile. Nothing is proven until the audit has ended well.
 */
export function* auditLog(
  checkpoint: Checkpoint,
  onEntry?: (entry: Buffer, leafIndex: number) => void,
): Generator<TileRef, LogFault | undefined, Buffer> {
  let edge: Edge = EMPTY_EDGE
  let entries: Buffer[] = []
  // Nodes of each tile row that the leaves so far have finished and no tile was compared with yet.
  const rows: Buffer[][] = []
  for (const ref of auditOrder(checkpoint.treeSize)) {
    const bytes = yield ref
    const path = tilePath(ref)
    const leafIndex = firstLeaf(ref)
    if (ref.level === 'entries') {
      const decoded = decodeEntryBundle(bytes)
      if (decoded?.length !== ref.width) return { code: 'malformed_bundle', path, leafIndex }
      entries = decoded
      continue
    }
    if (bytes.length !== ref.width * HASH_BYTES) return { code: 'malformed_tile', path, leafIndex }
    if (ref.level > 0) {
      const computed = rows[ref.level]?.splice(0, ref.width) ?? []
      for (let at = 0; at < ref.width; at += 1) {
        if (hashMatches(bytes, at, computed[at])) continue
        return { code: 'tile_mismatch', path, leafIndex: leafIndex + at * TILE_WIDTH ** ref.level }
      }
      continue
    }
    for (const [at, entry] of entries.entries()) {
      const leafHash = hashLeaf(entry)
      if (!hashMatches(bytes, at, leafHash)) return { code: 'leaf_mismatch', path, leafIndex: leafIndex + at }
      const appended = appendLeafHash(edge, leafHash)
      edge = appended.edge
      for (const node of appended.stored) {
        const row = node.level / TILE_HEIGHT
        rows[row] ??= []
        rows[row].push(node.hash)
      }
      onEntry?.(entry, leafIndex + at)
    }
  }
  if (!rootOf(edge).equals(checkpoint.rootHash)) {
    return { code: 'root_mismatch', treeSize: checkpoint.treeSize }
  }
  return undefined
}

/** The resources an audit reads, in its order: each bundle, its tile, then every higher tile that this finished. */
export function* auditOrder(treeSize: number): Generator<TileRef> {
  for (let index = 0; index * TILE_WIDTH < treeSize; index += 1) {
    const width = tileWidth(treeSize, 0, index)
    yield { level: 'entries', index, width }
    yield { level: 0, index, width }
    let finished = width === TILE_WIDTH ? index + 1 : 1
    for (let level = 1; finished % TILE_WIDTH === 0; level += 1) {
      finished /= TILE_WIDTH
      yield { level, index: finished - 1, width: TILE_WIDTH }
    }
  }
  for (let level = 1; TILE_WIDTH ** level <= treeSize; level += 1) {
    const index = Math.floor(treeSize / TILE_WIDTH ** (level + 1))
    const width = tileWidth(treeSize, level, index)
    if (width > 0) yield { level, index, width }
  }
}

function firstLeaf({ level, index }: TileRef): number {
  return index * TILE_WIDTH ** (level === 'entries' ? 1 : level + 1)
}

function hashMatches(tile: Buffer, at: number, hash: Buffer | undefined): boolean {
  return hash !== undefined && tile.compare(hash, 0, HASH_BYTES, at * HASH_BYTES, (at + 1) * HASH_BYTES) === 0
}
