import { EMPTY_ROOT, foldSubtrees, HASH_BYTES, type HashReader, hashNode, subtreesOf } from './tree.ts'

/** One complete aligned subtree, by tree level and index within the level. */
export interface NodeId {
  readonly level: number
  readonly index: number
}

/**
 * Names the subtrees behind each hash of an inclusion proof, leaf's sibling first. A proof hash over several
 * subtrees is their fold; a caller that reads over a network fetches them all before it computes the proof.
 * @throws RangeError unless 0 <= index < treeSize.
 */
export function inclusionNodes(index: number, treeSize: number): NodeId[][] {
  if (!isSize(treeSize) || !isSize(index) || index >= treeSize) {
    throw new RangeError(`no leaf ${index} in a tree of ${treeSize}`)
  }
  const path: NodeId[][] = []
  let from = 0
  let to = treeSize
  while (to - from > 1) {
    const middle = from + splitOf(to - from)
    if (index < middle) {
      path.push(subtreesOf(middle, to))
      to = middle
    } else {
      path.push(subtreesOf(from, middle))
      from = middle
    }
  }
  return path.reverse()
}

/**
 * Names the subtrees behind each hash of a consistency proof between two sizes; empty when `from` is 0 or `to`.
 * @throws RangeError unless 0 <= from <= to.
 */
export function consistencyNodes(fromSize: number, toSize: number): NodeId[][] {
  if (!isSize(fromSize) || !isSize(toSize) || fromSize > toSize) {
    throw new RangeError(`no consistency proof from ${fromSize} to ${toSize}`)
  }
  if (fromSize === 0 || fromSize === toSize) return []
  const path: NodeId[][] = []
  let from = 0
  let to = toSize
  while (to !== fromSize) {
    const middle = from + splitOf(to - from)
    if (fromSize <= middle) {
      path.push(subtreesOf(middle, to))
      to = middle
    } else {
      path.push(subtreesOf(from, middle))
      from = middle
    }
  }
  // The older tree is known to the verifier only when the walk ended on exactly all of it.
  if (from > 0) path.push(subtreesOf(from, to))
  return path.reverse()
}

/** The inclusion proof of one leaf, leaf's sibling first (RFC 9162 section 2.1.3.1). Throws as `inclusionNodes`. */
export function inclusionProof(index: number, treeSize: number, readHash: HashReader): Buffer[] {
  return inclusionNodes(index, treeSize).map((nodes) => foldNodes(nodes, readHash))
}

/** The consistency proof between two sizes (RFC 9162 section 2.1.4.1). Throws as `consistencyNodes`. */
export function consistencyProof(fromSize: number, toSize: number, readHash: HashReader): Buffer[] {
  return consistencyNodes(fromSize, toSize).map((nodes) => foldNodes(nodes, readHash))
}

/**
 * Says whether `leafHash` is leaf `index` of the tree with this size and root (RFC 9162 section 2.1.3.2).
 * False for anything malformed: hashes that are not 32 bytes, sizes that are not safe integers.
 */
export function verifyInclusion(
  leafHash: Uint8Array,
  index: number,
  treeSize: number,
  proof: readonly Uint8Array[],
  rootHash: Uint8Array,
): boolean {
  if (!isSize(index) || !isSize(treeSize) || index >= treeSize) return false
  if (!areHashes([leafHash, rootHash]) || !areHashes(proof)) return false
  let fn = index
  let sn = treeSize - 1
  let node = leafHash
  for (const sibling of proof) {
    if (sn === 0) return false
    if (fn % 2 === 1 || fn === sn) {
      node = hashNode(sibling, node)
      while (fn % 2 === 0 && fn !== 0) {
        fn = fn / 2
        sn = Math.floor(sn / 2)
      }
    } else {
      node = hashNode(node, sibling)
    }
    fn = Math.floor(fn / 2)
    sn = Math.floor(sn / 2)
  }
  return sn === 0 && equalHashes(node, rootHash)
}

