import { parseEpochLeaf } from '../core/log/epoch-leaf.ts'
import { appendLeafHash, type Edge, EMPTY_EDGE, hashLeaf, rootOf } from '../core/merkle/tree.ts'
import type { PastLogRow } from '../ports/epoch-store.ts'
import type { Tx } from '../ports/store.ts'

export type PastLogDiagnosis = {
  readonly code: 'past_log_differs' | 'past_log_not_named'
  readonly where: string
  readonly detail: string
}

const BATCH = 256

/**
 * Recomputes every ended log from its leaves' bytes, and looks whether the log after it names it as it is here.
 * Holds one batch of leaves at a time.
 */
export async function auditPastLogs(tx: Tx): Promise<PastLogDiagnosis[]> {
  const faults: PastLogDiagnosis[] = []
  const ended = await tx.pastLogs.list()
  for (const [i, log] of ended.entries()) {
    const where = `log ${log.origin}`
    const edge = await recompute(tx, log)
    if (edge.treeSize !== log.treeSize || !rootOf(edge).equals(log.rootHash))
      faults.push({
        code: 'past_log_differs',
        where,
        detail: 'its leaves do not lead to the root it ended with',
      })
    const after = ended[i + 1]
    const [first] = after ? await tx.pastLogs.leaves(after.epoch, 0, 1) : await tx.log.leaves(0, 1)
    const named = first && parseEpochLeaf(first.leaf)
    const isNamed =
      named?.previousOrigin === log.origin &&
      named.held.treeSize === log.treeSize &&
      named.held.rootHash.equals(log.rootHash)
    if (!isNamed)
      faults.push({
        code: 'past_log_not_named',
        where,
        detail: 'the first leaf of the next log names another',
      })
  }
  return faults
}

async function recompute(tx: Tx, log: PastLogRow): Promise<Edge> {
  let edge: Edge = EMPTY_EDGE
  for (;;) {
    const rows = await tx.pastLogs.leaves(log.epoch, edge.treeSize, BATCH)
    for (const row of rows) edge = appendLeafHash(edge, hashLeaf(row.leaf)).edge
    if (rows.length < BATCH) return edge
  }
}
