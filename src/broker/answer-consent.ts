import { z } from 'zod'
import { checkNarrower, type NarrowFault } from '../core/grant/narrow.ts'
import { type GrantTerms, grantTermsShape } from '../core/grant/terms.ts'
import { checkTermsAgainstManifest, type TermsFault } from '../core/grant/terms-check.ts'
import { plainJson } from '../core/manifest/manifest-change.ts'
import type { AgentRow, ConsentRequestRow, GrantRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import { deploymentsOf } from './agent-deployments.ts'
import type { Broker } from './broker.ts'
import { type GrantGiven, giveGrant, renewConsent } from './give-grant.ts'
import { type LeafSealer, sealerFor } from './leaf-sealer.ts'
import { findOwnConsentRequest } from './own-rows.ts'
import { refuseOddTexts } from './plain-text.ts'
import { type RecoveredRecently, recoveredRecently } from './recovered-recently.ts'
import { type ConsentRequestState, requestStateOf, showRequested } from './show-consent-request.ts'

export const approveConsentShape = z.strictObject({
  /** The terms as the user narrowed them; as asked if left out. */
  given: grantTermsShape.superRefine(refuseOddTexts).optional(),
  /** The digest of what the user was shown; with it a yes to anything else is refused. */
  shownDigest: z.string().max(64).optional(),
})

export type ApproveConsent = z.infer<typeof approveConsentShape> & { userId: string; requestId: string }

export type ConsentApproved =
  /** `replaced` are the grants that the new one takes the place of. */
  | { kind: 'approved'; grant: GrantRow; replaced: readonly string[] }
  | { kind: 'not_found' }
  | { kind: 'already_answered'; state: ConsentRequestState; grantId: string | null }
  | { kind: 'expired' }
  | { kind: 'agent_not_connected' }
  | RecoveredRecently
  /** The skill has another manifest by now, or none: the agent has to ask again. */
  | { kind: 'manifest_changed' }
  /** The grant to renew was narrowed, renewed or ended since it was asked for. */
  | { kind: 'grant_changed' }
  /** What would be agreed to is not what the digest was made of: show it again. */
  | { kind: 'shown_differs' }
  | { kind: 'not_narrower'; faults: readonly NarrowFault[] }
  | { kind: 'invalid'; faults: readonly TermsFault[] }

/**
 * The user's yes: makes a grant of what was asked, or of less. Grants that this user, agent and skill had before
 * are replaced in the same transaction, unless the new one is good for one action only; counters go on.
 */
export async function approveConsent(broker: Broker, input: ApproveConsent): Promise<ConsentApproved> {
  const seal = await sealerForRequest(broker, input)
  if (!seal) return { kind: 'not_found' }
  return broker.store.transaction(async (tx) => {
    const open = await findOpen(tx, input)
    if (open.kind !== 'open') return open
    const { request } = open
    const agent = await tx.agents.find(request.agentId)
    if (agent?.status !== 'connected') return { kind: 'agent_not_connected' }
    if (await recoveredRecently(tx, request.userId)) return { kind: 'recovered_recently' }
    const skill = await tx.skills.find(request.skillId)
    if (skill?.currentDigest !== request.manifestDigest) return { kind: 'manifest_changed' }

    const shown = await showRequested(broker, tx, request)
    if (input.shownDigest !== undefined && input.shownDigest !== shown.digest)
      return { kind: 'shown_differs' }
    const terms = input.given ?? askedTerms(request)
    const refused = await termsRefusal(broker, tx, request, agent, terms)
    if (refused) return refused

    const given: GrantGiven | undefined =
      request.renewsGrantId === null
        ? await giveGrant(broker, tx, { request, agent, terms })
        : await renewConsent(broker, tx, { request, terms, grantId: request.renewsGrantId })
    if (!given) return { kind: 'grant_changed' }
    await tx.consentRequests.decide(request.id, 'approved', given.grant.id, tx.nowMs)
    await appendAnswer(tx, seal, request, 'approved', {
      grant: given.grant.id,
      replaced: [...given.replaced],
      body: { shown: shown.digest, terms: plainJson(terms) },
    })
    return { kind: 'approved', ...given }
  }, input)
}

export type ConsentRefused =
  | { kind: 'refused' }
  | { kind: 'not_found' }
  | { kind: 'already_answered'; state: ConsentRequestState; grantId: string | null }
  | { kind: 'expired' }

/** The user's no. Saying it twice is one no; the agent has to wait before it asks again. */
export async function refuseConsent(
  broker: Broker,
  input: { userId: string; requestId: string },
): Promise<ConsentRefused> {
  const seal = await sealerForRequest(broker, input)
  if (!seal) return { kind: 'not_found' }
  return broker.store.transaction(async (tx) => {
    const open = await findOpen(tx, input)
    if (open.kind === 'already_answered' && open.state === 'refused') return { kind: 'refused' }
    if (open.kind !== 'open') return open
    await tx.consentRequests.decide(open.request.id, 'refused', null, tx.nowMs)
    await appendAnswer(tx, seal, open.request, 'refused', { grant: null, replaced: [], body: {} })
    return { kind: 'refused' }
  }, input)
}

async function sealerForRequest(
  broker: Broker,
  input: { userId: string; requestId: string },
): Promise<LeafSealer | undefined> {
  const request = await broker.store.read((tx) => findOwnConsentRequest(tx, input.userId, input.requestId))
  return request && sealerFor(broker, { userId: request.userId, skillId: request.skillId })
}

type Open =
  | { kind: 'open'; request: ConsentRequestRow }
  | { kind: 'not_found' }
  | { kind: 'expired' }
  | { kind: 'already_answered'; state: ConsentRequestState; grantId: string | null }

async function findOpen(tx: Tx, input: { userId: string; requestId: string }): Promise<Open> {
  const request = await findOwnConsentRequest(tx, input.userId, input.requestId)
  if (!request) return { kind: 'not_found' }
  const state = requestStateOf(request, tx.nowMs)
  if (state === 'pending') return { kind: 'open', request }
  if (state === 'expired') return { kind: 'expired' }
  return { kind: 'already_answered', state, grantId: request.grantId }
}

function askedTerms(request: ConsentRequestRow): GrantTerms {
  return JSON.parse(request.terms) as GrantTerms
}

/**
 * What a person adds by narrowing and nothing could ever meet. The rest that a check of asked terms finds is what
 * narrowing leaves behind, such as the budget of an action that was struck out: it hinders nothing.
 */
const ADDED_IN_VAIN: readonly TermsFault['code'][] = [
  'constraint_field_unknown',
  'constraint_cannot_hold',
  'deployment_unknown',
]

/** Terms are refused when they are not proven narrower, or when what narrows them can never be met. */
async function termsRefusal(
  broker: Broker,
  tx: Tx,
  request: ConsentRequestRow,
  agent: AgentRow,
  terms: GrantTerms,
): Promise<Extract<ConsentApproved, { kind: 'not_narrower' | 'invalid' }> | undefined> {
  const narrower = checkNarrower(askedTerms(request), terms, tx.nowMs)
  if (!narrower.ok) return { kind: 'not_narrower', faults: narrower.faults }
  // A renewed grant may name what a new version no longer has: that part permits nothing and hinders nothing.
  if (request.renewsGrantId !== null) return undefined
  const { manifest } = await broker.manifests.load(tx, request.manifestDigest)
  const registered = deploymentsOf(agent).map(({ id }) => id)
  const faults = checkTermsAgainstManifest(terms, manifest, registered, tx.nowMs).filter(({ code }) =>
    ADDED_IN_VAIN.includes(code),
  )
  return faults.length > 0 ? { kind: 'invalid', faults } : undefined
}

async function appendAnswer(
  tx: Tx,
  seal: LeafSealer,
  request: ConsentRequestRow,
  outcome: 'approved' | 'refused',
  answer: { grant: string | null; replaced: string[]; body: Parameters<LeafSealer>[0]['body'] },
): Promise<void> {
  const leaf = seal(
    {
      type: 'consent',
      outcome,
      reason: 'by_user',
      core: { skill: request.skillId, manifest: request.manifestDigest },
      subj: {
        user: request.userId,
        agent: request.agentId,
        request: request.id,
        grant: answer.grant,
        replaced: answer.replaced,
      },
      ...(outcome === 'approved' && answer.body !== undefined ? { body: answer.body } : {}),
    },
    tx.nowMs,
  )
  await tx.log.append(leaf, tx.nowMs)
}
