import type { AgentRow, ApprovalRow, ConsentRequestRow, GrantRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'

/** Another user's row and one that is not there give the same answer everywhere: undefined. */
function ifOwn<Row extends { userId: string }>(row: Row | undefined, userId: string): Row | undefined {
  return row?.userId === userId ? row : undefined
}

export async function findOwnAgent(tx: Tx, userId: string, agentId: string): Promise<AgentRow | undefined> {
  return ifOwn(await tx.agents.find(agentId), userId)
}

export async function findOwnGrant(tx: Tx, userId: string, grantId: string): Promise<GrantRow | undefined> {
  return ifOwn(await tx.grants.find(grantId), userId)
}

export async function findOwnConsentRequest(
  tx: Tx,
  userId: string,
  requestId: string,
): Promise<ConsentRequestRow | undefined> {
  return ifOwn(await tx.consentRequests.find(requestId), userId)
}

export async function findOwnApproval(
  tx: Tx,
  userId: string,
  approvalId: string,
): Promise<ApprovalRow | undefined> {
  return ifOwn(await tx.approvals.find(approvalId), userId)
}
