import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  consistencyProof,
  inclusionNodes,
  inclusionProof,
  isPowerOfTwo,
  rootsFromConsistency,
  verifyConsistency,
  verifyInclusion,
} from '../../../src/core/merkle/proof.ts'
import { EMPTY_ROOT, foldSubtrees, hashNode, nodeReader } from '../../../src/core/merkle/tree.ts'
import { storeTree } from '../../support/stored-tree.ts'
import { leafHashes, naiveConsistency, naivePath, naiveRoot } from './naive-tree.ts'

const SIZE_MAX = 130
const LEAVES = leafHashes(SIZE_MAX)
const ROOTS = Array.from({ length: SIZE_MAX + 1 }, (_, size) => naiveRoot(LEAVES.slice(0, size)))
const readHash = nodeReader(storeTree(LEAVES).readRow)
const STRANGER = Buffer.alloc(32, 0xee)

function leaf(index: number): Buffer {
  return LEAVES[index] ?? STRANGER
}

function root(size: number): Buffer {
  return ROOTS[size] ?? STRANGER
}

function flipped(hash: Buffer, bit: number): Buffer {
  const copy = Buffer.from(hash)
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return copy
}

describe('inclusion proofs', () => {
  it('are those of RFC 9162 and verify, for every leaf of every size up to 130', () => {
    for (let size = 1; size <= SIZE_MAX; size += 1) {
      for (let index = 0; index < size; index += 1) {
        const proof = inclusionProof(index, size, readHash)
        if (size % 7 === 0) expect(proof).toEqual(naivePath(index, LEAVES.slice(0, size)))
        if (!verifyInclusion(leaf(index), index, size, proof, root(size))) expect.fail(`${index} of ${size}`)
      }
    }
  })

  it('verify for no other index of the same tree', () => {
    for (const size of [1, 2, 3, 8, 13, 64, 65, 130]) {
      for (let index = 0; index < size; index += 1) {
        const proof = inclusionProof(index, size, readHash)
        for (let other = 0; other <= size; other += 1) {
          const holds = verifyInclusion(leaf(index), other, size, proof, root(size))
          expect(holds, `${index} as ${other} of ${size}`).toBe(other === index)
        }
      }
    }
  })

  it('do not verify once anything in them is changed', () => {
    const cases = fc
      .integer({ min: 1, max: SIZE_MAX })
      .chain((size) => fc.tuple(fc.constant(size), fc.nat(size - 1), fc.nat(255), fc.nat(200)))
    fc.assert(
      fc.property(cases, ([size, index, bit, pick]) => {
        const proof = inclusionProof(index, size, readHash)
        const verifies = (p: Buffer[], l = leaf(index), r = root(size)) =>
          verifyInclusion(l, index, size, p, r)
        expect(verifies(proof)).toBe(true)
        expect(verifies(proof, flipped(leaf(index), bit))).toBe(false)
        expect(verifies(proof, leaf(index), flipped(root(size), bit))).toBe(false)
        expect(verifies([...proof, STRANGER])).toBe(false)
        expect(verifies([STRANGER, ...proof])).toBe(false)
        if (proof.length > 0) {
          const at = pick % proof.length
          expect(verifies(proof.with(at, flipped(proof[at] ?? STRANGER, bit)))).toBe(false)
          expect(verifies(proof.toSpliced(at, 1))).toBe(false)
        }
        if (proof.length > 1) expect(verifies(proof.toReversed())).toBe(false)
      }),
      { seed: 1, numRuns: 400 },
    )
  })

  it('do not verify for a size that would need a longer or shorter path', () => {
    const proof = inclusionProof(5, 8, readHash)
    for (const size of [0, 4, 5, 6, 9, 16, 17, 2 ** 40]) {
      expect(verifyInclusion(leaf(5), 5, size, proof, root(8)), `size ${size}`).toBe(false)
    }
    // The path from leaf 5 has the same shape at size 7 and 8, so only the root tells them apart.
    expect(verifyInclusion(leaf(5), 5, 7, proof, root(7))).toBe(false)
  })

  it.each([
    ['a leaf hash that is not 32 bytes', leaf(0).subarray(1), 0, 2, [leaf(1)], root(2)],
    ['a root that is not 32 bytes', leaf(0), 0, 2, [leaf(1)], root(2).subarray(0, 12)],
    ['a proof hash that is not 32 bytes', leaf(0), 0, 2, [Buffer.alloc(33)], root(2)],
    ['an empty proof for a tree of two', leaf(0), 0, 2, [], leaf(0)],
    ['an index that is not whole', leaf(0), 0.5, 2, [leaf(1)], root(2)],
    ['a negative index', leaf(0), -1, 1, [], leaf(0)],
    ['the empty tree', leaf(0), 0, 0, [], EMPTY_ROOT],
    ['a size that is not a safe integer', leaf(0), 0, 2 ** 53, [], leaf(0)],
    ['an index that is not a number', leaf(0), Number.NaN, 1, [], leaf(0)],
  ])('are refused with %s', (_, leafHash, index, size, proof, rootHash) => {
    expect(verifyInclusion(leafHash, index, size, proof, rootHash)).toBe(false)
  })

  it('do not let a cut between two hashes be moved, nor a short text stand for a hash', () => {
    const both = Buffer.concat([leaf(0), leaf(1)])
    expect(verifyInclusion(leaf(0), 0, 2, [leaf(1)], root(2))).toBe(true)
    expect(verifyInclusion(both.subarray(0, 31), 0, 2, [both.subarray(31)], root(2))).toBe(false)
    expect(verifyInclusion(Buffer.alloc(12), 0, 1, [], Buffer.alloc(12))).toBe(false)
  })

  it('do not go on above the root, wherever that would lead', () => {
    expect(verifyInclusion(leaf(0), 0, 1, [STRANGER], hashNode(STRANGER, leaf(0)))).toBe(false)
    expect(verifyInclusion(leaf(1), 1, 2, [leaf(0), STRANGER], hashNode(STRANGER, root(2)))).toBe(false)
  })

  it('refuse to be made for a leaf that is not in the tree', () => {
    expect(() => inclusionProof(8, 8, readHash)).toThrow(RangeError)
    expect(() => inclusionProof(-1, 8, readHash)).toThrow(RangeError)
    expect(() => inclusionProof(0, 2 ** 53, readHash)).toThrow(RangeError)
  })

  it('work above 2^31 leaves, where shifts would have lost the upper bits', () => {
    // A tree in which every complete subtree of one level has the same hash can be computed at any size.
    const byLevel = [leaf(0)]
    for (let level = 1; level <= 53; level += 1) {
      const below = byLevel[level - 1] ?? STRANGER
      byLevel[level] = hashNode(below, below)
    }
    const uniform = (level: number) => byLevel[level] ?? STRANGER
    for (const size of [2 ** 31 + 1, 2 ** 32 + 5, 2 ** 45 - 1, 2 ** 52 + 2 ** 31, Number.MAX_SAFE_INTEGER]) {
      const rootHash = foldSubtrees(sizeLevels(size).map(uniform))
      for (const index of [0, 2 ** 31 - 1, 2 ** 31, size - 1]) {
        const proof = inclusionProof(index, size, uniform)
        expect(verifyInclusion(leaf(0), index, size, proof, rootHash), `${index} of ${size}`).toBe(true)
        expect(verifyInclusion(leaf(1), index, size, proof, rootHash)).toBe(false)
        expect(inclusionNodes(index, size)).toHaveLength(proof.length)
      }
      const older = consistencyProof(2 ** 31, size, uniform)
      expect(verifyConsistency(2 ** 31, size, older, uniform(31), rootHash)).toBe(true)
      expect(verifyConsistency(2 ** 31 - 1, size, older, uniform(31), rootHash)).toBe(false)
    }
  })
})

