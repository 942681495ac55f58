import {
  type ProvenLeaf,
  RECEIPT_TYP,
  type Receipt,
  type ReceiptClaims,
  receiptClaims,
} from '../core/execution/receipt.ts'
import type { ActionRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { type PlacedLeaf, placedLeaf, proveLeaf } from './prove-leaf.ts'
import type { CheckpointPublisher, PublishedCheckpoint } from './publish-checkpoint.ts'

/** Who asks. A user sees all of theirs, an agent what it asked for itself. */
export type ReceiptAsker =
  | { readonly kind: 'agent'; readonly userId: string; readonly agentId: string }
  | { readonly kind: 'user'; readonly userId: string }
  | { readonly kind: 'operator' }

export type ReceiptOutcome =
  /** Unknown, or of somebody else: the same answer. */
  | { readonly kind: 'not_found' }
  /** An equal refusal within a minute was only counted; the first one has a leaf. */
  | { readonly kind: 'only_counted' }
  /** No published checkpoint covers its newest leaf yet: ask again in a second. */
  | { readonly kind: 'not_yet' }
  | { readonly kind: 'receipt'; readonly receipt: Receipt }

type Evidence = { row: ActionRow; decision: ProvenLeaf; outcome: ProvenLeaf | undefined; hashes: Hashes }
type Hashes = Pick<ReceiptClaims, 'dec' | 'out'>

/** Signs what is on record about one action, with the proof that it is in the published log. */
export async function receiptFor(
  broker: Broker,
  publisher: Pick<CheckpointPublisher, 'newest'>,
  actionId: string,
  asker: ReceiptAsker,
): Promise<ReceiptOutcome> {
  const checkpoint = publisher.newest()
  const found = await broker.store.read((tx) => findEvidence(tx, actionId, asker, checkpoint))
  if (found.kind !== 'evidence' || !checkpoint) return found.kind === 'evidence' ? { kind: 'not_yet' } : found
  const { row, decision, outcome, hashes } = found.evidence
  const claims = receiptClaims.parse({
    iss: broker.settings.issuer,
    iat: Math.floor(broker.store.now().nowMs / 1000),
    org: broker.settings.logOrigin,
    exe: row.id,
    skl: row.skillId,
    act: row.action,
    sts: row.status,
    ...(row.currency === null ? {} : { amt: row.capturedMinor + row.overrunMinor, cur: row.currency }),
    ...hashes,
  })
  const receipt = await broker.signer.sign('receipt', { typ: RECEIPT_TYP }, claims)
  return {
    kind: 'receipt',
    receipt: { receipt, decision, ...(outcome ? { outcome } : {}), checkpoint: checkpoint.note },
  }
}

async function findEvidence(
  tx: Tx,
  actionId: string,
  asker: ReceiptAsker,
  checkpoint: PublishedCheckpoint | undefined,
): Promise<ReceiptOutcome | { kind: 'evidence'; evidence: Evidence }> {
  const row = await tx.actions.find(actionId)
  if (!row || !mayAsk(asker, row)) return { kind: 'not_found' }
  if (row.eventId === null) return { kind: 'only_counted' }
  const decision = await placedLeaf(tx, row.eventId)
  const outcome = row.settleEventId === null ? undefined : await placedLeaf(tx, row.settleEventId)
  if (!decision || (row.settleEventId !== null && !outcome)) throw new Error('an action without its leaf')

  const newestIndex = Math.max(currentIndexOf(decision), outcome ? currentIndexOf(outcome) : 0)
  if (!checkpoint || newestIndex >= checkpoint.treeSize) return { kind: 'not_yet' }
  return {
    kind: 'evidence',
    evidence: {
      row,
      decision: await proveLeaf(tx, decision, checkpoint.treeSize),
      outcome: outcome && (await proveLeaf(tx, outcome, checkpoint.treeSize)),
      hashes: {
        dec: decision.leafHash.toString('base64url'),
        ...(outcome ? { out: outcome.leafHash.toString('base64url') } : {}),
      },
    },
  }
}

function mayAsk(asker: ReceiptAsker, row: ActionRow): boolean {
  switch (asker.kind) {
    case 'agent':
      return row.userId === asker.userId && row.agentId === asker.agentId
    case 'user':
      return row.userId === asker.userId
    case 'operator':
      return true
  }
}

/** Where the current log has to reach for a leaf to be proven: for one of an ended log, to its first leaf. */
function currentIndexOf({ epoch, leafIndex }: PlacedLeaf): number {
  return epoch === null ? leafIndex : 0
}
