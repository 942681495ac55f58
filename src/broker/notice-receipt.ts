import { createHash } from 'node:crypto'
import type { ProvenLeaf } from '../core/execution/receipt.ts'
import { readPointer } from '../core/json-pointer.ts'
import {
  DELETION_RECEIPT_TYP,
  type DeletionReceipt,
  deletionReceiptClaims,
} from '../core/notice/deletion-receipt.ts'
import type { SkillNoticeRow } from '../ports/notice-rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { openEventPart } from './open-part.ts'
import { placedLeaf, proveLeaf } from './prove-leaf.ts'
import type { CheckpointPublisher } from './publish-checkpoint.ts'

export type NoticeReceiptOutcome =
  | { readonly kind: 'not_found' }
  /** No published checkpoint covers its newest leaf yet: ask again in a second. */
  | { readonly kind: 'not_yet' }
  | { readonly kind: 'receipt'; readonly receipt: DeletionReceipt }

type Proven = { readonly hash: string; readonly leaf: ProvenLeaf }
type Evidence = {
  row: SkillNoticeRow
  queued: Proven
  sent: Proven | undefined
  answered: Proven | undefined
}

/**
 * Signs what is on record about one notice, as it stands now, with the proofs that it is in the published log, and hands
 * out the skill's own signed word with it while that can still be opened.
 */
export async function noticeReceiptFor(
  broker: Broker,
  publisher: Pick<CheckpointPublisher, 'newest'>,
  input: { readonly userId: string; readonly noticeId: string },
): Promise<NoticeReceiptOutcome> {
  const { userId, noticeId } = input
  const checkpoint = publisher.newest()
  const found = await broker.store.read(async (tx): Promise<Evidence | 'not_found' | 'not_yet'> => {
    const row = userId === '' ? undefined : await tx.skillNotices.find(noticeId, userId)
    if (!row) return 'not_found'
    return checkpoint ? evidenceOf(tx, row, checkpoint.treeSize) : 'not_yet'
  })
  if (found === 'not_found' || found === 'not_yet' || !checkpoint)
    return { kind: found === 'not_found' ? found : 'not_yet' }
  const { row, queued, sent, answered } = found
  const acknowledgement = await acknowledgementOf(broker, row)
  const claims = deletionReceiptClaims.parse({
    iss: broker.settings.issuer,
    iat: Math.floor(broker.store.now().nowMs / 1000),
    org: broker.settings.logOrigin,
    ntc: row.id,
    skl: row.skillId,
    rsn: row.reason,
    sts: row.status,
    due: Math.floor(row.dueAtMs / 1000),
    ovd: row.overdueAtMs !== null,
    try: row.attempts,
    que: queued.hash,
    ...(sent ? { snt: sent.hash } : {}),
    ...(answered ? { ans: answered.hash } : {}),
    ...(acknowledgement === undefined ? {} : { ack: sha256(acknowledgement) }),
  })
  const receipt = await broker.signer.sign('receipt', { typ: DELETION_RECEIPT_TYP }, claims)
  return {
    kind: 'receipt',
    receipt: {
      receipt,
      queued: queued.leaf,
      ...(sent ? { sent: sent.leaf } : {}),
      ...(answered ? { answered: answered.leaf } : {}),
      ...(acknowledgement === undefined ? {} : { acknowledgement }),
      checkpoint: checkpoint.note,
    },
  }
}

async function evidenceOf(tx: Tx, row: SkillNoticeRow, treeSize: number): Promise<Evidence | 'not_yet'> {
  const proven: (Proven | undefined)[] = []
  for (const eventId of [row.queuedEventId, row.sentEventId, row.answerEventId]) {
    if (eventId === null) {
      proven.push(undefined)
      continue
    }
    const leaf = await placedLeaf(tx, eventId)
    if (!leaf) throw new Error('a notice without its leaf')
    if ((leaf.epoch === null ? leaf.leafIndex : 0) >= treeSize) return 'not_yet'
    proven.push({ hash: leaf.leafHash.toString('base64url'), leaf: await proveLeaf(tx, leaf, treeSize) })
  }
  const [queued, sent, answered] = proven
  if (!queued) throw new Error('a notice that was never queued')
  return { row, queued, sent, answered }
}

async function acknowledgementOf(broker: Broker, row: SkillNoticeRow): Promise<string | undefined> {
  const body = await openEventPart(broker, row.answerEventId, 'body')
  const token = body && readPointer(body, '/acknowledgement')
  return typeof token === 'string' ? token : undefined
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
