import { hash } from 'node:crypto'

/** Bytes in every hash of the tree (SHA-256). */
export const HASH_BYTES = 32

/** Leaves a tile row holds at most, and tree levels between two tile rows (c2sp.org/tlog-tiles). */
export const TILE_WIDTH = 256
export const TILE_HEIGHT = 8

/** Root of the tree without leaves: SHA-256 of nothing (RFC 9162 section 2.1.1). */
export const EMPTY_ROOT: Buffer = hash('sha256', Buffer.alloc(0), 'buffer')

/**
 * The right edge of a tree: all that is needed to append to it and to know its root.
 * `hashes` holds the roots of the complete subtrees that `treeSize` is the sum of, largest first.
 * Edges are never changed, so a rolled-back append is undone by keeping the older one.
 */
export interface Edge {
  readonly treeSize: number
  readonly hashes: readonly Buffer[]
}

/** A finished interior node of tree level 8, 16, 24…: one hash of the tile row `level / 8`. */
export interface StoredNode {
  readonly level: number
  readonly nodeIndex: number
  readonly hash: Buffer
}

/**
 * Reads `count` consecutive hashes of a tile row, joined: `tileLevel` 0 are leaf hashes, `tileLevel` n the
 * nodes of tree level 8n. A read never crosses a tile, so `count` is at most 256.
 */
export type RowReader = (tileLevel: number, firstIndex: number, count: number) => Buffer

/** Reads the hash of the complete, aligned subtree over leaves [index·2^level, (index+1)·2^level). */
export type HashReader = (level: number, index: number) => Buffer

export const EMPTY_EDGE: Edge = { treeSize: 0, hashes: [] }

// One scratch input for all interior nodes. Hashing is synchronous, so nothing can see it half written.
const nodeInput = Buffer.alloc(1 + 2 * HASH_BYTES, 1)

/** Hashes a leaf: SHA-256(0x00 ‖ bytes), RFC 9162 section 2.1.1. */
export function hashLeaf(bytes: Uint8Array): Buffer {
  const input = Buffer.allocUnsafe(1 + bytes.length)
  input[0] = 0
  input.set(bytes, 1)
  return hash('sha256', input, 'buffer')
}

/** Hashes an interior node: SHA-256(0x01 ‖ left ‖ right). */
export function hashNode(left: Uint8Array, right: Uint8Array): Buffer {
  if (left.length !== HASH_BYTES || right.length !== HASH_BYTES) {
    // Published test vectors hash shorter texts; the scratch input would mix in what it held before.
    return hash('sha256', Buffer.concat([Buffer.of(1), left, right]), 'buffer')
  }
  nodeInput.set(left, 1)
  nodeInput.set(right, 1 + HASH_BYTES)
  return hash('sha256', nodeInput, 'buffer')
}

/**
 * Appends one leaf hash. `stored` are the tile-row nodes this leaf finished, lowest first; level 0, the leaf
 * hash itself, is not among them. Costs one hash on average and at most one a level.
 */
export function appendLeafHash(edge: Edge, leafHash: Buffer): { edge: Edge; stored: StoredNode[] } {
  let node = leafHash
  let nodeIndex = edge.treeSize
  let level = 0
  let kept = edge.hashes.length
  const stored: StoredNode[] = []
  // Division instead of shifts: shifts lose everything above 2^31.
  while (nodeIndex % 2 === 1) {
    kept -= 1
    node = hashNode(hashAt(edge.hashes, kept), node)
    nodeIndex = (nodeIndex - 1) / 2
    level += 1
    if (level % TILE_HEIGHT === 0) stored.push({ level, nodeIndex, hash: node })
  }
  const hashes = edge.hashes.slice(0, kept)
  hashes.push(node)
  return { edge: { treeSize: edge.treeSize + 1, hashes }, stored }
}

/** The Merkle tree hash of the tree that ends at this edge. */
export function rootOf(edge: Edge): Buffer {
  return edge.treeSize === 0 ? EMPTY_ROOT : foldSubtrees(edge.hashes)
}

/** Joins the roots of adjacent complete subtrees, largest first, into the root over all of them. */
export function foldSubtrees(hashes: readonly Buffer[]): Buffer {
  let node = hashAt(hashes, hashes.length - 1)
  for (let i = hashes.length - 2; i >= 0; i -= 1) node = hashNode(hashAt(hashes, i), node)
  return node
}

/**
 * Rebuilds the edge of a stored tree from the partial tile of each row: at most 255 hashes a level.
 * @throws RangeError if the reader returns fewer or more hashes than asked for.
 */
export function edgeFromTiles(treeSize: number, readRow: RowReader): Edge {
  return {
    treeSize,
    hashes: subtreesOf(0, treeSize).map((node) => readNode(readRow, node.level, node.index)),
  }
}

/** Makes a `HashReader` that computes nodes between the tile rows from at most 128 hashes of one row. */
export function nodeReader(readRow: RowReader): HashReader {
  return (level, index) => readNode(readRow, level, index)
}

/** Splits leaves [from, to) into complete aligned subtrees, largest first. `from` must be aligned to them. */
export function subtreesOf(from: number, to: number): { level: number; index: number }[] {
  const subtrees: { level: number; index: number }[] = []
  let level = 0
  let width = 1
  while (width * 2 <= to - from) {
    width *= 2
    level += 1
  }
  for (let first = from; first < to; ) {
    if (first + width <= to) {
      subtrees.push({ level, index: first / width })
      first += width
    }
    width /= 2
    level -= 1
  }
  return subtrees
}

/** Names the hashes of a tile row that `nodeReader` reads for one node. */
export function rowOfNode(level: number, index: number): { tileLevel: number; first: number; count: number } {
  const count = 2 ** (level % TILE_HEIGHT)
  return { tileLevel: Math.floor(level / TILE_HEIGHT), first: index * count, count }
}

function readNode(readRow: RowReader, level: number, index: number): Buffer {
  const { tileLevel, first, count } = rowOfNode(level, index)
  const row = readRow(tileLevel, first, count)
  if (row.length !== count * HASH_BYTES) {
    throw new RangeError(
      `tile row ${tileLevel}: wanted ${count} hashes at ${first}, read ${row.length} bytes`,
    )
  }
  return hashRow(row)
}

/** The root over a row of 1, 2, 4, … 256 hashes. */
function hashRow(row: Buffer): Buffer {
  let hashes: Buffer[] = []
  for (let at = 0; at < row.length; at += HASH_BYTES) hashes.push(row.subarray(at, at + HASH_BYTES))
  while (hashes.length > 1) {
    const above: Buffer[] = []
    for (let i = 0; i < hashes.length; i += 2) above.push(hashNode(hashAt(hashes, i), hashAt(hashes, i + 1)))
    hashes = above
  }
  return hashAt(hashes, 0)
}

function hashAt(hashes: readonly Buffer[], at: number): Buffer {
  const found = hashes[at]
  if (found === undefined) throw new RangeError(`no hash at ${at}: the edge does not match its tree size`)
  return found
}
