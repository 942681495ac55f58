import { describe, expect, it } from 'vitest'
import {
  consistencyProof,
  inclusionProof,
  verifyConsistency,
  verifyInclusion,
} from '../../../src/core/merkle/proof.ts'
import {
  appendLeafHash,
  EMPTY_EDGE,
  EMPTY_ROOT,
  hashLeaf,
  hashNode,
  nodeReader,
  rootOf,
} from '../../../src/core/merkle/tree.ts'
import { storeTree } from '../../support/stored-tree.ts'
import { VECTORS, vectorEntry, vectorLeafHashes } from '../../support/vector-log.ts'

describe('RFC 6962 section 2.1, hashes', () => {
  it('prefixes leaves with 0x00 and nodes with 0x01', () => {
    expect(hashLeaf(Buffer.alloc(0)).toString('hex')).toBe(
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    )
    expect(hashLeaf(Buffer.from('L123456')).toString('hex')).toBe(
      '395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56',
    )
    expect(hashNode(Buffer.from('N123'), Buffer.from('N456')).toString('hex')).toBe(
      'aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb',
    )
  })

  it('gives the empty tree the hash of nothing', () => {
    expect(EMPTY_ROOT.toString('base64')).toBe('47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=')
    expect(rootOf(EMPTY_EDGE)).toEqual(EMPTY_ROOT)
  })

  it('gives the eight leaves of the certificate-transparency test tree their roots', () => {
    const leaves = [
      '',
      '00',
      '10',
      '2021',
      '3031',
      '40414243',
      '5051525354555657',
      '606162636465666768696a6b6c6d6e6f',
    ]
    const roots = [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
      'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
      '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
      'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
      '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
    ]
    let edge = EMPTY_EDGE
    for (const [i, leaf] of leaves.entries()) {
      edge = appendLeafHash(edge, hashLeaf(Buffer.from(leaf, 'hex'))).edge
      expect(rootOf(edge).toString('hex')).toBe(roots[i])
    }
  })
})

describe('the worked log of 70,000 entries', () => {
  const leaves = vectorLeafHashes(70_000)
  const tree = storeTree(leaves)
  const readHash = nodeReader(tree.readRow)

  it('has the entries and leaf hashes it describes', () => {
    expect(vectorEntry(0).toString()).toBe(VECTORS.entry0)
    expect(vectorEntry(299).toString()).toBe(VECTORS.entry299)
    expect(leaves[0]?.toString('base64')).toBe(VECTORS.leafHash0)
    expect(leaves[299]?.toString('base64')).toBe(VECTORS.leafHash299)
  })

  it('has the listed root at each listed size', () => {
    let edge = EMPTY_EDGE
    const roots: Record<string, string> = { 0: rootOf(edge).toString('base64') }
    for (const leaf of leaves) {
      edge = appendLeafHash(edge, leaf).edge
      if (VECTORS.roots[edge.treeSize] !== undefined) roots[edge.treeSize] = rootOf(edge).toString('base64')
    }
    expect(roots).toEqual(VECTORS.roots)
  })

  it.each(VECTORS.inclusion)('proves leaf $index of $size by the listed path', ({ index, size, proof }) => {
    expect(inclusionProof(index, size, readHash).map((hash) => hash.toString('base64'))).toEqual(proof)
    const path = proof.map((hash) => Buffer.from(hash, 'base64'))
    const leaf = leaves[index] ?? Buffer.alloc(0)
    expect(verifyInclusion(leaf, index, size, path, rootAt(size))).toBe(true)
    expect(verifyInclusion(leaf, index, size, path, rootAt(255))).toBe(false)
  })

  it.each(VECTORS.consistency)('proves that $from grew to $to by the listed path', ({ from, to, proof }) => {
    expect(consistencyProof(from, to, readHash).map((hash) => hash.toString('base64'))).toEqual(proof)
    const path = proof.map((hash) => Buffer.from(hash, 'base64'))
    expect(verifyConsistency(from, to, path, rootAt(from), rootAt(to))).toBe(true)
    expect(verifyConsistency(from, to, path, rootAt(3), rootAt(to))).toBe(false)
  })
})

function rootAt(size: number): Buffer {
  return Buffer.from(VECTORS.roots[size] ?? '', 'base64')
}
