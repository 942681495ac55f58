import { appendLeafHash, type Edge, EMPTY_EDGE, hashLeaf, rootOf } from '../core/merkle/tree.ts'
import type { RegisterEntry } from '../ports/checkpoint-register.ts'
import type { Tx } from '../ports/store.ts'

export type LogDiagnosis = {
  readonly code:
    | 'leaf_hash_differs'
    | 'leaf_out_of_place'
    | 'node_differs'
    | 'node_surplus'
    | 'checkpoint_differs'
    | 'register_differs'
  readonly where: string
  readonly detail: string
}

const BATCH = 256

/**
 * Recomputes the tree from its leaves' bytes, and compares every stored hash, the newest stored checkpoint and
 * the register with it. Holds one batch of leaves at a time.
 */
export async function auditLeaves(
  tx: Tx,
  registered: RegisterEntry | undefined,
): Promise<{ faults: LogDiagnosis[]; treeSize: number }> {
  const faults: LogDiagnosis[] = []
  const signed = await tx.log.newestCheckpoint()
  const roots = new Map<number, Buffer>()
  const wanted = new Set([signed?.treeSize, registered?.treeSize])
  const nodesSeen = new Map<number, number>()
  let edge: Edge = EMPTY_EDGE
  if (wanted.has(0)) roots.set(0, rootOf(edge))

  for (;;) {
    const rows = await tx.log.leaves(edge.treeSize, BATCH)
    for (const row of rows) {
      const leafIndex = edge.treeSize
      const where = `leaf ${leafIndex}`
      if (row.leafIndex !== leafIndex)
        faults.push({ code: 'leaf_out_of_place', where, detail: `found leaf ${row.leafIndex}` })
      const leafHash = hashLeaf(row.leaf)
      if (!leafHash.equals(row.leafHash))
        faults.push({ code: 'leaf_hash_differs', where, detail: 'the stored hash is not that of its bytes' })
      const appended = appendLeafHash(edge, leafHash)
      edge = appended.edge
      for (const { level, nodeIndex, hash } of appended.stored) {
        nodesSeen.set(level, nodeIndex + 1)
        const [stored] = await tx.log.nodes(level, nodeIndex, 1)
        if (!stored?.equals(hash))
          faults.push({
            code: 'node_differs',
            where: `node ${nodeIndex} of level ${level}`,
            detail: 'not that of its leaves',
          })
      }
      if (wanted.has(edge.treeSize)) roots.set(edge.treeSize, rootOf(edge))
    }
    if (rows.length < BATCH) break
  }
  for (let level = 8; level <= 48; level += 8) {
    const [surplus] = await tx.log.nodes(level, nodesSeen.get(level) ?? 0, 1)
    if (surplus)
      faults.push({ code: 'node_surplus', where: `level ${level}`, detail: 'a node without its leaves' })
  }

  const hold = (code: LogDiagnosis['code'], kept: { treeSize: number; rootHash: Buffer } | undefined) => {
    if (!kept || roots.get(kept.treeSize)?.equals(kept.rootHash)) return
    const detail = `its root for ${kept.treeSize} leaves is not that of the ${edge.treeSize} that are here`
    faults.push({
      code,
      where: code === 'register_differs' ? 'checkpoint register' : 'newest checkpoint',
      detail,
    })
  }
  hold('checkpoint_differs', signed)
  hold('register_differs', registered)
  return { faults, treeSize: edge.treeSize }
}
