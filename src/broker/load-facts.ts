import { isCounting, ruleCounters } from '../core/decision/asked-before.ts'
import { type CheckedArguments, checkArguments } from '../core/decision/check-arguments.ts'
import type { CandidateGrant, DecisionRequest, Facts } from '../core/decision/decision.ts'
import { freezeIdsFor } from '../core/decision/freeze-ids.ts'
import { valuesAt } from '../core/json-pointer.ts'
import type { JsonValue } from '../core/json-value.ts'
import type { LoadedAction, LoadedManifest } from '../core/manifest/loaded-manifest.ts'
import type { Effect } from '../core/manifest/manifest.ts'
import { answersTo } from '../core/model/answers-to.ts'
import { type CounterSpec, counterSpecOf, type Subject } from '../core/spending/counter.ts'
import { minuteOfDayAt } from '../core/spending/time-zone.ts'
import type { LinkedAccountRow } from '../ports/link-rows.ts'
import type { DecisionHead, Tx } from '../ports/store.ts'
import type { RegisteredDeployment } from './agent-deployments.ts'
import type { Broker } from './broker.ts'
import { candidateGrants } from './candidate-grants.ts'
import { forgottenOf } from './forgotten-of.ts'
import { termsOf } from './grant-terms.ts'
import { isHandedOver } from './handed-over.ts'
import { linkedFor } from './linked-for.ts'
import { type CountersNow, loadCounters } from './load-counters.ts'
import { livesAt, type SessionFacts, sessionFacts, UNKNOWN_SESSION } from './session-facts.ts'

/** Which model an agent asked for, and which one its endpoint said had answered. */
export type ModelNames = { readonly requested: string; readonly returned: string }

/** @property model decides nothing but whether it can be the deployment named; kept in the leaf. */
export type AskedAction = DecisionRequest & { sessionId: string; model?: ModelNames }

/** The facts of a request, and what came up while they were loaded. */
export type LoadedFacts = {
  facts: Facts & { model?: ModelNames }
  lineageId: string
  loaded: LoadedManifest | null
  action: LoadedAction | null
  countersNow: CountersNow
  /** The execution whose debt this payment would settle. */
  debtActionId: string | null
  /** The accounts that fill fields of the action, as they are linked now. */
  accounts: readonly LinkedAccountRow[]
  /** The agent's session, if it lives. */
  session: DecisionHead['session'] | undefined
}

