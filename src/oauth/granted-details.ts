import { type AuthorizationDetail, errors } from 'oidc-provider'
import { z } from 'zod'
import type { Broker } from '../broker/broker.ts'
import { termsOf } from '../broker/grant-terms.ts'
import { findFamily } from '../broker/token-family.ts'
import type { GrantTerms } from '../core/grant/terms.ts'
import { CONSENT_DETAIL_TYPE } from './consent-detail.ts'

/** What a token family remembers of each question that came with its authorization request. */
const askedShape = z.array(z.object({ type: z.literal(CONSENT_DETAIL_TYPE), requestId: z.string() }))

/** What a token response says of a grant: which it is, and its terms as the user left them. Never authority. */
export type GrantedDetail = { type: string; grantId: string; skill: string; terms: GrantTerms }

export function askedDetails(requestIds: readonly string[]): AuthorizationDetail[] {
  return requestIds.map((requestId) => ({ type: CONSENT_DETAIL_TYPE, requestId }))
}

/**
 * The grants that came of a family's questions and stand now. What was refused, not answered yet or taken back is
 * not named.
 */
export async function grantedDetails(
  broker: Broker,
  asked: unknown,
  whose: { userId: string; agentId: string },
): Promise<GrantedDetail[]> {
  const parsed = askedShape.safeParse(asked)
  if (!parsed.success) return []
  return broker.store.read(async (tx) => {
    const found: GrantedDetail[] = []
    for (const { requestId } of parsed.data) {
      const request = await tx.consentRequests.find(requestId)
      if (request?.userId !== whose.userId || request.grantId === null) continue
      const grant = await tx.grants.find(request.grantId)
      const isOurs = grant?.userId === whose.userId && grant.agentId === whose.agentId
      if (!grant || !isOurs || grant.status !== 'active' || grant.expiresAtMs <= tx.nowMs) continue
      const { terms } = termsOf(grant)
      found.push({ type: CONSENT_DETAIL_TYPE, grantId: grant.id, skill: grant.skillId, terms })
    }
    return found
  })
}

/**
 * What the token response names. A client may name what it wants of that (RFC 9396 section 6.1), by the ids it was
 * given; anything else it names was never granted.
 *
 * @throws InvalidAuthorizationDetails for what was not granted in this family.
 */
export async function checkTokenDetails(
  broker: Broker,
  wanted: unknown,
  familyId: string | undefined,
  asked: unknown,
): Promise<GrantedDetail[]> {
  const family = await findFamily(broker, familyId ?? '')
  const granted = family ? await grantedDetails(broker, asked, family) : []
  if (wanted === undefined) return granted
  const parsed = wantedShape.safeParse(typeof wanted === 'string' ? jsonOf(wanted) : wanted)
  if (!parsed.success) throw new errors.InvalidAuthorizationDetails('name grants by type and grantId')
  return parsed.data.map(({ grantId }) => {
    const found = granted.find((detail) => detail.grantId === grantId)
    if (!found) throw new errors.InvalidAuthorizationDetails('this was not granted')
    return found
  })
}

const wantedShape = z
  .array(z.strictObject({ type: z.literal(CONSENT_DETAIL_TYPE), grantId: z.string().max(64) }))
  .max(16)

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
