import type { Broker } from '../broker/broker.ts'
import type { ApprovalView } from '../broker/show-approval.ts'

/** Whether a yes to this action takes a passkey: whatever costs anything does. */
export async function approvalNeedsStepUp(
  _broker: Broker,
  _userId: string,
  { shown }: Pick<ApprovalView, 'shown'>,
): Promise<boolean> {
  return shown === null || shown.amount !== null
}
