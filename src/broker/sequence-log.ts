import { appendLeafHash, type Edge, type StoredNode, subtreesOf } from '../core/merkle/tree.ts'
import type { PlacedLeaf, QueuedLeaf } from '../ports/node-store.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { fencedStore, type Lease } from './leases.ts'
import { readPath } from './tree-tiles.ts'

/** Leaves a transaction of the sequencer moves at most. */
const BATCH = 512
/** Whoever sequences waits for no user's turn, and no user for its. */
const OWNER = { userId: ':sequencer' } as const

export type Sequencer = {
  /** Moves what is in line into the tree, until nothing is. Returns how many leaves got a place. */
  run(): Promise<number>
}

/**
 * Gives queued leaves their places in the tree: in batches, contiguous, each once, with the nodes they finish. Every
 * batch checks its lease under a lock, so at most one sequencer writes; the table itself refuses any place but the next.
 */
export function openSequencer(broker: Pick<Broker, 'store'>, lease: Lease): Sequencer {
  const store = fencedStore(broker.store, lease)
  // Only ever what is durable: a batch that is not kept leaves it as it was.
  let known: Edge | undefined

  async function moveBatch(): Promise<{ moved: number; isLast: boolean }> {
    const done = await store.transaction(async (tx) => {
      const queued = await tx.logQueue.oldest(BATCH)
      if (queued.length === 0) return undefined
      const edge = await edgeNow(tx, known)
      const placed = new Set(await tx.logQueue.placed(queued.map(({ eventId }) => eventId)))
      const batch = placeAll(
        edge,
        onceEach(queued).filter(({ eventId }) => !placed.has(eventId)),
      )
      if (batch.leaves.length > 0) await tx.logQueue.place(batch.leaves, batch.nodes)
      await tx.logQueue.remove(queued)
      return { edge: batch.edge, moved: batch.leaves.length, isLast: queued.length < BATCH }
    }, OWNER)
    if (!done) return { moved: 0, isLast: true }
    known = done.edge
    return done
  }

  return {
    async run() {
      // Asked without a lock first: mostly nothing is in line.
      const waiting = await broker.store.read(async (tx) => tx.logQueue.oldest(1))
      if (waiting.length === 0) return 0
      let total = 0
      for (;;) {
        const { moved, isLast } = await moveBatch()
        total += moved
        if (isLast) return total
      }
    },
  }
}

/** The edge of the tree as it is stored: the one that is known, unless somebody else has sequenced since. */
async function edgeNow(tx: Tx, known: Edge | undefined): Promise<Edge> {
  const treeSize = await tx.logQueue.treeSize()
  if (known?.treeSize === treeSize) return known
  const subtrees = subtreesOf(0, treeSize).map((node) => [node])
  return { treeSize, hashes: await readPath(tx, subtrees, treeSize) }
}

/** An event that stands in line twice is one leaf. */
function onceEach(queued: readonly QueuedLeaf[]): QueuedLeaf[] {
  return [...new Map(queued.toReversed().map((leaf) => [leaf.eventId, leaf])).values()].reverse()
}

function placeAll(
  edge: Edge,
  queued: readonly QueuedLeaf[],
): { edge: Edge; leaves: PlacedLeaf[]; nodes: StoredNode[] } {
  const leaves: PlacedLeaf[] = []
  const nodes: StoredNode[] = []
  let grown = edge
  for (const leaf of queued) {
    leaves.push({ ...leaf, leafIndex: grown.treeSize })
    const appended = appendLeafHash(grown, leaf.leafHash)
    nodes.push(...appended.stored)
    grown = appended.edge
  }
  return { edge: grown, leaves, nodes }
}