/** Loads everything the decision may look at, in the transaction that decides; asks only for what can matter. */
export async function loadFacts(broker: Broker, tx: Tx, asked: AskedAction): Promise<LoadedFacts> {
  const { userId } = asked
  const head = await tx.decisionHeads.find({ ...asked, skillId: asked.skill })
  const publisherId = head?.publisherId ?? null
  const frozen =
    head?.anyFreeze === false ? [] : await tx.freezes.matching(freezeIdsFor({ ...asked, publisherId }))
  const agent = head
  const loaded = head?.currentDigest ? await broker.manifests.load(tx, head.currentDigest) : null
  const action = loaded?.actions.get(asked.action) ?? null
  const checked: CheckedArguments = action
    ? checkArguments(action, asked.arguments)
    : { arguments: asked.arguments, amount: null, recipients: [], faults: [] }

  const subject: Subject = { agentLineage: agent?.lineageId ?? '', skill: asked.skill, action: asked.action }
  const rows = agent && action ? await tx.grants.candidates(userId, asked.agentId, asked.skill) : []
  const budgets = rows.length > 0 && head && head.userBudgets > 0 ? await tx.budgets.list(userId) : []
  const grants = loaded
    ? await candidateGrants(broker.manifests, tx, userId, rows, subject, budgets, loaded)
    : []
  const effects: readonly Effect[] = grants.length > 0 ? (action?.declared.effects ?? []) : []
  const isSpend = effects.includes('spend')

  const zone = agent?.timeZone ?? 'UTC'
  const session = head?.session && livesAt(head.session, tx.nowMs) ? head.session : undefined
  const countersNow = await countersFor(
    tx,
    userId,
    subject,
    zone,
    grants,
    checked.amount?.currency ?? null,
    loaded,
  )
  const debt = action && isSpend ? await debtFor(tx, userId, action, checked.arguments) : NO_DEBT

  const linked = await linkedFor(broker, tx, userId, loaded, action)
  const facts: LoadedFacts['facts'] = {
    nowMs: tx.nowMs,
    reservedAtMs: countersNow.reservedAtMs,
    clockTrusted: tx.clockTrusted,
    frozenBy: frozen.map((freeze) => freeze.id),
    agent: agent
      ? {
          connected: agent.agentStatus === 'connected' && agent.endedFamilies === 0,
          lineageId: agent.lineageId,
          deploymentIds: idsOf(agent, asked),
        }
      : null,
    skill: loaded
      ? { kind: 'approved', loaded, action }
      : { kind: publisherId === null ? 'unknown' : 'suspended' },
    ...(asked.model ? { model: asked.model } : {}),
    ...((await hasEnded(tx, asked)) ? { pointEnded: true } : {}),
    arguments: checked.arguments,
    argumentFaults: checked.faults,
    amount: checked.amount,
    recipients: checked.recipients,
    savedRecipients: await savedRecipientsFor(tx, userId, grants),
    newRecipient: await isNewRecipient(broker, tx, asked, grants, checked.recipients),
    minuteOfDay: looksAtHours(grants) ? minuteOfDayAt(tx.nowMs, zone) : 0,
    session: looksBack(effects, grants) ? await readBefore(tx, asked, session) : NOTHING_READ,
    spendingStopped: isSpend && (head?.openIncidents ?? 0) > 0,
    deletionOverdue: broker.settings.suspendsOverdueDeletions && (head?.overdueDeletions ?? 0) > 0,
    debt: debt.facts,
    accounts: { unlinked: linked.unlinked, unavailable: [] },
    grants,
    counters: countersNow.counters,
    forgotten: await forgottenOf(broker, tx, userId),
    approval: null,
    mayAsk: 'yes',
  }
  return {
    facts,
    accounts: linked.rows,
    lineageId: subject.agentLineage,
    loaded,
    action,
    countersNow,
    debtActionId: debt.actionId,
    session,
  }
}

/** Looked at in the transaction that decides, so that one that is ended is permitted nothing more (P3). */
async function hasEnded(tx: Tx, { enforcement }: AskedAction): Promise<boolean> {
  if (!enforcement || !isHandedOver({ nodeId: enforcement.by })) return false
  return !(await tx.enforcementPoints.isActive(enforcement.by))
}

/** Where the session is not known, everything that the agent may read counts as read, and by strangers written. */
async function readBefore(
  tx: Tx,
  { sessionId, userId, agentId }: AskedAction,
  session: DecisionHead['session'] | undefined,
): Promise<SessionFacts> {
  if (sessionId !== UNKNOWN_SESSION) return session ? sessionFacts(session) : NOTHING_READ
  const own = (await tx.grants.live(userId)).filter((grant) => grant.agentId === agentId)
  const categories = own.flatMap((grant) => termsOf(grant).terms.categories)
  return { readUntrusted: true, categories: [...new Set(categories)].sort() }
}

/** Effects that must not follow unasked upon what a stranger wrote. */
const LOOKS_BACK: ReadonlySet<Effect> = new Set(['egress', 'spend', 'authority'])
/** A user's own rule may name any action, whatever its effects. */
function looksBack(effects: readonly Effect[], grants: readonly CandidateGrant[]): boolean {
  return (
    effects.some((effect) => LOOKS_BACK.has(effect)) ||
    grants.some(({ terms }) => terms.askFirst.some((rule) => rule.kind === 'after_untrusted'))
  )
}

