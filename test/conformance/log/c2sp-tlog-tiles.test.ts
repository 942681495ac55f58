import { describe, expect, it } from 'vitest'
import { parseTilePath, tileExists, tilePath, tilesOf } from '../../../src/core/merkle/tile.ts'
import { hashNode, nodeReader } from '../../../src/core/merkle/tree.ts'
import { storeTree } from '../../support/stored-tree.ts'
import { VECTORS, vectorLeafHashes } from '../../support/vector-log.ts'

describe('tlog-tiles, paths', () => {
  it.each(VECTORS.tilePaths)('$path', ({ path, ...ref }) => {
    expect(tilePath(ref)).toBe(path)
    expect(parseTilePath(path)).toEqual(ref)
  })

  it('writes index 1234067 as the specification does', () => {
    expect(tilePath({ level: 63, index: 1_234_067, width: 1 })).toBe('tile/63/x001/x234/067.p/1')
    expect(tilePath({ level: 0, index: 1000, width: 256 })).toBe('tile/0/x001/000')
    expect(tilePath({ level: 0, index: 999, width: 256 })).toBe('tile/0/999')
  })
})

describe('tlog-tiles, which tiles there are', () => {
  it('for 70,000 entries: 273 full and one of 112, one full and one of 17, one of 1', () => {
    const tiles = [...tilesOf(70_000)]
    expect(tiles.filter(({ level }) => level === 0)).toHaveLength(274)
    expect(tiles.slice(-4).map(tilePath)).toEqual([
      'tile/0/273.p/112',
      'tile/1/000',
      'tile/1/001.p/17',
      'tile/2/000.p/1',
    ])
    expect(tiles.every((tile) => tileExists(tile, 70_000))).toBe(true)
    expect(tiles.filter((tile) => tileExists(tile, 69_999)).length).toBe(tiles.length - 1)
  })

  it('for 256 entries: a full tile and above it one of width 1', () => {
    expect([...tilesOf(256)].map(tilePath)).toEqual(['tile/0/000', 'tile/1/000.p/1'])
    expect([...tilesOf(255)].map(tilePath)).toEqual(['tile/0/000.p/255'])
    expect([...tilesOf(257)].map(tilePath)).toEqual(['tile/0/000', 'tile/0/001.p/1', 'tile/1/000.p/1'])
  })
})

describe('tlog-tiles, what is in them', () => {
  it('hashes a full tile, and only that, into the row above', () => {
    const { readRow } = storeTree(vectorLeafHashes(65_536 + 300))
    let hashes = Array.from({ length: 256 }, (_, i) => readRow(0, 256 + i, 1))
    while (hashes.length > 1) {
      hashes = hashes.flatMap((hash, i) => (i % 2 ? [hashNode(hashes[i - 1] ?? hash, hash)] : []))
    }
    expect(readRow(1, 1, 1)).toEqual(hashes[0])
    expect(readRow(1, 256, 2)).toHaveLength(32)
    expect(readRow(2, 0, 1).toString('base64')).toBe(VECTORS.roots[65_536])
    expect(nodeReader(readRow)(16, 0)).toEqual(readRow(2, 0, 1))
  })
})
