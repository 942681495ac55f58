import { createHash } from 'node:crypto'
import { importVerificationKeys, type JwsFault, verifyCompactJws } from '../core/execution/compact-jws.ts'
import { type Checkpoint, type CheckpointRefusal, verifyCheckpoint } from '../core/merkle/checkpoint.ts'
import { parseVkey } from '../core/merkle/note-key.ts'
import {
  ACKNOWLEDGEMENT_TYP,
  type AcknowledgementClaims,
  acknowledgementClaims,
} from '../core/notice/acknowledgement.ts'
import {
  DELETION_RECEIPT_TYP,
  type DeletionReceipt,
  type DeletionReceiptClaims,
  deletionReceiptClaims,
  deletionReceiptShape,
} from '../core/notice/deletion-receipt.ts'
import { type LeafFacts, type ProofFault, proveClaimed } from './prove-leaf.ts'
import type { ReceiptTrust } from './verify-receipt.ts'

export type DeletionReceiptTrust = ReceiptTrust & {
  /** `runtimeKeys` of the skill's manifest, to hold the skill to its own word. */
  readonly runtimeKeys?: readonly unknown[]
}

type DeletionReceiptFault =
  | JwsFault
  | CheckpointRefusal
  | ProofFault
  | 'bad_vkey'
  | 'invalid_claims'
  | 'other_issuer'
  | 'status_mismatch'
  | 'acknowledgement_mismatch'
  | 'acknowledgement_refused'

export type DeletionReceiptVerdict =
  | {
      readonly kind: 'verified'
      readonly claims: DeletionReceiptClaims
      /** When it was queued, last sent and answered, as the log says. */
      readonly queued: LeafFacts
      readonly sent: LeafFacts | undefined
      readonly answered: LeafFacts | undefined
      /** What the skill signed; undefined where no keys of its were given, or it is not in the receipt. */
      readonly acknowledgement: AcknowledgementClaims | undefined
      readonly checkpoint: Checkpoint
    }
  | { readonly kind: 'refused'; readonly code: DeletionReceiptFault }

/** What the answer's leaf says openly, for each status that has one. */
const TOLD: { readonly [status in DeletionReceiptClaims['sts']]?: string } = {
  deleted: 'acknowledged deleted',
  kept: 'acknowledged kept',
  refused: 'refused refused',
  settled: 'settled by_operator',
}

/**
 * Verifies a deletion receipt offline: the broker signed it, it speaks of exactly these leaves, they say what it says,
 * and all are in the log that signed the checkpoint; and, with the skill's keys at hand, that the skill itself said so.
 */
export function verifyDeletionReceipt(
  received: unknown,
  trust: DeletionReceiptTrust,
): DeletionReceiptVerdict {
  const shaped = deletionReceiptShape.safeParse(received)
  if (!shaped.success) return refused('malformed_receipt')
  const { receipt, checkpoint: note } = shaped.data
  const logKey = parseVkey(trust.vkey)
  if (!logKey) return refused('bad_vkey')

  const keys = importVerificationKeys(trust.keys)
  const signed = verifyCompactJws(receipt, { typ: DELETION_RECEIPT_TYP, keys, purpose: 'receipt' })
  if (!signed.ok) return refused(signed.code)
  const parsed = deletionReceiptClaims.safeParse(signed.payload)
  if (!parsed.success) return refused('invalid_claims')
  const claims = parsed.data
  if (claims.iss !== trust.issuer) return refused('other_issuer')

  const head = verifyCheckpoint(note, logKey, trust.witnessKeys)
  if (head.kind === 'refused') return refused(head.code)
  if (claims.org !== head.checkpoint.origin) return refused('wrong_origin')
  const leaves = leavesOf(shaped.data, claims, head.checkpoint)
  if ('code' in leaves) return refused(leaves.code)
  if (!isToldBy(claims, leaves)) return refused('status_mismatch')
  const said = saidBySkill(shaped.data, claims, trust.runtimeKeys)
  if (said && 'fault' in said) return refused(said.fault)
  return { kind: 'verified', claims, ...leaves, acknowledgement: said, checkpoint: head.checkpoint }
}

type Leaves = { queued: LeafFacts; sent: LeafFacts | undefined; answered: LeafFacts | undefined }

function leavesOf(
  { queued, sent, answered }: DeletionReceipt,
  { que, snt, ans }: DeletionReceiptClaims,
  checkpoint: Checkpoint,
): Leaves | { code: ProofFault } {
  if ((sent === undefined) !== (snt === undefined)) return { code: 'leaf_mismatch' }
  if ((answered === undefined) !== (ans === undefined)) return { code: 'leaf_mismatch' }
  const facts: (LeafFacts | undefined)[] = []
  for (const [leaf, hash] of [
    [queued, que],
    [sent, snt],
    [answered, ans],
  ] as const) {
    const proven = leaf && hash !== undefined ? proveClaimed(leaf, hash, checkpoint) : undefined
    if (proven?.kind === 'refused') return { code: proven.code }
    facts.push(proven?.facts)
  }
  const [first, second, third] = facts
  return first ? { queued: first, sent: second, answered: third } : { code: 'leaf_mismatch' }
}

/** A broker that signs a receipt against its own log is shown by the two together. */
function isToldBy({ sts, rsn }: DeletionReceiptClaims, { queued, sent, answered }: Leaves): boolean {
  if ([queued, sent, answered].some((leaf) => leaf && leaf.t !== 'notice')) return false
  if (queued.d !== 'queued' || queued.r !== rsn) return false
  if (sent && (sent.d !== 'sent' || sent.r !== rsn)) return false
  const told = TOLD[sts]
  if (told === undefined) return true
  return `${answered?.d} ${answered?.r}` === told && (sent !== undefined || sts === 'settled')
}

function saidBySkill(
  { acknowledgement }: DeletionReceipt,
  claims: DeletionReceiptClaims,
  runtimeKeys: readonly unknown[] | undefined,
): AcknowledgementClaims | { fault: DeletionReceiptFault } | undefined {
  if (acknowledgement === undefined) return undefined
  const digest = createHash('sha256').update(acknowledgement).digest('base64url')
  if (digest !== claims.ack) return { fault: 'acknowledgement_mismatch' }
  if (runtimeKeys === undefined) return undefined
  const keys = importVerificationKeys(runtimeKeys)
  const signed = verifyCompactJws(acknowledgement, { typ: ACKNOWLEDGEMENT_TYP, keys })
  const said = signed.ok ? acknowledgementClaims.safeParse(signed.payload) : undefined
  const isOfThis =
    said?.success &&
    said.data.ntc === claims.ntc &&
    said.data.skl === claims.skl &&
    said.data.sts === claims.sts
  return isOfThis ? said.data : { fault: 'acknowledgement_refused' }
}

function refused(code: DeletionReceiptFault): DeletionReceiptVerdict {
  return { kind: 'refused', code }
}
