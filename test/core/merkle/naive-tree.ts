import { EMPTY_ROOT, hashLeaf, hashNode } from '../../../src/core/merkle/tree.ts'

/** Tree and proofs written as RFC 9162 defines them, slowly and by recursion: what the fast code is held against. */

export function naiveRoot(leafHashes: readonly Buffer[]): Buffer {
  const [only] = leafHashes
  if (only === undefined) return EMPTY_ROOT
  if (leafHashes.length === 1) return only
  const k = split(leafHashes.length)
  return hashNode(naiveRoot(leafHashes.slice(0, k)), naiveRoot(leafHashes.slice(k)))
}

/** Section 2.1.3.1, PATH(m, D_n). */
export function naivePath(m: number, leafHashes: readonly Buffer[]): Buffer[] {
  if (leafHashes.length === 1) return []
  const k = split(leafHashes.length)
  const left = leafHashes.slice(0, k)
  const right = leafHashes.slice(k)
  return m < k ? [...naivePath(m, left), naiveRoot(right)] : [...naivePath(m - k, right), naiveRoot(left)]
}

/** Section 2.1.4.1, PROOF(m, D_n) = SUBPROOF(m, D_n, true). */
export function naiveConsistency(m: number, leafHashes: readonly Buffer[], isWhole = true): Buffer[] {
  if (m === leafHashes.length) return isWhole ? [] : [naiveRoot(leafHashes)]
  const k = split(leafHashes.length)
  const left = leafHashes.slice(0, k)
  const right = leafHashes.slice(k)
  if (m <= k) return [...naiveConsistency(m, left, isWhole), naiveRoot(right)]
  return [...naiveConsistency(m - k, right, false), naiveRoot(left)]
}

/** Leaf hashes of the texts `leaf 0`, `leaf 1`, … */
export function leafHashes(count: number): Buffer[] {
  return Array.from({ length: count }, (_, i) => hashLeaf(Buffer.from(`leaf ${i}`)))
}

function split(n: number): number {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}
