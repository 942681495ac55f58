import { createHash, type Hash } from 'node:crypto'
import { parseEpochLeaf } from '../../core/log/epoch-leaf.ts'
import { appendLeafHash, type Edge, EMPTY_EDGE, hashLeaf, rootOf } from '../../core/merkle/tree.ts'

/** A tree rebuilt leaf by leaf, with what its stored nodes must be. */
type Rebuilt = { edge: Edge; levels: Map<number, Hash>; first: Buffer | undefined; newestAtMs: number }
type Head = { readonly treeSize: number; readonly rootHash: Buffer }

/** The current log; ended ones go by their epoch. */
const CURRENT = 0

/**
 * Rebuilds every log out of its leaves while rows go by, and compares stored hashes, nodes, checkpoints and heads with
 * it. Holds no more of a log than its right edge, however long it is.
 */
export class TreeWatch {
  readonly #trees = new Map<number, Rebuilt>()
  readonly #nodes = new Map<string, Hash>()
  readonly #wanted = new Map<string, Buffer>()
  readonly #ended: { epoch: number; origin: string; head: Head }[] = []
  readonly #faults: string[] = []
  #checkpoint = 0

  /** A head some tree must have had. Say so before its leaves come. @param epoch null for the current log. */
  expectHead(epoch: number | null, { treeSize, rootHash }: Head): void {
    if (treeSize === 0) return
    const key = `${epoch ?? CURRENT} ${treeSize}`
    const other = this.#wanted.get(key)
    if (other && !other.equals(rootHash)) this.#fault(`${nameOf(epoch ?? CURRENT)} was signed with two roots`)
    this.#wanted.set(key, rootHash)
  }

  /** The newest checkpoint so far; those before it are in the same tree, and are not kept. */
  expectCheckpoint(head: Head): void {
    if (this.#checkpoint) this.#wanted.delete(`${CURRENT} ${this.#checkpoint}`)
    this.#checkpoint = head.treeSize
    this.expectHead(null, head)
  }

  expectEnded(epoch: number, origin: string, head: Head): void {
    this.#ended.push({ epoch, origin, head })
    this.expectHead(epoch, head)
  }

  leaf(epoch: number | null, leafIndex: number, leaf: Buffer, leafHash: Buffer, atMs: number): void {
    const id = epoch ?? CURRENT
    const tree = this.#trees.get(id) ?? {
      edge: EMPTY_EDGE,
      levels: new Map(),
      first: undefined,
      newestAtMs: 0,
    }
    this.#trees.set(id, tree)
    if (leafIndex !== tree.edge.treeSize)
      this.#fault(`leaf ${leafIndex} of ${nameOf(id)} is out of place: ${tree.edge.treeSize} is next`)
    const computed = hashLeaf(leaf)
    if (!computed.equals(leafHash))
      this.#fault(`leaf ${leafIndex} of ${nameOf(id)} has another hash than its bytes`)
    tree.first ??= leaf
    tree.newestAtMs = Math.max(tree.newestAtMs, atMs)
    const { edge, stored } = appendLeafHash(tree.edge, computed)
    tree.edge = edge
    for (const { level, hash } of stored) hashOf(tree.levels, level).update(hash)
    const key = `${id} ${edge.treeSize}`
    const wanted = this.#wanted.get(key)
    this.#wanted.delete(key)
    if (wanted && !wanted.equals(rootOf(edge)))
      this.#fault(`${nameOf(id)} has another root for ${edge.treeSize} leaves than was signed`)
  }

  node(epoch: number | null, level: number, hash: Buffer): void {
    hashOf(this.#nodes, `${epoch ?? CURRENT} ${level}`).update(hash)
  }

  /** The head of the current log, as far as its leaves went by. */
  head(): Head & { readonly newestAtMs: number } {
    const tree = this.#trees.get(CURRENT)
    const edge = tree?.edge ?? EMPTY_EDGE
    return { treeSize: edge.treeSize, rootHash: rootOf(edge), newestAtMs: tree?.newestAtMs ?? 0 }
  }

  edge(): Edge {
    return this.#trees.get(CURRENT)?.edge ?? EMPTY_EDGE
  }

  /** Everything that did not agree; empty when all did. Call it once, after the last row. */
  finish(): readonly string[] {
    for (const key of this.#wanted.keys()) {
      const [id = '', size = ''] = key.split(' ')
      this.#fault(`${nameOf(Number(id))} does not reach its signed size of ${size}`)
    }
    for (const [id, tree] of this.#trees) this.#compareNodes(id, tree)
    for (const key of this.#nodes.keys()) this.#fault(`nodes without leaves: ${key}`)
    this.#ended.sort((a, b) => a.epoch - b.epoch)
    this.#ended.forEach((log, i) => {
      const next = this.#trees.get(this.#ended[i + 1]?.epoch ?? CURRENT)?.first
      const named = next && parseEpochLeaf(next)
      if (named?.previousOrigin !== log.origin || !named.held.rootHash.equals(log.head.rootHash))
        this.#fault(`the log after ${log.origin} does not begin by naming it`)
    })
    return this.#faults
  }

  #compareNodes(id: number, tree: Rebuilt): void {
    for (const [level, computed] of tree.levels) {
      const key = `${id} ${level}`
      const stored = this.#nodes.get(key)
      this.#nodes.delete(key)
      if (stored?.digest('hex') !== computed.digest('hex'))
        this.#fault(`the stored nodes of level ${level} of ${nameOf(id)} are not those of its leaves`)
    }
  }

  #fault(fault: string): void {
    // One damaged leaf makes everything above it wrong too: the first findings say enough.
    if (this.#faults.length < 10) this.#faults.push(fault)
  }
}

function nameOf(id: number): string {
  return id === CURRENT ? 'the log' : `the log of epoch ${id}`
}

function hashOf<Key>(hashes: Map<Key, Hash>, key: Key): Hash {
  let hash = hashes.get(key)
  if (!hash) {
    hash = createHash('sha256')
    hashes.set(key, hash)
  }
  return hash
}
