import { type AskReason, dueQuestions, isExactCommand } from '../grant/ask-first.ts'
import { checkConstraints } from '../grant/constraint.ts'
import { isGuarded } from '../manifest/endpoint.ts'
import { reserve } from '../spending/budget.ts'
import { checkPayment } from '../spending/debt.ts'
import { timesOf } from './amount-of.ts'
import { ruleCounters, usedBefore } from './asked-before.ts'
import type { CandidateGrant, Decision, DecisionRequest, Facts, Invalid, Refusal } from './decision.ts'

type Approved = Extract<Facts['skill'], { kind: 'approved' }>
/** What is known once the manifest has been found to declare the action. */
type Declared = { request: DecisionRequest; facts: Facts; action: NonNullable<Approved['action']> }

type RequestCheck = (request: DecisionRequest, facts: Facts) => Refusal | undefined
type DeclaredCheck = (declared: Declared) => Refusal | undefined
type GrantCheck = (declared: Declared, grant: CandidateGrant) => Refusal | undefined

/**
 * The policy decision point (PDP, NIST SP 800-162). Pure: same facts, same decision.
 * The first refusal wins, so the order of these tables is part of the contract (DESIGN section 4).
 */
const REQUEST_CHECKS: readonly RequestCheck[] = [
  nothingIsFrozen, //      no operator stopped what this action goes through
  agentIsConnected, //     the user's yes to connect the agent stands
  skillIsApproved, //      the skill has a signed, approved manifest
  actionIsDeclared, //     the manifest says it may ever be asked this
]

const MANIFEST_CHECKS: readonly DeclaredCheck[] = [
  spendingIsReported, //   whoever carries it out will say what it took
  isEnforcedThere, //      whoever asks is who carries it out
  costsWhatIsDeclared, //  no more than the manifest says it can cost
  paysWhatIsOwed, //       a payment of an order equals the order's debt, once
]

const GRANT_CHECKS: readonly GrantCheck[] = [
  grantIsActive, //        the user said yes, and has not stopped saying it
  actionIsGranted, //      … to this action
  consentIsCurrent, //     … as the manifest describes it now
  constraintsHold, //      … with such arguments
  deploymentIsAllowed, //  … on such a model
  recipientsAreAllowed, // … to such recipients
  categoriesAreAllowed, // … of such data
  skillDeletesWhenTold, // the skill deleted what it had to
]

/**
 * Decides one request. Several grants may cover it: the first that permits is used, else the first that would
 * after a yes, else the refusal that came furthest is told.
 */
export function decide(request: DecisionRequest, facts: Facts): Decision | Invalid {
  for (const check of REQUEST_CHECKS) {
    const refusal = check(request, facts)
    if (refusal) return deny(refusal)
  }
  if (facts.skill.kind !== 'approved' || !facts.skill.action) return deny({ code: 'decision_failed' })
  if (facts.argumentFaults.length > 0) return { effect: 'invalid', faults: facts.argumentFaults }
  const declared: Declared = { request, facts, action: facts.skill.action }
  for (const check of MANIFEST_CHECKS) {
    const refusal = check(declared)
    if (refusal) return deny(refusal)
  }

  let ask: Decision | undefined
  let furthest: { rank: number; decision: Decision } | undefined
  for (const grant of facts.grants) {
    const { rank, decision } = decideUnder(declared, grant)
    if (decision.effect === 'permit') return decision
    if (decision.effect === 'ask') ask ??= decision
    else if (!furthest || rank > furthest.rank) furthest = { rank, decision }
  }
  return ask ?? furthest?.decision ?? deny({ code: 'consent_required', why: 'no_grant' })
}

/**
 * Whether what was permitted under a grant would be permitted now, so that the same bytes may be sent again under the
 * same key. Questions, budgets and debts were settled by the permit and are not looked at again.
 *
 * @param grantId null for a grant that this very permit used up: its terms cannot have changed since.
 */
export function stillPermits(request: DecisionRequest, facts: Facts, grantId: string | null): boolean {
  if (REQUEST_CHECKS.some((check) => check(request, facts))) return false
  if (facts.skill.kind !== 'approved' || !facts.skill.action || facts.argumentFaults.length > 0) return false
  const declared: Declared = { request, facts, action: facts.skill.action }
  if (costsWhatIsDeclared(declared) ?? spendingIsPossible(declared)) return false
  if (grantId === null) return true
  const grant = facts.grants.find((candidate) => candidate.id === grantId)
  return grant !== undefined && !GRANT_CHECKS.some((check) => check(declared, grant))
}

