import type { Facts } from '../core/decision/decision.ts'
import type { Tx } from '../ports/store.ts'
import type { Settings } from './broker.ts'
import type { AskedAction } from './load-facts.ts'

/**
 * Whether a person may be asked now: a refusal cools down for agent, skill and action, whatever the arguments,
 * and one agent has only so many open questions for one skill.
 */
export async function mayAsk(
  tx: Tx,
  settings: Settings,
  asked: AskedAction,
  actionId: string | null,
): Promise<Facts['mayAsk']> {
  // A no given now may be to a question that was asked up to `approvalWithinMs` ago.
  const sinceMs = tx.nowMs - settings.coolDownMs - settings.approvalWithinMs - 1
  const recent = await tx.approvals.recent(asked.userId, asked.agentId, asked.skill, sinceMs)
  const refused = recent.some(
    (approval) =>
      approval.status === 'refused' &&
      approval.action === asked.action &&
      (approval.decidedAtMs ?? 0) > tx.nowMs - settings.coolDownMs,
  )
  if (refused) return 'cooling_down'
  const open = recent.filter(
    (approval) =>
      approval.status === 'waiting' && approval.expiresAtMs > tx.nowMs && approval.actionId !== actionId,
  )
  return open.length >= settings.openQuestionsMost ? 'too_many_open' : 'yes'
}
