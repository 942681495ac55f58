import { describe, expect, it } from 'vitest'
import {
  appendLeafHash,
  type Edge,
  EMPTY_EDGE,
  EMPTY_ROOT,
  edgeFromTiles,
  hashLeaf,
  hashNode,
  nodeReader,
  rootOf,
  subtreesOf,
} from '../../../src/core/merkle/tree.ts'
import { storeTree } from '../../support/stored-tree.ts'
import { leafHashes, naiveRoot } from './naive-tree.ts'

describe('the tree edge', () => {
  it('has the root that RFC 9162 defines, at every size up to 600', () => {
    const leaves = leafHashes(600)
    let edge: Edge = EMPTY_EDGE
    expect(rootOf(edge)).toEqual(EMPTY_ROOT)
    for (const [i, leaf] of leaves.entries()) {
      edge = appendLeafHash(edge, leaf).edge
      expect(edge.treeSize).toBe(i + 1)
      if (i < 130 || i > 500) expect(rootOf(edge)).toEqual(naiveRoot(leaves.slice(0, i + 1)))
    }
  })

  it('does not change when a leaf is appended to it, so a rolled-back append is undone by keeping it', () => {
    const { edge } = storeTree(leafHashes(7))
    const root = rootOf(edge)
    appendLeafHash(edge, hashLeaf(Buffer.from('rolled back')))
    expect(edge.treeSize).toBe(7)
    expect(rootOf(edge)).toEqual(root)
    expect(edge.hashes).toHaveLength(3)
  })

  it('stores the nodes of levels 8 and 16 exactly when they are finished', () => {
    const leaves = leafHashes(65_536)
    const stored: string[] = []
    let edge: Edge = EMPTY_EDGE
    for (const leaf of leaves) {
      const appended = appendLeafHash(edge, leaf)
      edge = appended.edge
      for (const { level, nodeIndex, hash } of appended.stored) {
        if (nodeIndex === 1) expect(hash).toEqual(naiveRoot(leaves.slice(256, 512)))
        if (level === 16) expect(hash).toEqual(rootOf(edge))
        stored.push(`${edge.treeSize}: ${level}/${nodeIndex}`)
      }
    }
    expect(stored).toHaveLength(257)
    expect(stored.slice(0, 2)).toEqual(['256: 8/0', '512: 8/1'])
    expect(stored.slice(-2)).toEqual(['65536: 8/255', '65536: 16/0'])
  })

  it('appends beyond 2^31 leaves, where shifts would have lost the upper bits', () => {
    const half = { treeSize: 2 ** 40 - 1, hashes: leafHashes(40) }
    const { edge, stored } = appendLeafHash(half, hashLeaf(Buffer.from('last')))
    expect(edge).toMatchObject({ treeSize: 2 ** 40, hashes: [rootOf(edge)] })
    expect(stored.map(({ level, nodeIndex }) => [level, nodeIndex])).toEqual([
      [8, 2 ** 32 - 1],
      [16, 2 ** 24 - 1],
      [24, 2 ** 16 - 1],
      [32, 255],
      [40, 0],
    ])
  })
})

describe('an edge rebuilt from tile rows', () => {
  it.each([0, 1, 2, 127, 255, 256, 257, 300, 511, 512, 65_535, 65_536, 65_793, 70_000])(
    'equals the edge that grew, at size %i',
    (treeSize) => {
      const grown = storeTree(leafHashes(treeSize))
      const read: number[] = []
      const edge = edgeFromTiles(treeSize, (tileLevel, first, count) => {
        read[tileLevel] = (read[tileLevel] ?? 0) + count
        return grown.readRow(tileLevel, first, count)
      })
      expect(edge).toEqual(grown.edge)
      for (const count of read) expect(count ?? 0).toBeLessThanOrEqual(255)
    },
  )

  it('asks for the right rows of a tree far above 2^31', () => {
    const asked: unknown[] = []
    edgeFromTiles(2 ** 41 + 256 + 3, (tileLevel, first, count) => {
      asked.push([tileLevel, first, count])
      return Buffer.alloc(count * 32)
    })
    expect(asked).toEqual([
      [5, 0, 2],
      [1, 2 ** 33, 1],
      [0, 2 ** 41 + 256, 2],
      [0, 2 ** 41 + 258, 1],
    ])
  })

  it('is refused when a row is shorter than the size says', () => {
    const { readRow } = storeTree(leafHashes(300))
    expect(() => edgeFromTiles(301, readRow)).toThrow(RangeError)
    expect(() => edgeFromTiles(556, readRow)).toThrow(RangeError)
  })
})

describe('nodes between tile rows', () => {
  it('are computed from one row, at every level', () => {
    const leaves = leafHashes(1024)
    const readHash = nodeReader(storeTree(leaves).readRow)
    for (let level = 0; level <= 10; level += 1) {
      const width = 2 ** level
      const index = 1024 / width - 1
      expect(readHash(level, index)).toEqual(naiveRoot(leaves.slice(index * width, (index + 1) * width)))
    }
  })

  it('join to the root of the range they cover', () => {
    expect(subtreesOf(0, 0)).toEqual([])
    expect(subtreesOf(8, 15)).toEqual([
      { level: 2, index: 2 },
      { level: 1, index: 6 },
      { level: 0, index: 14 },
    ])
  })

  it('hash a copy of their input, so an earlier result never changes', () => {
    const [a, b] = leafHashes(2) as [Buffer, Buffer]
    const first = hashNode(a, b)
    const kept = first.toString('hex')
    hashNode(b, a)
    expect(first.toString('hex')).toBe(kept)
  })
})
