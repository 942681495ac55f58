import type { Facts } from '../core/decision/decision.ts'
import type { Tx } from '../ports/store.ts'
import { askedLately, nextQuestionAtMs, refusalCoolsUntilMs } from './asked-lately.ts'
import type { Settings } from './broker.ts'
import type { AskedAction } from './load-facts.ts'

/**
 * Whether a person may be asked now: a refusal cools down for agent, skill and action, whatever the arguments; one
 * agent has only so many open questions for one skill, and only so many in a day. An agent is its whole line of
 * registrations here.
 */
export async function mayAsk(
  tx: Tx,
  settings: Settings,
  asked: AskedAction & { lineageId: string },
  actionId: string | null,
): Promise<Facts['mayAsk']> {
  const lately = await askedLately(tx, settings, { ...asked, skillId: asked.skill })
  if (tx.nowMs < refusalCoolsUntilMs(lately, settings, new Set([asked.action]))) return 'cooling_down'
  const open = lately.approvals.filter(
    (approval) =>
      approval.status === 'waiting' && approval.expiresAtMs > tx.nowMs && approval.actionId !== actionId,
  )
  if (open.length >= settings.openQuestionsMost) return 'too_many_open'
  return tx.nowMs < nextQuestionAtMs(lately, settings, tx.nowMs) ? 'too_many_today' : 'yes'
}
