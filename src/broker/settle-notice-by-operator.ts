import type { Broker } from './broker.ts'
import { sealerFor } from './leaf-sealer.ts'
import { noticeCells, noticeLeaf, noticeOwner } from './notice-leaf.ts'
import { type OperatorAct, type ReasonRefused, refuseReason } from './operator-act.ts'

export type NoticeSettled =
  | ReasonRefused
  | { readonly kind: 'not_found' }
  /** It was acknowledged, or settled, before. */
  | { readonly kind: 'notice_ended' }
  | { readonly kind: 'settled' }

/**
 * Takes a notice that a skill does not acknowledge for settled, for who knows from elsewhere how it stands: it is not
 * sent again, and the skill goes on. Its person sees who of the operators' side did so, and that the skill said nothing.
 */
export async function settleNoticeByOperator(
  broker: Broker,
  input: OperatorAct & { readonly noticeId: string },
): Promise<NoticeSettled> {
  const refused = refuseReason(input)
  if (refused) return refused
  const { noticeId, operatorId, reason } = input
  const known = await broker.store.read(async (tx) => tx.skillNotices.find(noticeId))
  if (!known) return { kind: 'not_found' }
  const seal = await sealerFor(broker, noticeCells(known))
  return broker.store.transaction(async (tx) => {
    const row = await tx.skillNotices.find(noticeId, known.userId)
    if (!row) return { kind: 'not_found' }
    const isWanting =
      row.status === 'refused' ||
      row.status === 'given_up' ||
      (row.status === 'open' && row.overdueAtMs !== null)
    if (!isWanting) return { kind: 'notice_ended' }
    const leaf = seal(
      noticeLeaf(row, 'settled', 'by_operator', {
        core: { operator: operatorId },
        body: { reason },
      }),
      tx.nowMs,
    )
    await tx.log.append(leaf, tx.nowMs)
    if (row.userId === '') await tx.skillNotices.remove(row.id, row.userId)
    else
      await tx.skillNotices.update({
        ...row,
        status: 'settled',
        suspends: false,
        answeredAtMs: tx.nowMs,
        answerEventId: leaf.eventId,
      })
    return { kind: 'settled' }
  }, noticeOwner(known))
}
