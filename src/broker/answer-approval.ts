import { z } from 'zod'
import type { ActionRow, ApprovalRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { type LeafSealer, sealerFor } from './leaf-sealer.ts'
import { findOwnApproval } from './own-rows.ts'
import { type ApprovalState, approvalStateOf } from './show-approval.ts'
import { type ShownApproval, showAsked } from './shown-approval.ts'

export const approveActionShape = z.strictObject({
  /** The digest of what the user was shown; with it a yes to anything else is refused. */
  shownDigest: z.string().max(64).optional(),
})

/** The user is the one who is authenticated, never one that a body names. */
type WhichApproval = { userId: string; approvalId: string }

export type ApprovalAnswered =
  /** `isNew` is false when the same answer was given before: then nothing was written. */
  | { kind: 'approved'; approval: ApprovalRow; isNew: boolean }
  | { kind: 'refused'; approval: ApprovalRow; isNew: boolean }
  | { kind: 'not_found' }
  | { kind: 'expired' }
  /** It was answered otherwise, used, or withdrawn. */
  | { kind: 'already_answered'; state: ApprovalState }
  /** The arguments can no longer be opened, or are not those the question was about. */
  | { kind: 'cannot_be_shown' }
  | { kind: 'shown_differs' }

/**
 * The user's yes to one exact action, good once and until the question expires (P8). It executes nothing: the
 * agent's repeated call runs the whole decision again.
 */
export async function approveAction(
  broker: Broker,
  input: WhichApproval & z.infer<typeof approveActionShape>,
): Promise<ApprovalAnswered> {
  const found = await findWithAction(broker, input)
  if (!found) return { kind: 'not_found' }
  if (found.state !== 'waiting') return answeredBefore(found.approval, found.state, 'approved')
  const shown = await showAsked(broker, found.approval, found.action)
  if (!shown) return { kind: 'cannot_be_shown' }
  if (input.shownDigest !== undefined && input.shownDigest !== shown.digest) return { kind: 'shown_differs' }
  return answer(broker, found.approval, 'approved', shown)
}

/** The user's no to one exact action. Nobody needs to be shown anything to say it. */
export async function refuseAction(broker: Broker, input: WhichApproval): Promise<ApprovalAnswered> {
  const found = await findWithAction(broker, input)
  if (!found) return { kind: 'not_found' }
  return answer(broker, found.approval, 'refused', null)
}

type Found = { approval: ApprovalRow; action: ActionRow; state: ApprovalState }

function findWithAction(broker: Broker, input: WhichApproval): Promise<Found | undefined> {
  return broker.store.read(async (tx) => {
    const approval = await findOwnApproval(tx, input.userId, input.approvalId)
    const action = approval && (await tx.actions.find(approval.actionId))
    return approval && action ? { approval, action, state: approvalStateOf(approval, tx.nowMs) } : undefined
  })
}

async function answer(
  broker: Broker,
  { id, userId, skillId, digest }: ApprovalRow,
  status: 'approved' | 'refused',
  shown: ShownApproval | null,
): Promise<ApprovalAnswered> {
  const seal = await sealerFor(broker, { userId, skillId })
  return broker.store.transaction(
    async (tx) => {
      const before = await findOwnApproval(tx, userId, id)
      if (!before) return { kind: 'not_found' }
      const state = approvalStateOf(before, tx.nowMs)
      if (state !== 'waiting') return answeredBefore(before, state, status)
      // A preview may have come in meanwhile; then the question is no longer the one that was shown.
      if (shown && before.digest !== digest) return { kind: 'shown_differs' }
      await tx.approvals.setStatus(id, status, tx.nowMs, userId)
      const approval = { ...before, status, decidedAtMs: tx.nowMs }
      await tx.log.append(answerLeaf(seal, approval, status, shown, tx), tx.nowMs)
      return { kind: status, approval, isNew: true }
    },
    { userId },
  )
}

/** The same answer again is the same answer; any other comes too late. */
function answeredBefore(
  approval: ApprovalRow,
  state: ApprovalState,
  wanted: 'approved' | 'refused',
): ApprovalAnswered {
  if (state === wanted) return { kind: wanted, approval, isNew: false }
  return state === 'expired' ? { kind: 'expired' } : { kind: 'already_answered', state }
}

function answerLeaf(
  seal: LeafSealer,
  approval: ApprovalRow,
  outcome: 'approved' | 'refused',
  shown: ShownApproval | null,
  tx: Tx,
) {
  return seal(
    {
      type: 'approval',
      outcome,
      reason: 'by_user',
      core: {
        skill: approval.skillId,
        action: approval.action,
        amount: shown?.amount?.minor ?? null,
        currency: shown?.amount?.currency ?? null,
      },
      subj: {
        user: approval.userId,
        agent: approval.agentId,
        approval: approval.id,
        actionId: approval.actionId,
      },
      body: { covers: approval.digest, shown: shown?.digest ?? null },
    },
    tx.nowMs,
  )
}