describe('consistency proofs', () => {
  it('are those of RFC 9162 and verify, for every pair of sizes up to 130', () => {
    for (let to = 0; to <= SIZE_MAX; to += 1) {
      for (let from = 0; from <= to; from += 1) {
        const proof = consistencyProof(from, to, readHash)
        if (to % 13 === 0 && from > 0) expect(proof).toEqual(naiveConsistency(from, LEAVES.slice(0, to)))
        if (!verifyConsistency(from, to, proof, root(from), root(to))) expect.fail(`${from} to ${to}`)
      }
    }
  })

  it('do not verify once anything in them is changed', () => {
    const cases = fc
      .integer({ min: 2, max: SIZE_MAX })
      .chain((to) => fc.tuple(fc.integer({ min: 1, max: to - 1 }), fc.constant(to), fc.nat(255), fc.nat(200)))
    fc.assert(
      fc.property(cases, ([from, to, bit, pick]) => {
        const proof = consistencyProof(from, to, readHash)
        const verifies = (p: Buffer[], older = root(from), newer = root(to)) =>
          verifyConsistency(from, to, p, older, newer)
        expect(verifies(proof)).toBe(true)
        expect(verifies(proof, flipped(root(from), bit))).toBe(false)
        expect(verifies(proof, root(from), flipped(root(to), bit))).toBe(false)
        expect(verifies(proof, root(to), root(from))).toBe(false)
        expect(verifies([...proof, STRANGER])).toBe(false)
        expect(verifies([])).toBe(false)
        const at = pick % proof.length
        expect(verifies(proof.with(at, flipped(proof[at] ?? STRANGER, bit)))).toBe(false)
        expect(verifies(proof.toSpliced(at, 1))).toBe(false)
        expect(verifyConsistency(from - 1, to, proof, root(from), root(to))).toBe(false)
        expect(verifyConsistency(from + 1, to, proof, root(from), root(to))).toBe(false)
      }),
      { seed: 1, numRuns: 400 },
    )
  })

  it.each([
    ['equal sizes with equal roots', 5, 5, [], root(5), root(5), true],
    ['equal sizes with different roots', 5, 5, [], root(5), root(6), false],
    ['equal sizes with a proof', 5, 5, [root(1)], root(5), root(5), false],
    ['two empty trees', 0, 0, [], EMPTY_ROOT, EMPTY_ROOT, true],
    ['two empty trees with a root that is none', 0, 0, [], root(5), root(5), false],
    ['from the empty tree, which proves nothing', 0, 5, [], EMPTY_ROOT, root(5), true],
    ['from the empty tree with a proof', 0, 5, [root(1)], EMPTY_ROOT, root(5), false],
    ['from an empty tree with a root that is none', 0, 5, [], root(1), root(5), false],
    ['a smaller tree after a larger one', 6, 5, [], root(6), root(5), false],
    ['an empty proof between different sizes', 4, 5, [], root(4), root(5), false],
    ['roots that are not 32 bytes', 5, 5, [], Buffer.alloc(12), Buffer.alloc(12), false],
    ['a size that is not whole', 1.5, 2, [leaf(1)], root(1), root(2), false],
    ['a size above the safe integers', 1, 2 ** 53, [leaf(1)], root(1), root(2), false],
  ])('answer rightly for %s', (_, from, to, proof, fromRoot, toRoot, holds) => {
    expect(verifyConsistency(from, to, proof, fromRoot, toRoot)).toBe(holds)
  })

  it('refuse to be made backwards', () => {
    expect(() => consistencyProof(6, 5, readHash)).toThrow(RangeError)
    expect(() => consistencyProof(-1, 5, readHash)).toThrow(RangeError)
  })

  it('lead to the root the newer tree has for the older size, also when that is a complete subtree', () => {
    for (const from of [1, 2, 3, 4, 5, 8, 64, 100]) {
      const proof = consistencyProof(from, 130, readHash)
      const path = isPowerOfTwo(from) ? [root(from), ...proof] : proof
      expect(rootsFromConsistency(from, 130, path)).toEqual({ fromRoot: root(from), toRoot: root(130) })
      expect(rootsFromConsistency(from, 130, path.slice(0, -1))).toBeUndefined()
      expect(rootsFromConsistency(from, 130, [...path, STRANGER])).toBeUndefined()
    }
    expect(rootsFromConsistency(0, 130, [STRANGER])).toBeUndefined()
    expect(rootsFromConsistency(130, 130, [STRANGER])).toBeUndefined()
    expect(rootsFromConsistency(3, 130, [])).toBeUndefined()
  })
})

/** Levels of the complete subtrees of a size, largest first, by its binary digits. */
function sizeLevels(size: number): number[] {
  const digits = BigInt(size).toString(2)
  return [...digits].flatMap((digit, at) => (digit === '1' ? [digits.length - 1 - at] : []))
}