function decideUnder(declared: Declared, grant: CandidateGrant): { rank: number; decision: Decision } {
  let rank = 0
  for (const check of GRANT_CHECKS) {
    const refusal = check(declared, grant)
    if (refusal) return { rank, decision: deny(refusal, grant.id) }
    rank += 1
  }
  const stopped = accountsAreLinked(declared) ?? spendingIsPossible(declared) ?? nobodySaidNo(declared)
  if (stopped) return { rank, decision: deny(stopped, grant.id) }

  const { facts } = declared
  const questions = questionsUnder(declared, grant)
  const answered = questions.length === 0 || facts.approval?.state === 'approved'
  const asked = questions.length > 0
  const held = reserve(
    {
      agentLineage: facts.agent?.lineageId ?? '',
      skill: declared.request.skill,
      action: declared.request.action,
      reservedAtMs: facts.reservedAtMs,
      amount: facts.amount,
      asked,
    },
    facts.counters,
    grant.limits,
    facts.forgotten,
  )
  if (held.kind !== 'reserved') return { rank: rank + 1, decision: deny(refusalOf(held, grant), grant.id) }
  if (!answered) return { rank: rank + 2, decision: askOr(facts, grant, questions) }
  const approvalId = asked ? (facts.approval?.id ?? null) : null
  return { rank: rank + 3, decision: { effect: 'permit', grant, approvalId, counters: held.counters } }
}

/** Nobody is asked again who has just said no to the like, and nobody is asked about everything at once. */
function askOr(facts: Facts, grant: CandidateGrant, questions: readonly AskReason[]): Decision {
  const isWaiting = facts.approval?.state === 'waiting'
  if (!isWaiting && facts.mayAsk !== 'yes') return deny({ code: 'asked_too_often' }, grant.id)
  return { effect: 'ask', grantId: grant.id, questions }
}

/** Told only under a grant: whoever has none learns nothing of what is linked. */
function accountsAreLinked({ request, facts }: Declared): Refusal | undefined {
  const [link] = facts.accounts.unlinked
  if (link !== undefined) return { code: 'account_not_linked', skill: request.skill, link }
  return facts.accounts.unavailable.length > 0 ? { code: 'account_unavailable' } : undefined
}

function deny(refusal: Refusal, grantId: string | null = null): Decision {
  return { effect: 'deny', refusal, grantId }
}

function nothingIsFrozen(_request: DecisionRequest, { frozenBy }: Facts): Refusal | undefined {
  return frozenBy.length > 0 ? { code: 'frozen', freezeIds: frozenBy } : undefined
}

function agentIsConnected(_request: DecisionRequest, { agent }: Facts): Refusal | undefined {
  return agent?.connected ? undefined : { code: 'agent_not_connected' }
}

function skillIsApproved(_request: DecisionRequest, { skill }: Facts): Refusal | undefined {
  if (skill.kind === 'unknown') return { code: 'skill_unknown' }
  return skill.kind === 'suspended' ? { code: 'skill_suspended' } : undefined
}

function actionIsDeclared(_request: DecisionRequest, { skill }: Facts): Refusal | undefined {
  return skill.kind === 'approved' && skill.action ? undefined : { code: 'action_not_declared' }
}

function spendingIsReported({ request, action }: Declared): Refusal | undefined {
  const isReported = request.enforcement?.reportWithinMs !== null
  return isReported || !action.declared.effects.includes('spend')
    ? undefined
    : { code: 'outcome_not_reported' }
}

/** What a guard enforces the broker can send nowhere, and a guard is permitted nothing else. */
function isEnforcedThere({ request, facts }: Declared): Refusal | undefined {
  if (facts.pointEnded) return { code: 'enforced_elsewhere' }
  if (facts.skill.kind !== 'approved') return undefined
  const askedByGuard = request.enforcement?.reportWithinMs === null
  const byGuard = isGuarded(facts.skill.loaded.manifest.endpoint)
  return byGuard === askedByGuard ? undefined : { code: 'enforced_elsewhere' }
}

function costsWhatIsDeclared({ facts, action }: Declared): Refusal | undefined {
  if (!facts.amount) return undefined
  const mostMinor = action.declared.spends?.most[facts.amount.currency]
  if (mostMinor === undefined) return { code: 'currency_not_declared' }
  // What one call can cost holds for each time it is taken, however often that is.
  const times = timesOf(action.declared, facts.arguments) ?? 1
  return facts.amount.amountMinor > mostMinor * times
    ? { code: 'amount_above_manifest', mostMinor }
    : undefined
}

function paysWhatIsOwed({ facts, action }: Declared): Refusal | undefined {
  if (!action.declared.spends?.pays || facts.debt.kind === 'none') return undefined
  if (facts.debt.kind === 'unknown' || !facts.amount) return { code: 'debt_unknown' }
  const check = checkPayment(facts.debt.debt, { payee: facts.debt.payee, ...facts.amount })
  if (check === 'already_settled') return { code: 'debt_settled' }
  return check === 'settles' ? undefined : { code: 'debt_mismatch' }
}

function grantIsActive(_declared: Declared, { state }: CandidateGrant): Refusal | undefined {
  if (state === 'suspended') return { code: 'consent_suspended' }
  return state === 'active' ? undefined : { code: 'consent_required', why: state }
}

