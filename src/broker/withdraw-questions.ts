import type { AgentRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import { everyApproval, everyOpenRequest } from './open-questions.ts'

/**
 * Takes an agent's open questions from the table without an answer, a yes that no permit has used among them. Unlike a
 * no it cools nothing down.
 */
export async function withdrawQuestions(tx: Tx, { userId, id }: AgentRow): Promise<void> {
  for (const request of await everyOpenRequest(tx, userId)) {
    if (request.agentId === id) await tx.consentRequests.decide(request.id, 'withdrawn', null, tx.nowMs)
  }
  for (const approval of await everyApproval(tx, userId, ['waiting', 'approved'])) {
    if (approval.agentId === id)
      await tx.approvals.setStatus(approval.id, 'withdrawn', tx.nowMs, approval.userId)
  }
}
