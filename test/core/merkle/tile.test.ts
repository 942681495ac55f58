import { describe, expect, it } from 'vitest'
import {
  decodeEntryBundle,
  encodeEntryBundle,
  parseTilePath,
  tileExists,
  tilePath,
  tilesOf,
  tileWidth,
} from '../../../src/core/merkle/tile.ts'
import { fetchedNodes, tilesForNodes } from '../../../src/core/merkle/tile-reader.ts'
import { storeTree } from '../../support/stored-tree.ts'
import { leafHashes, naiveRoot } from './naive-tree.ts'

describe('tile paths', () => {
  it.each([
    'tile/0/000/',
    '/tile/0/000',
    'tile/0/0',
    'tile/0/00',
    'tile/0/0000',
    'tile/00/000',
    'tile/01/000',
    'tile/64/000',
    'tile/-1/000',
    'tile/0/x000/001',
    'tile/0/001/x234',
    'tile/0/1/234',
    'tile/0/X001/234',
    'tile/0/000.p/0',
    'tile/0/000.p/01',
    'tile/0/000.p/256',
    'tile/0/000.p/1000',
    'tile/0/000.p/',
    'tile/0/000.p',
    'tile/0/000.P/1',
    'tile/0/000.p/1\n',
    'tile/leaves/000',
    'tile/entries/..',
    'tile/0/x%30%30%31/000',
    'tile/0/x999/x999/x999/x999/x999/999',
    '',
  ])('refuse the spelling %j', (path) => {
    expect(parseTilePath(path)).toBeUndefined()
  })

  it('name the largest index there is', () => {
    const ref = { level: 0, index: Number.MAX_SAFE_INTEGER, width: 256 }
    expect(tilePath(ref)).toBe('tile/0/x009/x007/x199/x254/x740/991')
    expect(parseTilePath(tilePath(ref))).toEqual(ref)
  })

  it('cannot be printed for what is no tile', () => {
    for (const wrong of [
      { level: 64 },
      { level: 0.5 },
      { index: -1 },
      { index: 2 ** 53 },
      { width: 0 },
      { width: 257 },
    ]) {
      expect(() => tilePath({ level: 0, index: 0, width: 256, ...wrong })).toThrow(RangeError)
    }
  })
})

describe('the tiles of a tree', () => {
  it('exist up to its size and not beyond', () => {
    expect(tileExists({ level: 0, index: 1, width: 44 }, 300)).toBe(true)
    expect(tileExists({ level: 0, index: 1, width: 45 }, 300)).toBe(false)
    expect(tileExists({ level: 0, index: 1, width: 0 }, 300)).toBe(false)
    expect(tileExists({ level: 0, index: 2, width: 1 }, 512)).toBe(false)
    expect(tileExists({ level: 'entries', index: 1, width: 44 }, 300)).toBe(true)
    expect(tileExists({ level: 'entries', index: 1, width: 45 }, 300)).toBe(false)
    expect(tileExists({ level: 1, index: 0, width: 1 }, 255)).toBe(false)
    expect(tileExists({ level: 1, index: 0, width: 1 }, 256)).toBe(true)
    expect(tileExists({ level: 63, index: 0, width: 1 }, Number.MAX_SAFE_INTEGER)).toBe(false)
  })

  it('are none for the empty tree', () => {
    expect([...tilesOf(0)]).toEqual([])
    expect(tileWidth(0, 0, 0)).toBe(0)
  })

  it('hold any node of the tree, each tile fetched once', () => {
    const leaves = leafHashes(700)
    const { readRow } = storeTree(leaves)
    const nodes = [
      { level: 0, index: 5 },
      { level: 3, index: 1 },
      { level: 9, index: 0 },
      { level: 6, index: 9 },
    ]
    const tiles = tilesForNodes(nodes, 700)
    expect(tiles.map(tilePath)).toEqual(['tile/0/000', 'tile/1/000.p/2', 'tile/0/002.p/188'])
    const fetched = new Map(tiles.map((t) => [tilePath(t), readRow(t.level, t.index * 256, t.width)]))
    const readHash = fetchedNodes(fetched, 700)
    expect(readHash(3, 1)).toEqual(naiveRoot(leaves.slice(8, 16)))
    expect(readHash(9, 0)).toEqual(naiveRoot(leaves.slice(0, 512)))
    expect(readHash(6, 9)).toEqual(naiveRoot(leaves.slice(576, 640)))
    expect(() => readHash(0, 300)).toThrow(RangeError)
  })
})

describe('entry bundles', () => {
  it('carry their entries byte for byte, the empty and the longest among them', () => {
    const entries = [Buffer.from('{"v":1}'), Buffer.alloc(0), Buffer.alloc(65_535, 1), Buffer.from([0, 0])]
    expect(decodeEntryBundle(encodeEntryBundle(entries))).toEqual(entries)
    expect(decodeEntryBundle(Buffer.alloc(0))).toEqual([])
    expect(encodeEntryBundle([Buffer.from('ab')])).toEqual(Buffer.from([0, 2, 97, 98]))
  })

  it('are refused when cut anywhere but between entries', () => {
    const bundle = encodeEntryBundle([Buffer.from('abc'), Buffer.from('de')])
    const cuts = Array.from({ length: bundle.length }, (_, at) => decodeEntryBundle(bundle.subarray(0, at)))
    expect(cuts.map((entries) => entries?.length)).toEqual([
      0,
      ...Array(4).fill(undefined),
      1,
      ...Array(3).fill(undefined),
    ])
  })

  it('cannot hold an entry longer than its length field can say', () => {
    expect(() => encodeEntryBundle([Buffer.alloc(65_536)])).toThrow(RangeError)
  })
})
