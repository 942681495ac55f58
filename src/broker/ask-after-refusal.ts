import type { ActionRow } from '../ports/rows.ts'
import { type AgentQuestion, consentQuestion, openConsentFor } from './agent-question.ts'
import type { Broker } from './broker.ts'
import type { Performed } from './perform-action.ts'
import { requestConsent } from './request-consent.ts'

type Denied = Extract<Performed, { kind: 'denied' }>
type Asking = { readonly userId: string; readonly agentId: string }

/** Grants that are looked through for one that was taken back. */
const GRANTS_LOOKED_AT = 200

/**
 * Puts the consent a refused call would need before its user, asked for as narrowly as can be: this one action, and the
 * data it answers. Undefined where that does not say enough (what spends needs a budget, which the agent has to name), where the user may not be
 * asked now, or has taken back a consent a short while ago: a revocation is not answered with a question.
 */
export async function askAfterRefusal(
  broker: Broker,
  { userId, agentId }: Asking,
  { row, refusal }: Denied,
): Promise<AgentQuestion | undefined> {
  if (refusal.code !== 'consent_required' && refusal.code !== 'consent_outdated') return undefined
  const { skillId: skill, action } = row
  const open = await openConsentFor(broker, { userId, agentId, skill, action })
  if (open) return open
  if (
    refusal.code === 'consent_required' &&
    refusal.why !== 'no_grant' &&
    refusal.why !== 'action_not_granted'
  )
    return undefined
  if (await tookBackLately(broker, { userId, agentId }, skill)) return undefined
  const renewed = refusal.code === 'consent_outdated' && row.grantId !== null ? row.grantId : undefined
  const requested = await requestConsent(broker, {
    userId,
    agentId,
    skill,
    ...(renewed === undefined
      ? { actions: [{ name: action }], categories: await answeredBy(broker, row) }
      : { renewsGrantId: renewed }),
  })
  if (requested.kind !== 'pending') return undefined
  return consentQuestion(requested.request, broker.store.now().nowMs)
}

/** The categories of data in what the action answers. */
async function answeredBy(broker: Broker, { manifestDigest, action }: ActionRow): Promise<string[]> {
  if (manifestDigest === null) return []
  const loaded = await broker.store.read((tx) => broker.manifests.load(tx, manifestDigest))
  const fields = loaded.actions.get(action)?.result.fields ?? []
  return [...new Set(fields.map((field) => field.category))].sort()
}

/** Whether the user has taken back a consent to this skill a short while ago. */
export function tookBackLately(broker: Broker, { userId, agentId }: Asking, skill: string): Promise<boolean> {
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
