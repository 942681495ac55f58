import { consentQuestion, openConsentFor } from '../broker/agent-question.ts'
import type { Broker } from '../broker/broker.ts'
import type { Performed } from '../broker/perform-action.ts'
import { requestConsent } from '../broker/request-consent.ts'
import type { AgentCaller } from './call-context.ts'
import { pageOf } from './mcp-deps.ts'
import type { Asked } from './tool-answer.ts'

type Denied = Extract<Performed, { kind: 'denied' }>

/** Grants that are looked through for one that was taken back. */
const GRANTS_LOOKED_AT = 200

/**
 * Puts the consent a refused call would need before its user, asked for as narrowly as can be: this one action. Undefined
 * where that does not say enough (what spends needs a budget, which the agent has to name), where the user may not be
 * asked now, or has taken back a consent a short while ago: a revocation is not answered with a question.
 */
export async function askForConsent(
  broker: Broker,
  caller: AgentCaller,
  { row, refusal }: Denied,
): Promise<Asked | undefined> {
  const { userId, agentId } = caller
  const { skillId: skill, action } = row
  const open = await openConsentFor(broker, { userId, agentId, skill, action })
  if (open) return askedOf(broker, open)
  if (
    refusal.code === 'consent_required' &&
    refusal.why !== 'no_grant' &&
    refusal.why !== 'action_not_granted'
  )
    return undefined
  if (await tookBackLately(broker, caller, skill)) return undefined
  const renewed = refusal.code === 'consent_outdated' && row.grantId !== null ? row.grantId : undefined
  const requested = await requestConsent(broker, {
    userId,
    agentId,
    skill,
    ...(renewed === undefined ? { actions: [{ name: action }] } : { renewsGrantId: renewed }),
  })
  if (requested.kind !== 'pending') return undefined
  return askedOf(broker, consentQuestion(requested.request, broker.store.now().nowMs))
}

export function askedOf(
  { settings }: Broker,
  { id, kind, expiresAtMs }: Pick<Asked, 'id' | 'kind' | 'expiresAtMs'>,
): Asked {
  return { id, kind, expiresAtMs, url: pageOf(settings.issuer, { id, kind }) }
}

function tookBackLately(broker: Broker, { userId, agentId }: AgentCaller, skill: string): Promise<boolean> {
  return broker.store.read(async (tx) => {
    const rows = await tx.grants.list(userId, { limit: GRANTS_LOOKED_AT, before: null })
    return rows.some(
      (row) =>
        row.agentId === agentId &&
        row.skillId === skill &&
        row.status === 'revoked' &&
        row.changedAtMs > tx.nowMs - broker.settings.coolDownMs,
    )
  })
}
