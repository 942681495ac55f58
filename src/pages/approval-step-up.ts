import type { Broker } from '../broker/broker.ts'
import type { ApprovalView } from '../broker/show-approval.ts'
import { needsStepUp } from '../core/people/step-up-policy.ts'
import { listThresholds } from '../people/step-up-threshold.ts'

/** Whether a yes to this action takes a passkey: whatever costs more than the user lets pass without one. */
export async function approvalNeedsStepUp(
  broker: Broker,
  userId: string,
  { shown }: Pick<ApprovalView, 'shown'>,
): Promise<boolean> {
  if (shown === null || shown.amount === null) return false
  const { minor: amountMinor, currency } = shown.amount
  const stepUpAbove = await listThresholds({ broker }, userId)
  return needsStepUp({ kind: 'approve_action', amount: { amountMinor, currency }, stepUpAbove })
}
