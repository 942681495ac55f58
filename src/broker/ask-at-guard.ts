import { type AgentQuestion, consentQuestion, openConsentFor } from './agent-question.ts'
import { askAfterRefusal, tookBackLately } from './ask-after-refusal.ts'
import type { Broker } from './broker.ts'
import type { ConsentWish } from './consent-wish.ts'
import type { GuardedPermit } from './permit-guarded.ts'
import { requestConsent } from './request-consent.ts'

type Denied = Extract<GuardedPermit, { kind: 'denied' }>

/** Where nothing is allowed, or not any more, everything is asked for at once; whoever allowed less is not asked for more. */
const ASKED_WHEN: readonly string[] = ['no_grant', 'expired']

/**
 * Puts what a guard would like to be allowed before its user, once, where they have allowed nothing of the skill yet.
 * Undefined where they may not be asked now, or have taken back a consent a short while ago.
 */
export async function askAtGuard(
  broker: Broker,
  { userId, agentId }: { readonly userId: string; readonly agentId: string },
  denied: Denied,
  wish: ConsentWish | undefined,
): Promise<AgentQuestion | undefined> {
  const { row, refusal } = denied
  const asking = { userId, agentId }
  if (refusal.code === 'consent_outdated') return askAfterRefusal(broker, asking, denied)
  if (refusal.code !== 'consent_required' || !wish || wish.skill !== row.skillId) return undefined
  const open = await openConsentFor(broker, { ...asking, skill: row.skillId, action: row.action })
  if (open) return open
  if (!ASKED_WHEN.includes(refusal.why) || (await tookBackLately(broker, asking, row.skillId)))
    return undefined
  const requested = await requestConsent(broker, { ...wish, ...asking })
  return requested.kind === 'pending'
    ? consentQuestion(requested.request, broker.store.now().nowMs)
    : undefined
}