function actionIsGranted({ request }: Declared, { terms }: CandidateGrant): Refusal | undefined {
  const granted = terms.actions.some((action) => action.name === request.action)
  return granted ? undefined : { code: 'consent_required', why: 'action_not_granted' }
}

function consentIsCurrent(_declared: Declared, { newlyAsked }: CandidateGrant): Refusal | undefined {
  return newlyAsked.length > 0 ? { code: 'consent_outdated', changes: newlyAsked } : undefined
}

function constraintsHold(
  { request, facts, action }: Declared,
  { terms }: CandidateGrant,
): Refusal | undefined {
  const granted = terms.actions.find((candidate) => candidate.name === request.action)
  const outcome = checkConstraints(granted?.constraints ?? [], facts.arguments, {
    recipientPointers: action.recipientFields.map((field) => field.pointer),
    savedRecipients: facts.savedRecipients,
  })
  return outcome.ok
    ? undefined
    : { code: 'constraint_violated', pointer: outcome.pointer, fault: outcome.code }
}

/**
 * An agent that registered no deployment says nothing of its model, and names none: that is within a consent to
 * whatever it registered, and outside of one to certain models. One of several that is not named is ambiguous.
 */
function deploymentIsAllowed({ request, facts }: Declared, { terms }: CandidateGrant): Refusal | undefined {
  const ids = facts.agent?.deploymentIds ?? null
  const saysNothing = request.deploymentId === '' && ids?.length === 0
  if (saysNothing && terms.deployments.kind === 'registered') return undefined
  const registered = ids?.includes(request.deploymentId) ?? false
  const named =
    terms.deployments.kind === 'registered' || terms.deployments.ids.includes(request.deploymentId)
  return registered && named ? undefined : { code: 'deployment_not_allowed' }
}

function recipientsAreAllowed({ action }: Declared, { terms }: CandidateGrant): Refusal | undefined {
  const missing = action.declared.recipients.filter((id) => !terms.recipients.includes(id))
  return missing.length > 0 ? { code: 'recipient_not_allowed', recipients: missing } : undefined
}

/** Free text sent to someone new may carry everything the agent has read in this session. */
function categoriesAreAllowed({ facts, action }: Declared, { terms }: CandidateGrant): Refusal | undefined {
  if (!action.declared.effects.includes('egress') || !action.carriesFreely) return undefined
  const missing = facts.session.categories.filter((category) => !terms.categories.includes(category))
  return missing.length > 0 ? { code: 'category_not_allowed', categories: missing } : undefined
}

/** Told only under a grant: whoever has none learns nothing of what a skill keeps. */
function skillDeletesWhenTold({ facts }: Declared): Refusal | undefined {
  return facts.deletionOverdue ? { code: 'deletion_overdue' } : undefined
}

function spendingIsPossible({ facts, action }: Declared): Refusal | undefined {
  if (!action.declared.effects.includes('spend')) return undefined
  if (!facts.clockTrusted) return { code: 'clock_unconfirmed' }
  return facts.spendingStopped ? { code: 'spending_stopped' } : undefined
}

/** A no to exactly this stands, even if by now nobody would have to be asked. */
function nobodySaidNo({ facts }: Declared): Refusal | undefined {
  return facts.approval?.state === 'refused' ? { code: 'approval_refused' } : undefined
}

function questionsUnder({ request, facts, action }: Declared, grant: CandidateGrant): AskReason[] {
  const whose = { agentLineage: facts.agent?.lineageId ?? '', skill: request.skill }
  const declared = facts.skill.kind === 'approved' ? facts.skill.loaded.manifest.actions : []
  const before = (rule: Parameters<typeof ruleCounters>[0]) =>
    usedBefore(ruleCounters(rule, grant.terms, declared, whose), facts.counters, facts.forgotten)
  return dueQuestions(grant.terms, action.declared, {
    amount: facts.amount && { minor: facts.amount.amountMinor, currency: facts.amount.currency },
    unaskedMinorBefore: before,
    countBefore: before,
    newRecipient: facts.newRecipient,
    minuteOfDay: facts.minuteOfDay,
    untrustedRead: facts.session.readUntrusted,
    paysKnownOrder: facts.debt.kind === 'known',
    exactCommand: isExactCommand(grant.terms, action.declared.name, commandPointers(action)),
  })
}

function commandPointers(action: Declared['action']): string[] {
  return action.input.fields.filter(({ kind }) => kind === 'command').map(({ pointer }) => pointer)
}

function refusalOf(
  held: Exclude<ReturnType<typeof reserve>, { kind: 'reserved' }>,
  grant: CandidateGrant,
): Refusal {
  switch (held.kind) {
    case 'currency_without_budget':
      return { code: 'currency_without_budget', currency: held.currency }
    case 'exceeds_limit':
      return {
        code: 'budget_exceeded',
        owner: held.owner,
        availableMinor: held.availableMinor,
        shared: held.owner === 'grant' && grant.terms.sharesBudget,
      }
    case 'total_not_safe':
      return { code: 'amount_too_large' }
  }
}