/**
 * Says whether the newer tree begins with all of the older one (RFC 9162 section 2.1.4.2).
 *
 * A proof from size 0 is empty and proves nothing about the newer tree; equal sizes need equal roots and an
 * empty proof. False for anything malformed.
 */
export function verifyConsistency(
  fromSize: number,
  toSize: number,
  proof: readonly Uint8Array[],
  fromRoot: Uint8Array,
  toRoot: Uint8Array,
): boolean {
  if (!isSize(fromSize) || !isSize(toSize) || fromSize > toSize || !areHashes([fromRoot, toRoot]))
    return false
  if (fromSize === toSize) {
    return (
      proof.length === 0 && equalHashes(fromRoot, toRoot) && (toSize > 0 || equalHashes(toRoot, EMPTY_ROOT))
    )
  }
  if (fromSize === 0) return proof.length === 0 && equalHashes(fromRoot, EMPTY_ROOT)
  // A complete older tree is a node of the newer one, so its proof leaves that first hash out.
  if (proof.length === 0) return false
  const roots = rootsFromConsistency(fromSize, toSize, isPowerOfTwo(fromSize) ? [fromRoot, ...proof] : proof)
  return roots !== undefined && equalHashes(roots.fromRoot, fromRoot) && equalHashes(roots.toRoot, toRoot)
}

/**
 * Computes both roots that a consistency path leads to. Unlike a proof, the path always starts with a hash of
 * its own, also when the older tree is complete; that lets a follower find which root the *newer* tree has for
 * the older size, and so tell a log that contradicts itself from one that serves damaged tiles.
 * Undefined when the path does not fit the sizes. `0 < fromSize < toSize` is required.
 */
export function rootsFromConsistency(
  fromSize: number,
  toSize: number,
  path: readonly Uint8Array[],
): { fromRoot: Uint8Array; toRoot: Uint8Array } | undefined {
  const [first, ...rest] = path
  if (!isSize(fromSize) || !isSize(toSize) || fromSize === 0 || fromSize >= toSize) return undefined
  if (first === undefined || !areHashes(path)) return undefined
  let fn = fromSize - 1
  let sn = toSize - 1
  while (fn % 2 === 1) {
    fn = Math.floor(fn / 2)
    sn = Math.floor(sn / 2)
  }
  let fromRoot = first
  let toRoot = first
  for (const sibling of rest) {
    if (sn === 0) return undefined
    if (fn % 2 === 1 || fn === sn) {
      fromRoot = hashNode(sibling, fromRoot)
      toRoot = hashNode(sibling, toRoot)
      while (fn % 2 === 0 && fn !== 0) {
        fn = fn / 2
        sn = Math.floor(sn / 2)
      }
    } else {
      toRoot = hashNode(toRoot, sibling)
    }
    fn = Math.floor(fn / 2)
    sn = Math.floor(sn / 2)
  }
  return sn === 0 ? { fromRoot, toRoot } : undefined
}

/** Reads the subtrees of one proof hash and joins them. */
export function foldNodes(nodes: readonly NodeId[], readHash: HashReader): Buffer {
  return foldSubtrees(nodes.map((node) => readHash(node.level, node.index)))
}

/** True when the tree of this size is one complete subtree. */
export function isPowerOfTwo(size: number): boolean {
  return size === largestPowerUpTo(size)
}

/** The largest power of two smaller than `width`: where RFC 9162 section 2.1.1 splits a tree. */
function splitOf(width: number): number {
  return largestPowerUpTo(width - 1)
}

// Doubling, not Math.log2, which rounds up just below high powers of two.
function largestPowerUpTo(limit: number): number {
  let power = 1
  while (power * 2 <= limit) power *= 2
  return power
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function areHashes(values: readonly Uint8Array[]): boolean {
  return values.every((value) => value.length === HASH_BYTES)
}

function equalHashes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
