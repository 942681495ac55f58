import { stateOf } from '../core/grant/grant-state.ts'
import type { GrantStatus, GrantTerms } from '../core/grant/terms.ts'
import { isSameJson } from '../core/manifest/manifest-change.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import type { RequestConsent } from './consent-wish.ts'
import { termsOf } from './grant-terms.ts'
import { findOwnGrant } from './own-rows.ts'
import { changesFor } from './shown-consent.ts'

export type Renewal =
  | { kind: 'terms'; terms: GrantTerms }
  | { kind: 'not_found' }
  | { kind: 'nothing_to_renew' }
  | { kind: 'renewal_differs'; fields: readonly string[] }

/**
 * The terms of a grant that a manifest has outdated in part: they are asked for again as they are, so that all a
 * person has to read is what changed. Whoever wants other terms asks for a new grant.
 */
export async function renewalTerms(
  broker: Broker,
  tx: Tx,
  input: RequestConsent,
  grantId: string,
  manifestDigest: string,
): Promise<Renewal> {
  const grant = await findOwnGrant(tx, input.userId, grantId)
  if (!grant || grant.agentId !== input.agentId || grant.skillId !== input.skill) return { kind: 'not_found' }
  const state = stateOf({ status: grant.status as GrantStatus, expiresAtMs: grant.expiresAtMs }, tx.nowMs)
  if (state !== 'active' && state !== 'paused') return { kind: 'not_found' }

  const stored = termsOf(grant)
  const fields = differingFields(input, stored.terms)
  if (fields.length > 0) return { kind: 'renewal_differs', fields }
  const changes = await changesFor(broker, tx, stored, manifestDigest)
  if (Object.keys(changes).length === 0) return { kind: 'nothing_to_renew' }
  return { kind: 'terms', terms: stored.terms }
}

const WISHES = [
  'actions',
  'budgets',
  'askFirst',
  'unasked',
  'categories',
  'recipients',
  'retentionDays',
  'deployments',
  'oneTime',
  'expiresAtMs',
  'sharesBudget',
] as const

/** The wishes that are named and are not what the grant has. */
function differingFields(input: RequestConsent, terms: GrantTerms): string[] {
  const actions = input.actions?.map(({ name, constraints }) => ({ name, constraints: constraints ?? [] }))
  const wishes = { ...input, actions }
  return WISHES.filter((field) => wishes[field] !== undefined && !isSameJson(wishes[field], terms[field]))
}
