import type { GrantTerms } from '../core/grant/terms.ts'
import type { ConsentRequestRow } from '../ports/rows.ts'
import type { Page, Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { termsOf } from './grant-terms.ts'
import { findOwnConsentRequest } from './own-rows.ts'
import { changesFor, type ShownConsent, showConsent } from './shown-consent.ts'

/** `withdrawn` is a question that a newer one took the place of. */
export type ConsentRequestState = 'pending' | 'approved' | 'refused' | 'withdrawn' | 'expired'

/** A question in a list: enough to find it, not enough to answer it. */
export type ConsentRequestSummary = {
  requestId: string
  agentId: string
  skill: string
  purpose: string
  state: ConsentRequestState
  grantId: string | null
  renewsGrantId: string | null
  createdAtMs: number
  expiresAtMs: number
  decidedAtMs: number | null
}

export type ConsentRequestView = ConsentRequestSummary & {
  agentName: string
  /** The skill has another manifest by now: the question can only be answered with no. */
  manifestChanged: boolean
  terms: GrantTerms
  shown: ShownConsent
}

/** What the user reads before answering. */
export function showConsentRequest(
  broker: Broker,
  input: { userId: string; requestId: string },
): Promise<{ kind: 'found'; request: ConsentRequestView } | { kind: 'not_found' }> {
  return broker.store.read(async (tx) => {
    const row = await findOwnConsentRequest(tx, input.userId, input.requestId)
    const agent = row && (await tx.agents.find(row.agentId))
    if (!row || !agent) return { kind: 'not_found' }
    const skill = await tx.skills.find(row.skillId)
    const request: ConsentRequestView = {
      ...summaryOf(row, tx.nowMs),
      agentName: agent.name,
      manifestChanged: skill?.currentDigest !== row.manifestDigest,
      terms: JSON.parse(row.terms) as GrantTerms,
      shown: await showRequested(broker, tx, row),
    }
    return { kind: 'found', request }
  })
}

/** The user's questions, newest first. */
export function listConsentRequests(
  broker: Broker,
  input: { userId: string; page: Page },
): Promise<ConsentRequestSummary[]> {
  return broker.store.read(async (tx) => {
    const rows = await tx.consentRequests.list(input.userId, input.page)
    return rows.map((row) => summaryOf(row, tx.nowMs))
  })
}

/** What the agent that asked may know of its question: how it stands, and the grant once there is one. */
export function checkConsentRequest(
  broker: Broker,
  input: { userId: string; agentId: string; requestId: string },
): Promise<
  | {
      kind: 'found'
      requestId: string
      state: ConsentRequestState
      grantId: string | null
      expiresAtMs: number
    }
  | { kind: 'not_found' }
> {
  return broker.store.read(async (tx) => {
    const row = await findOwnConsentRequest(tx, input.userId, input.requestId)
    if (!row || row.agentId !== input.agentId) return { kind: 'not_found' }
    const { requestId, state, grantId, expiresAtMs } = summaryOf(row, tx.nowMs)
    return { kind: 'found', requestId, state, grantId, expiresAtMs }
  })
}

/** Describes a question as it stands now; its digest is what an answer is bound to. */
export async function showRequested(broker: Broker, tx: Tx, row: ConsentRequestRow): Promise<ShownConsent> {
  const agent = await tx.agents.find(row.agentId)
  if (!agent) throw new Error('a consent request of an agent that is missing')
  const renewed = row.renewsGrantId === null ? undefined : await tx.grants.find(row.renewsGrantId)
  const changes = renewed ? await changesFor(broker, tx, termsOf(renewed), row.manifestDigest) : null
  return showConsent(broker, tx, {
    kind: renewed ? 'difference' : 'request',
    agent,
    manifestDigest: row.manifestDigest,
    terms: JSON.parse(row.terms) as GrantTerms,
    purpose: row.purpose,
    changes,
  })
}

/** How a question stands at an instant; one that nobody answered has expired from the instant itself. */
export function requestStateOf(row: ConsentRequestRow, nowMs: number): ConsentRequestState {
  const status = row.status as ConsentRequestState
  return status === 'pending' && nowMs >= row.expiresAtMs ? 'expired' : status
}

function summaryOf(row: ConsentRequestRow, nowMs: number): ConsentRequestSummary {
  return {
    requestId: row.id,
    agentId: row.agentId,
    skill: row.skillId,
    purpose: row.purpose,
    state: requestStateOf(row, nowMs),
    grantId: row.grantId,
    renewsGrantId: row.renewsGrantId,
    createdAtMs: row.createdAtMs,
    expiresAtMs: row.expiresAtMs,
    decidedAtMs: row.decidedAtMs,
  }
}
