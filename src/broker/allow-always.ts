import { currencyExponent } from '../core/currency.ts'
import { ALWAYS_ASKED } from '../core/grant/ask-first.ts'
import { DAY_MS, GRANT_DAYS_MOST } from '../core/grant/grant-state.ts'
import { type SameAgain, sameAgain } from '../core/grant/same-again.ts'
import type { GrantTerms } from '../core/grant/terms.ts'
import { checkTermsAgainstManifest } from '../core/grant/terms-check.ts'
import { findAction, type Manifest, type ManifestAction } from '../core/manifest/manifest.ts'
import { plainJson } from '../core/manifest/manifest-change.ts'
import type { ActionRow, AgentRow, GrantRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import { deploymentsOf } from './agent-deployments.ts'
import type { Broker } from './broker.ts'
import { storedTerms } from './give-grant.ts'
import { termsOf } from './grant-terms.ts'
import { sealerFor } from './leaf-sealer.ts'
import { findOwnApproval, findOwnGrant } from './own-rows.ts'
import { recoveredRecently } from './recovered-recently.ts'
import { type ShownApproval, showAsked } from './shown-approval.ts'
import { type ShownConsent, showConsent } from './shown-consent.ts'
import { giveStatusPlace } from './status-place.ts'

/** What the user chooses; everything else follows from the one action that was asked about. */
export type AlwaysLimits = {
  /** Pointers of arguments that may differ the next time; recipients and amounts never do. */
  readonly mayDiffer: readonly string[]
  /** How often in a calendar day. */
  readonly timesADay: number
  /** Minor units in a calendar day; without meaning where the action costs nothing. */
  readonly dayLimitMinor: number
  readonly days: number
}

export type AlwaysOffer = {
  readonly action: ManifestAction
  readonly manifest: Manifest
  readonly agentName: string
  readonly same: SameAgain
  readonly shown: ShownApproval
}

type Offered = AlwaysOffer & {
  readonly agent: AgentRow
  readonly row: ActionRow
  readonly base: GrantTerms
  readonly digest: string
}

export type AlwaysShown =
  | { readonly kind: 'shown'; readonly terms: GrantTerms; readonly shown: ShownConsent }
  | { readonly kind: 'not_found' | 'not_offered' | 'invalid' }

export type AlwaysAllowed =
  | { readonly kind: 'allowed'; readonly grantId: string }
  | { readonly kind: 'not_found' | 'not_offered' | 'invalid' | 'shown_differs' | 'recovered_recently' }

type Which = { readonly userId: string; readonly approvalId: string }

/** What a new grant for the like of an asked action can be made of; undefined where none can. */
export async function offerAlways(broker: Broker, which: Which): Promise<AlwaysOffer | undefined> {
  return findOffer(broker, which)
}

/** The sentences of the grant that these limits would make, and the digest a yes to it is bound to. */
export async function showAlways(
  broker: Broker,
  input: Which & { readonly limits: AlwaysLimits; readonly fromMs: number },
): Promise<AlwaysShown> {
  const offer = await findOffer(broker, input)
  if (!offer) return { kind: 'not_offered' }
  return broker.store.read((tx) => describe(broker, tx, offer, input.limits, input.fromMs))
}

/**
 * Gives the grant. It stands beside what the agent was allowed before, so that nothing else changes; the question it
 * came from is answered by it when the agent asks again, and nothing is executed now.
 *
 * @param input.shownAtMs when it was shown, from which its end counts, so that the sentences are the same a moment
 *   later. A time that is not a little while ago is refused.
 */
export async function allowAlways(
  broker: Broker,
  input: Which & { readonly limits: AlwaysLimits; readonly shownAtMs: number; readonly shownDigest: string },
): Promise<AlwaysAllowed> {
  const offer = await findOffer(broker, input)
  if (!offer) return { kind: 'not_offered' }
  const { userId } = input
  const seal = await sealerFor(broker, { userId, skillId: offer.row.skillId })
  return broker.store.transaction<AlwaysAllowed>(async (tx) => {
    const agent = await tx.agents.find(offer.agent.id)
    const skill = await tx.skills.find(offer.row.skillId)
    if (agent?.status !== 'connected' || skill?.currentDigest !== offer.digest) return { kind: 'not_offered' }
    if (await recoveredRecently(tx, userId)) return { kind: 'recovered_recently' }
    const { shownAtMs } = input
    if (!Number.isSafeInteger(shownAtMs) || shownAtMs > tx.nowMs || shownAtMs < tx.nowMs - DAY_MS)
      return { kind: 'shown_differs' }
    const made = await describe(broker, tx, offer, input.limits, shownAtMs)
    if (made.kind !== 'shown') return { kind: made.kind }
    if (made.shown.digest !== input.shownDigest) return { kind: 'shown_differs' }
    const { terms, shown } = made
    const grant: GrantRow = {
      id: broker.newId('grant'),
      userId,
      agentId: agent.id,
      lineageId: agent.lineageId,
      skillId: skill.id,
      ...storedTerms(terms, { [offer.action.name]: offer.digest }),
      revision: 1,
      status: 'active',
      createdAtMs: tx.nowMs,
      changedAtMs: tx.nowMs,
    }
    await tx.grants.insert(grant)
    await giveStatusPlace(tx, grant)
    const leaf = seal(
      {
        type: 'consent',
        outcome: 'approved',
        reason: 'by_user',
        core: { skill: skill.id, manifest: offer.digest },
        subj: { user: userId, agent: agent.id, approval: input.approvalId, grant: grant.id, replaced: [] },
        body: { shown: shown.digest, terms: plainJson(terms) },
      },
      tx.nowMs,
    )
    await tx.log.append(leaf, tx.nowMs)
    return { kind: 'allowed', grantId: grant.id }
  })
}

async function findOffer(broker: Broker, { userId, approvalId }: Which): Promise<Offered | undefined> {
  const found = await broker.store.read(async (tx) => {
    const approval = await findOwnApproval(tx, userId, approvalId)
    const row = approval && (await tx.actions.find(approval.actionId))
    if (!approval || !row || row.grantId === null || row.manifestDigest === null) return undefined
    const grant = await findOwnGrant(tx, userId, row.grantId)
    const agent = await tx.agents.find(row.agentId)
    const current = (await tx.skills.find(row.skillId))?.currentDigest
    if (!grant || agent?.status !== 'connected' || current !== row.manifestDigest) return undefined
    const { manifest } = await broker.manifests.load(tx, row.manifestDigest)
    const action = findAction(manifest, row.action)
    return action && { approval, row, agent, manifest, action, base: termsOf(grant).terms, digest: current }
  })
  // Adding a recipient is asked about every time, and so is a payment that belongs to no order: no grant changes that.
  if (!found || found.action.addsRecipient || found.action.spends?.pays || found.action.spends?.recurs)
    return undefined
  const { approval, ...facts } = found
  const shown = await showAsked(broker, approval, found.row)
  const same = shown && sameAgain(found.action, shown.arguments)
  return shown && same ? { ...facts, agentName: found.agent.name, same, shown } : undefined
}

async function describe(
  broker: Broker,
  tx: Tx,
  offer: Offered,
  limits: AlwaysLimits,
  fromMs: number,
): Promise<AlwaysShown> {
  const terms = termsFor(offer, limits, fromMs)
  const registered = deploymentsOf(offer.agent).map(({ id }) => id)
  if (!terms || checkTermsAgainstManifest(terms, offer.manifest, registered, tx.nowMs).length > 0)
    return { kind: 'invalid' }
  const shown = await showConsent(broker, tx, {
    kind: 'grant',
    agent: offer.agent,
    manifestDigest: offer.digest,
    terms,
    purpose: null,
    changes: null,
  })
  return { kind: 'shown', terms, shown }
}

/** The terms of the new grant: this action alone, as it was, so often, for so much, for so long. */
function termsFor(
  { action, base, same, shown }: Offered,
  limits: AlwaysLimits,
  fromMs: number,
): GrantTerms | undefined {
  const { mayDiffer, timesADay, dayLimitMinor, days } = limits
  const isPositive = (value: number, most: number) =>
    Number.isSafeInteger(value) && value >= 1 && value <= most
  if (!isPositive(timesADay, 1_000) || !isPositive(days, GRANT_DAYS_MOST)) return undefined
  const { amount } = shown
  if (
    amount &&
    (!isPositive(dayLimitMinor, Number.MAX_SAFE_INTEGER) || currencyExponent(amount.currency) === undefined)
  )
    return undefined
  const kept = same.sent.filter(({ pointer, isFixed }) => isFixed || !mayDiffer.includes(pointer))
  const day = { kind: 'calendar', period: 'day' } as const
  const { name } = action
  return {
    skill: base.skill,
    actions: [{ name, constraints: [...kept.map(({ constraint }) => constraint), ...same.rest] }],
    budgets: [
      ...(amount
        ? [
            {
              measure: 'amount' as const,
              currency: amount.currency,
              window: day,
              limit: dayLimitMinor,
              action: name,
            },
          ]
        : []),
      { measure: 'count', window: day, limit: timesADay, action: name },
    ],
    askFirst: [],
    unasked: action.effects.some((effect) => ALWAYS_ASKED.some((always) => always === effect))
      ? [{ rule: 'always', action: name }]
      : [],
    categories: base.categories,
    recipients: base.recipients.filter((id) => action.recipients.includes(id)),
    retentionDays: Object.fromEntries(
      Object.entries(base.retentionDays).filter(([memory]) => action.remembers.includes(memory)),
    ),
    deployments: base.deployments,
    oneTime: false,
    expiresAtMs: fromMs + days * DAY_MS,
    sharesBudget: base.sharesBudget,
  }
}
