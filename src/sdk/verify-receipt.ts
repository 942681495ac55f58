import { z } from 'zod'
import { importVerificationKeys, type JwsFault, verifyCompactJws } from '../core/execution/compact-jws.ts'
import {
  type LeafInTree,
  type ProvenLeaf,
  RECEIPT_TYP,
  type ReceiptClaims,
  receiptClaims,
  receiptShape,
} from '../core/execution/receipt.ts'
import { type NamedHead, parseEpochLeaf } from '../core/log/epoch-leaf.ts'
import { type Checkpoint, type CheckpointRefusal, verifyCheckpoint } from '../core/merkle/checkpoint.ts'
import { type NoteKey, parseVkey } from '../core/merkle/note-key.ts'
import { verifyInclusion } from '../core/merkle/proof.ts'
import { decodeBase64 } from '../core/merkle/strict-text.ts'
import { hashLeaf } from '../core/merkle/tree.ts'
import { parseStrictJsonBytes } from '../core/strict-json.ts'

export type ReceiptTrust = {
  /** The broker's published key set. */
  readonly keys: readonly unknown[]
  /** The log's verifier key, as `/log/vkey` gives it. */
  readonly vkey: string
  readonly issuer: string
  readonly witnessKeys?: readonly NoteKey[]
}

type ReceiptFault =
  | JwsFault
  | CheckpointRefusal
  | 'malformed_receipt'
  | 'bad_vkey'
  | 'invalid_claims'
  | 'other_issuer'
  | 'leaf_mismatch'
  | 'not_included'
  | 'status_mismatch'

/** What a leaf says openly. */
type LeafFacts = z.infer<typeof leafShape>

export type ReceiptVerdict =
  | {
      readonly kind: 'verified'
      readonly claims: ReceiptClaims
      readonly decision: LeafFacts
      readonly outcome: LeafFacts | undefined
      readonly checkpoint: Checkpoint
    }
  | { readonly kind: 'refused'; readonly code: ReceiptFault }

const leafShape = z.looseObject({
  v: z.literal(1),
  t: z.string(),
  id: z.string(),
  /** Unix seconds. */
  at: z.int().min(0),
  d: z.string(),
  r: z.string(),
})

/**
 * Verifies a receipt offline, with keys at hand: the broker signed it, it speaks of exactly these leaves, they say
 * what it says, and both are in the log that signed the checkpoint. Which checkpoint that is, and whether the log
 * only grew since, is for `followLog`.
 */
export function verifyReceipt(received: unknown, trust: ReceiptTrust): ReceiptVerdict {
  const shaped = receiptShape.safeParse(received)
  if (!shaped.success) return refused('malformed_receipt')
  const { receipt, decision, outcome, checkpoint: note } = shaped.data
  const logKey = parseVkey(trust.vkey)
  if (!logKey) return refused('bad_vkey')

  const keys = importVerificationKeys(trust.keys)
  const signed = verifyCompactJws(receipt, { typ: RECEIPT_TYP, keys, purpose: 'receipt' })
  if (!signed.ok) return refused(signed.code)
  const parsed = receiptClaims.safeParse(signed.payload)
  if (!parsed.success) return refused('invalid_claims')
  const claims = parsed.data
  if (claims.iss !== trust.issuer) return refused('other_issuer')

  const head = verifyCheckpoint(note, logKey, trust.witnessKeys)
  if (head.kind === 'refused') return refused(head.code)
  if (claims.org !== head.checkpoint.origin) return refused('wrong_origin')
  if ((outcome === undefined) !== (claims.out === undefined)) return refused('leaf_mismatch')

  const proven = [prove(decision, claims.dec, head.checkpoint)]
  if (outcome && claims.out !== undefined) proven.push(prove(outcome, claims.out, head.checkpoint))
  for (const leaf of proven) if (leaf.kind === 'refused') return leaf
  const [decided, settled] = proven.flatMap((leaf) => (leaf.kind === 'leaf' ? [leaf.facts] : []))
  if (!decided || !isToldBy(claims, decided, settled)) return refused('status_mismatch')
  return { kind: 'verified', claims, decision: decided, outcome: settled, checkpoint: head.checkpoint }
}

function prove(
  { epochs = [], ...proven }: ProvenLeaf,
  claimedHash: string,
  checkpoint: Checkpoint,
): { kind: 'leaf'; facts: LeafFacts } | { kind: 'refused'; code: ReceiptFault } {
  const claimed = decodeBase64(proven.leaf)
  if (!claimed) return refused('malformed_receipt')
  if (hashLeaf(claimed).toString('base64url') !== claimedHash) return refused('leaf_mismatch')
  // From the checkpoint backwards: the first leaf of each log says which tree the log before it had.
  let head: NamedHead = checkpoint
  for (const epoch of epochs.toReversed()) {
    const first = included(epoch, head)
    if (typeof first === 'string') return refused(first)
    const named = epoch.leafIndex === 0 ? parseEpochLeaf(first) : undefined
    if (!named) return refused('leaf_mismatch')
    head = named.held
  }
  const bytes = included(proven, head)
  if (typeof bytes === 'string') return refused(bytes)
  const json = parseStrictJsonBytes(bytes)
  const facts = json.ok ? leafShape.safeParse(json.value) : undefined
  return facts?.success ? { kind: 'leaf', facts: facts.data } : refused('leaf_mismatch')
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

/** The decision each status follows from. */
const DECIDED: { readonly [status in ReceiptClaims['sts']]: 'permit' | 'deny' | 'ask' } = {
  waiting: 'ask',
  refused: 'deny',
  dispatched: 'permit',
  in_doubt: 'permit',
  succeeded: 'permit',
  refused_by_skill: 'permit',
  failed: 'permit',
  overtaken: 'permit',
  outcome_unknown: 'permit',
}

/** A broker that signs a receipt against its own log is shown by the two together. */
function isToldBy(claims: ReceiptClaims, decision: LeafFacts, outcome: LeafFacts | undefined): boolean {
  if (decision.t !== 'decision' || decision.d !== DECIDED[claims.sts]) return false
  const told = claims.sts === 'refused_by_skill' ? 'refused' : claims.sts
  return outcome === undefined || (outcome.t === 'outcome' && outcome.d === told)
}

function refused(code: ReceiptFault) {
  return { kind: 'refused', code } as const
}
