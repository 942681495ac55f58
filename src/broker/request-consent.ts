import { canonicalJson } from '../core/canonical-json.ts'
import { freezeIdOf } from '../core/decision/freeze-ids.ts'
import { defaultTerms, type WishedTerms } from '../core/grant/default-terms.ts'
import type { GrantTerms } from '../core/grant/terms.ts'
import { checkTermsAgainstManifest, type TermsFault } from '../core/grant/terms-check.ts'
import type { Manifest } from '../core/manifest/manifest.ts'
import { plainJson } from '../core/manifest/manifest-change.ts'
import type { AgentRow, ConsentRequestRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import { deploymentsOf } from './agent-deployments.ts'
import { askAgain } from './ask-again.ts'
import type { Broker } from './broker.ts'
import type { RequestConsent } from './consent-wish.ts'
import { type LeafSealer, sealerFor } from './leaf-sealer.ts'
import { findOwnAgent } from './own-rows.ts'
import { type Renewal, renewalTerms } from './renewal-terms.ts'
import { tellInTx } from './tell.ts'

export type ConsentRequested =
  /** `isNew` is false when the same question was open already. */
  | { kind: 'pending'; request: ConsentRequestRow; isNew: boolean }
  | { kind: 'agent_not_connected' }
  | { kind: 'frozen' }
  | { kind: 'skill_unknown' }
  | { kind: 'skill_suspended' }
  | { kind: 'invalid'; faults: readonly TermsFault[] }
  /** The grant to renew is not this agent's, or has ended. */
  | { kind: 'not_found' }
  | { kind: 'nothing_to_renew' }
  | { kind: 'renewal_differs'; fields: readonly string[] }
  | { kind: 'cooling_down'; untilMs: number }
  | { kind: 'too_many_open' }

/**
 * Puts an agent's question before its user. The same question asked again while it is open is the same question;
 * after a no the agent has to wait, whatever it asks for at this skill and in whatever words.
 */
export async function requestConsent(broker: Broker, input: RequestConsent): Promise<ConsentRequested> {
  const isKnown = await broker.store.read(async (tx) => (await tx.skills.find(input.skill)) !== undefined)
  if (!isKnown) return { kind: 'skill_unknown' }
  const seal = await sealerFor(broker, { userId: input.userId, skillId: input.skill })
  const outcome = await broker.store.transaction<ConsentRequested>(async (tx) => {
    const asking = await loadAsking(broker, tx, input)
    if (asking.kind !== 'may_ask') return asking
    const wanted = await wantedTerms(broker, tx, input, asking)
    if (wanted.kind !== 'terms') return wanted
    const line = {
      ...input,
      lineageId: asking.agent.lineageId,
      actions: wanted.termsAt(tx.nowMs).actions.map(({ name }) => name),
    }
    const again = await askAgain(tx, broker.settings, line, asking.manifestDigest, (atMs) =>
      termsText(wanted.termsAt(atMs)),
    )
    if (again.kind !== 'new') return again
    return save(broker, tx, seal, input, asking.manifestDigest, wanted.termsAt(tx.nowMs))
  }, input)
  // Only what changes something is a leaf of its own: an agent that asks in vain must not grow the log at will.
  if (outcome.kind !== 'pending') broker.recentRefusals.count(`consent_request:${outcome.kind}`)
  else if (outcome.isNew) broker.deliveries.wake()
  return outcome
}

type MayAsk = { kind: 'may_ask'; agent: AgentRow; manifestDigest: string; manifest: Manifest }
type Wanted = { kind: 'terms'; termsAt: (nowMs: number) => GrantTerms }
type Refused = Exclude<ConsentRequested, { kind: 'pending' }>

async function loadAsking(broker: Broker, tx: Tx, input: RequestConsent): Promise<MayAsk | Refused> {
  const agent = await findOwnAgent(tx, input.userId, input.agentId)
  if (agent?.status !== 'connected') return { kind: 'agent_not_connected' }
  const skill = await tx.skills.find(input.skill)
  if (!skill) return { kind: 'skill_unknown' }
  const freezes = await tx.freezes.matching([
    freezeIdOf('user', input.userId),
    freezeIdOf('agent', agent.id),
    freezeIdOf('skill', skill.id),
    freezeIdOf('publisher', skill.publisherId),
    freezeIdOf('platform', '*'),
  ])
  if (freezes.length > 0) return { kind: 'frozen' }
  if (skill.currentDigest === null) return { kind: 'skill_suspended' }
  const { manifest } = await broker.manifests.load(tx, skill.currentDigest)
  return { kind: 'may_ask', agent, manifestDigest: skill.currentDigest, manifest }
}

async function wantedTerms(
  broker: Broker,
  tx: Tx,
  input: RequestConsent,
  { agent, manifest, manifestDigest }: MayAsk,
): Promise<Wanted | Refused> {
  if (input.renewsGrantId !== undefined) {
    const renewal: Renewal = await renewalTerms(broker, tx, input, input.renewsGrantId, manifestDigest)
    return renewal.kind === 'terms' ? { kind: 'terms', termsAt: () => renewal.terms } : renewal
  }
  const wished: WishedTerms = { ...input, actions: input.actions ?? [] }
  const registered = deploymentsOf(agent).map(({ id }) => id)
  const asked = defaultTerms(manifest, wished, tx.nowMs)
  const faults = checkTermsAgainstManifest(asked, manifest, registered, tx.nowMs)
  if (faults.length > 0) return { kind: 'invalid', faults }
  return { kind: 'terms', termsAt: (nowMs) => defaultTerms(manifest, wished, nowMs) }
}

/** The one text of terms, as it is stored and compared. */
function termsText(asked: GrantTerms): string {
  return canonicalJson(plainJson(asked))
}

async function save(
  broker: Broker,
  tx: Tx,
  seal: LeafSealer,
  input: RequestConsent,
  manifestDigest: string,
  asked: GrantTerms,
): Promise<ConsentRequested> {
  const request: ConsentRequestRow = {
    id: broker.newId('consentRequest'),
    userId: input.userId,
    agentId: input.agentId,
    skillId: input.skill,
    manifestDigest,
    terms: termsText(asked),
    purpose: input.purpose ?? '',
    status: 'pending',
    grantId: null,
    renewsGrantId: input.renewsGrantId ?? null,
    createdAtMs: tx.nowMs,
    expiresAtMs: tx.nowMs + broker.settings.consentWithinMs,
    decidedAtMs: null,
  }
  await tx.consentRequests.insert(request)
  await tellInTx(broker, tx, request.userId, {
    kind: 'consent_waiting',
    id: request.id,
    expiresAtMs: request.expiresAtMs,
    batch: `consent_waiting ${request.agentId} ${request.skillId}`,
  })
  const leaf = seal(
    {
      type: 'consent_request',
      outcome: 'pending',
      reason: request.renewsGrantId === null ? 'new_grant' : 'renewal',
      core: { skill: request.skillId, manifest: manifestDigest },
      subj: {
        user: request.userId,
        agent: request.agentId,
        request: request.id,
        renews: request.renewsGrantId,
      },
      body: { terms: plainJson(asked), purpose: request.purpose },
    },
    tx.nowMs,
  )
  await tx.log.append(leaf, tx.nowMs)
  return { kind: 'pending', request, isNew: true }
}
