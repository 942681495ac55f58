import { importVerificationKeys, type JwsFault, verifyCompactJws } from '../core/execution/compact-jws.ts'
import { RECEIPT_TYP, type ReceiptClaims, receiptClaims, receiptShape } from '../core/execution/receipt.ts'
import { type Checkpoint, type CheckpointRefusal, verifyCheckpoint } from '../core/merkle/checkpoint.ts'
import { type NoteKey, parseVkey } from '../core/merkle/note-key.ts'
import { type LeafFacts, type ProofFault, proveClaimed } from './prove-leaf.ts'

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
  | ProofFault
  | 'bad_vkey'
  | 'invalid_claims'
  | 'other_issuer'
  | 'leaf_mismatch'
  | 'not_included'
  | 'status_mismatch'

export type ReceiptVerdict =
  | {
      readonly kind: 'verified'
      readonly claims: ReceiptClaims
      readonly decision: LeafFacts
      readonly outcome: LeafFacts | undefined
      readonly checkpoint: Checkpoint
    }
  | { readonly kind: 'refused'; readonly code: ReceiptFault }

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

  const proven = [proveClaimed(decision, claims.dec, head.checkpoint)]
  if (outcome && claims.out !== undefined) proven.push(proveClaimed(outcome, claims.out, head.checkpoint))
  for (const leaf of proven) if (leaf.kind === 'refused') return leaf
  const [decided, settled] = proven.flatMap((leaf) => (leaf.kind === 'leaf' ? [leaf.facts] : []))
  if (!decided || !isToldBy(claims, decided, settled)) return refused('status_mismatch')
  return { kind: 'verified', claims, decision: decided, outcome: settled, checkpoint: head.checkpoint }
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
