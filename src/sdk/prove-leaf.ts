import { z } from 'zod'
import type { LeafInTree, ProvenLeaf } from '../core/execution/receipt.ts'
import { type NamedHead, parseEpochLeaf } from '../core/log/epoch-leaf.ts'
import type { Checkpoint } from '../core/merkle/checkpoint.ts'
import { verifyInclusion } from '../core/merkle/proof.ts'
import { decodeBase64 } from '../core/merkle/strict-text.ts'
import { hashLeaf } from '../core/merkle/tree.ts'
import { parseStrictJsonBytes } from '../core/strict-json.ts'

const leafShape = z.looseObject({
  v: z.literal(1),
  t: z.string(),
  id: z.string(),
  /** Unix seconds. */
  at: z.int().min(0),
  d: z.string(),
  r: z.string(),
})

/** What a leaf says openly. */
export type LeafFacts = z.infer<typeof leafShape>

export type ProofFault = 'malformed_receipt' | 'leaf_mismatch' | 'not_included'

/** The leaf a receipt speaks of, if it has the claimed hash and its proof leads to this checkpoint. */
export function proveClaimed(
  { epochs = [], ...proven }: ProvenLeaf,
  claimedHash: string,
  checkpoint: Checkpoint,
): { kind: 'leaf'; facts: LeafFacts } | { kind: 'refused'; code: ProofFault } {
  const claimed = decodeBase64(proven.leaf)
  if (!claimed) return refusedProof('malformed_receipt')
  if (hashLeaf(claimed).toString('base64url') !== claimedHash) return refusedProof('leaf_mismatch')
  // From the checkpoint backwards: the first leaf of each log says which tree the log before it had.
  let head: NamedHead = checkpoint
  for (const epoch of epochs.toReversed()) {
    const first = included(epoch, head)
    if (typeof first === 'string') return refusedProof(first)
    const named = epoch.leafIndex === 0 ? parseEpochLeaf(first) : undefined
    if (!named) return refusedProof('leaf_mismatch')
    head = named.held
  }
  const bytes = included(proven, head)
  if (typeof bytes === 'string') return refusedProof(bytes)
  const json = parseStrictJsonBytes(bytes)
  const facts = json.ok ? leafShape.safeParse(json.value) : undefined
  return facts?.success ? { kind: 'leaf', facts: facts.data } : refusedProof('leaf_mismatch')
}

/** The leaf's bytes, if its proof leads to this head; otherwise what is wrong with it. */
function included(
  { leaf, leafIndex, proof }: LeafInTree,
  { treeSize, rootHash }: NamedHead,
): Buffer | 'malformed_receipt' | 'not_included' {
  const bytes = decodeBase64(leaf)
  const hashes = proof.map(decodeBase64)
  const path = hashes.filter((hash) => hash !== undefined)
  if (!bytes || path.length !== hashes.length) return 'malformed_receipt'
  return verifyInclusion(hashLeaf(bytes), leafIndex, treeSize, path, rootHash) ? bytes : 'not_included'
}

function refusedProof(code: ProofFault) {
  return { kind: 'refused', code } as const
}
