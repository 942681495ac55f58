import {
  appendLeafHash,
  type Edge,
  EMPTY_EDGE,
  HASH_BYTES,
  type RowReader,
} from '../../src/core/merkle/tree.ts'

/** A tree with its tile rows in memory, as a store keeps them. */
export interface StoredTree {
  readonly edge: Edge
  readonly readRow: RowReader
}

/** Appends leaf hashes one by one and keeps what is to be stored, asserting that rows grow without gaps. */
export function storeTree(leafHashes: readonly Buffer[]): StoredTree {
  const rows: Buffer[][] = [[]]
  let edge = EMPTY_EDGE
  for (const leafHash of leafHashes) {
    rows[0]?.push(leafHash)
    const appended = appendLeafHash(edge, leafHash)
    edge = appended.edge
    for (const { level, nodeIndex, hash } of appended.stored) {
      rows[level / 8] ??= []
      const row = rows[level / 8]
      if (row?.length !== nodeIndex) throw new Error(`level ${level}: node ${nodeIndex} after ${row?.length}`)
      row.push(hash)
    }
  }
  return {
    edge,
    readRow: (tileLevel, first, count) => {
      if (count > 256 || Math.floor(first / 256) !== Math.floor((first + count - 1) / 256)) {
        throw new Error('a read crosses a tile')
      }
      const hashes = rows[tileLevel]?.slice(first, first + count) ?? []
      return Buffer.concat(hashes, hashes.length * HASH_BYTES)
    },
  }
}