/** Zones are dear to ask, so the hour is looked at only where a rule is about it. */
function looksAtHours(grants: readonly CandidateGrant[]): boolean {
  return grants.some(({ terms }) => terms.askFirst.some((rule) => rule.kind === 'outside_hours'))
}

const NOTHING_READ: SessionFacts = { readUntrusted: false, categories: [] }
const NO_DEBT: { facts: Facts['debt']; actionId: null } = { facts: { kind: 'none' }, actionId: null }

/** The deployments an agent may run on; one that cannot have returned the model's name is not what it runs on. */
function idsOf(agent: DecisionHead, { deploymentId, model }: AskedAction): string[] {
  const registered = JSON.parse(agent.deployments) as RegisteredDeployment[]
  const isOther = ({ id, deployment }: RegisteredDeployment) =>
    model !== undefined && id === deploymentId && !answersTo(deployment, model.returned)
  return registered.filter((one) => !isOther(one)).map(({ id }) => id)
}

async function countersFor(
  tx: Tx,
  userId: string,
  subject: Subject,
  zone: string,
  grants: readonly CandidateGrant[],
  currency: string | null,
  loaded: LoadedManifest | null,
): Promise<CountersNow> {
  if (grants.length === 0) return { counters: [], reservedAtMs: tx.nowMs, moved: [], stored: new Set() }
  const wanted: CounterSpec[] = []
  let beyondAction = false
  for (const { limits, terms } of grants) {
    for (const { owner, budget } of limits) {
      const spec = counterSpecOf(owner, subject, budget)
      if (spec) wanted.push(spec)
    }
    for (const rule of terms.askFirst.filter(isCounting)) {
      const specs = ruleCounters(rule, terms, loaded?.manifest.actions ?? [], subject)
      wanted.push(...specs)
      beyondAction ||= specs.some((spec) => spec.scope.action !== subject.action)
    }
  }
  const { agentLineage: lineageId, skill: skillId, action } = subject
  // Counters of other currencies are not loaded, and must not be made anew beside those that are stored.
  const mattering = wanted.filter((spec) => spec.currency === null || spec.currency === currency)
  return loadCounters(tx, { userId, lineageId, skillId, action, currency, zone }, mattering, beyondAction)
}

async function savedRecipientsFor(tx: Tx, userId: string, grants: readonly CandidateGrant[]) {
  const isUsed = grants.some(({ terms }) =>
    terms.actions.some((action) => action.constraints.some((c) => c.kind === 'saved_recipient')),
  )
  return isUsed ? (await tx.recipients.list(userId)).map(({ id, value }) => ({ id, value })) : []
}

async function isNewRecipient(
  broker: Broker,
  tx: Tx,
  asked: AskedAction,
  grants: readonly CandidateGrant[],
  recipients: readonly string[],
): Promise<boolean> {
  const matters = grants.some(({ terms }) => terms.askFirst.some((rule) => rule.kind === 'new_recipient'))
  if (!matters) return false
  for (const recipient of recipients) {
    const tag = broker.pseudonyms.recipientTag(asked.userId, recipient)
    if (!(await tx.recipients.seen(asked.userId, asked.skill, tag))) return true
  }
  return false
}

async function debtFor(
  tx: Tx,
  userId: string,
  action: LoadedAction,
  args: JsonValue,
): Promise<{ facts: Facts['debt']; actionId: string | null }> {
  const pays = action.declared.spends?.pays
  const [actionId] = pays ? valuesAt(args, pays.executionPointer) : []
  if (!pays || typeof actionId !== 'string' || actionId === '') return NO_DEBT
  const row = await tx.debts.find(actionId, userId)
  if (!row || row.userId !== userId) return { facts: { kind: 'unknown' }, actionId: null }
  const [payee] = valuesAt(args, pays.payeePointer)
  const { amountMinor, currency } = row
  return {
    actionId,
    facts: {
      kind: 'known',
      debt: { payee: row.payee, amountMinor, currency, paid: row.paidByActionId !== null },
      payee: typeof payee === 'string' ? payee : '',
    },
  }
}
