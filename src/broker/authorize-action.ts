import { canonicalJson } from '../core/canonical-json.ts'
import type { ArgumentFault } from '../core/decision/check-arguments.ts'
import { decide } from '../core/decision/decide.ts'
import type { Decision, Facts, Invalid, Refusal, RefusalCode } from '../core/decision/decision.ts'
import type { AskReason } from '../core/grant/ask-first.ts'
import type { LoadedAction, LoadedManifest } from '../core/manifest/loaded-manifest.ts'
import type { LinkedAccountRow } from '../ports/link-rows.ts'
import type { ActionRow, ApprovalRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import { StoreUnavailable } from '../ports/store-unavailable.ts'
import { NO_ACCOUNTS, type ReadyAccounts, readyAccounts } from './account-tokens.ts'
import { decidedRow, newActionRow, requestDigestOf } from './action-row.ts'
import { askPerson, withApproval } from './ask-person.ts'
import type { Broker } from './broker.ts'
import { decisionLeaf } from './decision-leaf.ts'
import { fillBrokerFields } from './fill-broker-fields.ts'
import { afterHandOver, handedOver } from './hand-over.ts'
import { type LeafSealer, sealerFor } from './leaf-sealer.ts'
import { saveCounters } from './load-counters.ts'
import { type AskedAction, type LoadedFacts, loadFacts } from './load-facts.ts'
import { mayAsk } from './may-ask.ts'
import { isRemembered } from './remembered-action.ts'
import { touchSession } from './session-facts.ts'
import { useUpPermit } from './use-up-permit.ts'

export type ActionRequest = AskedAction & { idempotencyKey: string }

/** Everything the call to the skill needs; exists only once the permit's leaf is durable (P1). */
export type Permit = {
  row: ActionRow
  loaded: LoadedManifest
  action: LoadedAction
  /** Exactly what is sent; null if a secret the skill wants is not configured, and then nothing is. */
  body: Buffer | null
  retentionDays: Readonly<Record<string, number>>
}

type AccountsWanted = { kind: 'accounts_wanted'; rows: readonly LinkedAccountRow[] }

export type Authorization =
  | { kind: 'invalid'; faults: readonly ArgumentFault[] }
  | { kind: 'key_conflict' }
  | { kind: 'remembered'; row: ActionRow }
  | { kind: 'denied'; row: ActionRow; refusal: Refusal }
  | { kind: 'ask'; row: ActionRow; approval: ApprovalRow; questions: readonly AskReason[] }
  | { kind: 'permit'; permit: Permit }

/**
 * Decides one request, holds what it would take and logs the decision, all in one transaction.
 * There is no decision without its leaf, save an equal refusal within a minute, which is counted, and a question that
 * waits already, which has its leaf.
 *
 * @throws (rejects) StoreUnavailable when nothing can be decided now, for what the log or this process could break.
 */
export async function authorizeAction(broker: Broker, asked: ActionRequest): Promise<Authorization> {
  const refusal = broker.admission.refusal()
  if (refusal !== undefined) throw new StoreUnavailable(refusal)
  const seal = await sealerFor(broker, {
    userId: asked.userId,
    skillId: await knownSkill(broker, asked.skill),
  })
  let accounts = NO_ACCOUNTS
  for (let tries = 1; ; tries++) {
    const authorization = await authorizeWith(broker, asked, seal, accounts)
    if (authorization.kind === 'ask') broker.deliveries.wake()
    if (authorization.kind !== 'accounts_wanted') return authorization
    const { rows } = authorization
    // What changes under our hands each time cannot be used now.
    accounts = tries < ACCOUNT_TRIES_MOST ? await readyAccounts(broker, rows) : noneOf(rows)
  }
}

/** Only an action that is permitted and fills an account needs more than one try: tokens are opened between two. */
const ACCOUNT_TRIES_MOST = 3

function authorizeWith(
  broker: Broker,
  asked: ActionRequest,
  seal: LeafSealer,
  accounts: ReadyAccounts,
): Promise<Authorization | AccountsWanted> {
  return broker.store.transaction<Authorization | AccountsWanted>(async (tx) => {
    const before = await tx.actions.findByKey(asked.userId, asked.agentId, asked.idempotencyKey)
    if (before && before.requestDigest !== requestDigestOf(asked)) return { kind: 'key_conflict' }
    if (before && isRemembered(before)) return { kind: 'remembered', row: before }

    const { loaded, decision } = await decideAsked(broker, tx, asked, before, accounts)
    if (decision.effect === 'permit' && !asked.enforcement && !holdsAll(accounts, loaded.accounts))
      return { kind: 'accounts_wanted', rows: loaded.accounts }
    await touchSession(tx, asked, loaded.session)
    if (decision.effect === 'invalid') return { kind: 'invalid', faults: decision.faults }
    if (decision.effect === 'ask' && before && loaded.facts.approval?.state === 'waiting') {
      const asking = await stillWaiting(broker, tx, before)
      if (asking) {
        await saveCounters(tx, asked.userId, loaded.countersNow.moved, loaded.countersNow.stored)
        return asking
      }
    }
    const fresh = newActionRow(before?.id ?? broker.newId('action'), asked, loaded.lineageId, tx.nowMs)
    // The call that is decided says what it runs on and in which session, not the one that asked first.
    const row = before ? { ...before, deploymentId: fresh.deploymentId, sessionId: fresh.sessionId } : fresh
    return record(broker, tx, seal, { asked, loaded, decision, row, isNew: !before, accounts })
  }, asked)
}

/**
 * Decides without holding, logging or remembering anything. Counted, and told no more than a real call.
 */
export async function previewDecision(broker: Broker, asked: AskedAction): Promise<Decision | Invalid> {
  broker.recentRefusals.count('dry_run')
  return broker.store.read(
    async (tx) => (await decideAsked(broker, tx, asked, undefined, NO_ACCOUNTS)).decision,
  )
}

/** Loads the facts and decides; whether a person may be asked now is looked up only where somebody has to be. */
export async function decideAsked(
  broker: Broker,
  tx: Tx,
  asked: AskedAction,
  before: ActionRow | undefined,
  accounts: ReadyAccounts,
): Promise<{ loaded: LoadedFacts; decision: Decision | Invalid }> {
  const found = await withApproval(tx, asked, await loadFacts(broker, tx, asked), before)
  const loaded = accounts.unavailable.size === 0 ? found : withUnavailable(found, accounts)
  const decision = decideSafely(broker, asked, loaded.facts)
  if (decision.effect !== 'ask' || loaded.facts.approval?.state === 'waiting') return { loaded, decision }
  const line = { ...asked, lineageId: loaded.lineageId }
  const allowed = await mayAsk(tx, broker.settings, line, before?.id ?? null)
  if (allowed === 'yes') return { loaded, decision }
  return { loaded, decision: decideSafely(broker, asked, { ...loaded.facts, mayAsk: allowed }) }
}

/** The same question again, as an agent that waits asks it: answered as before, without another leaf. */
async function stillWaiting(
  broker: Broker,
  tx: Tx,
  row: ActionRow,
): Promise<Extract<Authorization, { kind: 'ask' }> | undefined> {
  const approval = await tx.approvals.newestFor(row.id, row.userId)
  if (!approval) return undefined
  broker.recentRefusals.count('asked_again')
  return { kind: 'ask', row, approval, questions: JSON.parse(approval.questions) as AskReason[] }
}

function withUnavailable(loaded: LoadedFacts, { unavailable }: ReadyAccounts): LoadedFacts {
  const gone = loaded.accounts.map(({ link }) => link).filter((link) => unavailable.has(link))
  const accounts = { ...loaded.facts.accounts, unavailable: gone }
  return { ...loaded, facts: { ...loaded.facts, accounts } }
}

/** Whether a token is at hand for every account, as it is linked right now. */
function holdsAll({ tokens }: ReadyAccounts, rows: readonly LinkedAccountRow[]): boolean {
  return rows.every(({ link, revision }) => tokens.get(link)?.revision === revision)
}

function noneOf(rows: readonly LinkedAccountRow[]): ReadyAccounts {
  return { tokens: new Map(), unavailable: new Set(rows.map(({ link }) => link)) }
}

/** Cells are made only for skills that exist: names an agent invents must not fill the key store. */
async function knownSkill(broker: Broker, skillId: string): Promise<string> {
  return (await broker.store.read((tx) => broker.manifests.knowsSkill(tx, skillId))) ? skillId : ''
}

/** Anything unexpected while deciding is a deny: an error inside a check never turns the check off. */
function decideSafely(broker: Broker, asked: AskedAction, facts: Facts): ReturnType<typeof decide> {
  try {
    return decide(asked, facts)
  } catch (error) {
    broker.logger.error('decision_failed', { error })
    return { effect: 'deny', refusal: { code: 'decision_failed' }, grantId: null }
  }
}

type Deciding = {
  asked: ActionRequest
  loaded: LoadedFacts
  decision: Decision
  row: ActionRow
  isNew: boolean
  accounts: ReadyAccounts
}

async function record(broker: Broker, tx: Tx, seal: LeafSealer, deciding: Deciding): Promise<Authorization> {
  const { asked, loaded, decision, isNew } = deciding
  const { facts } = loaded
  const attemptKey = broker.pseudonyms.brokerKey(asked.userId, asked.agentId, asked.idempotencyKey, 1)
  const body =
    decision.effect === 'permit' && !asked.enforcement
      ? bytesToSend(broker, asked, loaded, attemptKey, deciding.accounts)
      : null
  let row = decidedRow(
    deciding.row,
    decision,
    facts,
    loaded.loaded?.digest ?? null,
    attemptKey,
    body,
    broker.nodeId,
  )
  if (decision.effect === 'permit' && asked.enforcement) row = handedOver(row, asked.enforcement)
  if (leavesYesUnused(decision, facts)) row = { ...row, status: 'waiting' }

  if (decision.effect !== 'deny' || isFirstRefusal(broker, asked, facts, decision.refusal)) {
    const leaf = seal(decisionLeaf(row, decision, facts, loaded.action), facts.nowMs)
    row = { ...row, eventId: leaf.eventId, leafHash: leaf.leafHash }
    await tx.log.append(leaf, facts.nowMs)
  }
  await (isNew ? tx.actions.insert(row) : tx.actions.update(row))

  if (decision.effect !== 'permit')
    await saveCounters(tx, asked.userId, loaded.countersNow.moved, loaded.countersNow.stored)
  if (decision.effect === 'deny') return { kind: 'denied', row, refusal: decision.refusal }
  if (!loaded.loaded || !loaded.action) throw new Error('allowed without a manifest')
  if (decision.effect === 'ask') {
    const approval = await askPerson(broker, tx, asked, facts, loaded.loaded, row, decision.questions)
    return { kind: 'ask', row, approval, questions: decision.questions }
  }
  await useUpPermit(broker, tx, asked, loaded, row, decision)
  if (asked.enforcement) await afterHandOver(tx, asked, row, loaded.action)
  const { retentionDays } = decision.grant.terms
  return {
    kind: 'permit',
    permit: { row, loaded: loaded.loaded, action: loaded.action, body, retentionDays },
  }
}

const NO_ROOM: ReadonlySet<RefusalCode> = new Set([
  'currency_without_budget',
  'budget_exceeded',
  'amount_too_large',
])

/** A budget that cannot hold it does not consume the yes: the same key may go on until the yes expires. */
function leavesYesUnused(decision: Decision, { approval }: Facts): boolean {
  return decision.effect === 'deny' && approval?.state === 'approved' && NO_ROOM.has(decision.refusal.code)
}

/** Names that an agent made up are left out: with them it could have a leaf for each. */
function isFirstRefusal(
  broker: Broker,
  asked: ActionRequest,
  { skill, nowMs }: Facts,
  { code }: Refusal,
): boolean {
  const skillId = skill.kind === 'unknown' ? '' : asked.skill
  const action = skill.kind === 'approved' && skill.action ? asked.action : ''
  return broker.recentRefusals.isFirst(
    asked.userId,
    asked.agentId,
    skillId,
    action,
    code,
    nowMs,
    asked.idempotencyKey,
  )
}

function bytesToSend(
  broker: Broker,
  asked: ActionRequest,
  loaded: LoadedFacts,
  brokerKey: string,
  accounts: ReadyAccounts,
): Buffer | null {
  if (!loaded.loaded || !loaded.action) return null
  const filled = fillBrokerFields(broker, loaded.loaded, loaded.action, loaded.facts.arguments, {
    userId: asked.userId,
    brokerKey,
    accounts,
  })
  return filled === null ? null : Buffer.from(canonicalJson(filled))
}
