import { canonicalJson } from '../core/canonical-json.ts'
import { ruleCounters } from '../core/decision/asked-before.ts'
import type { ArgumentFault } from '../core/decision/check-arguments.ts'
import { decide } from '../core/decision/decide.ts'
import type { Decision, Facts, Invalid, Refusal } from '../core/decision/decision.ts'
import type { AskReason } from '../core/grant/ask-first.ts'
import type { JsonValue } from '../core/json-value.ts'
import type { LeafContent } from '../core/log/leaf.ts'
import type { LoadedAction, LoadedManifest } from '../core/manifest/loaded-manifest.ts'
import { counterIdOf } from '../core/spending/counter.ts'
import { restart } from '../core/spending/window.ts'
import type { ActionRow, ApprovalRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import { approvalDigestOf, decidedRow, newActionRow, requestDigestOf } from './action-row.ts'
import type { Broker } from './broker.ts'
import { fillBrokerFields } from './fill-broker-fields.ts'
import { type LeafSealer, sealerFor } from './leaf-sealer.ts'
import { saveCounters } from './load-counters.ts'
import { type AskedAction, type LoadedFacts, loadFacts } from './load-facts.ts'
import { mayAsk } from './may-ask.ts'
import { isRemembered } from './remembered-action.ts'

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

export type Authorization =
  | { kind: 'invalid'; faults: readonly ArgumentFault[] }
  | { kind: 'key_conflict' }
  | { kind: 'remembered'; row: ActionRow }
  | { kind: 'denied'; row: ActionRow; refusal: Refusal }
  | { kind: 'ask'; row: ActionRow; approval: ApprovalRow; questions: readonly AskReason[] }
  | { kind: 'permit'; permit: Permit }

/**
 * Decides one request, holds what it would take and logs the decision, all in one transaction.
 * There is no decision without its leaf, save an equal refusal within a minute, which is counted.
 */
export async function authorizeAction(broker: Broker, asked: ActionRequest): Promise<Authorization> {
  const seal = await sealerFor(broker, {
    userId: asked.userId,
    skillId: await knownSkill(broker, asked.skill),
  })
  return broker.store.transaction(async (tx) => {
    const before = await tx.actions.findByKey(asked.userId, asked.agentId, asked.idempotencyKey)
    if (before && before.requestDigest !== requestDigestOf(asked)) return { kind: 'key_conflict' }
    if (before && isRemembered(before)) return { kind: 'remembered', row: before }

    const loaded = await loadFacts(broker, tx, asked)
    const facts = await withApproval(tx, asked, loaded, before)
    let decision = decideSafely(broker, asked, facts)
    if (decision.effect === 'invalid') return { kind: 'invalid', faults: decision.faults }
    if (decision.effect === 'ask' && facts.approval?.state !== 'waiting') {
      const allowed = { ...facts, mayAsk: await mayAsk(tx, broker.settings, asked, before?.id ?? null) }
      const again = decideSafely(broker, asked, allowed)
      if (again.effect !== 'invalid') decision = again
    }
    const row = before ?? newActionRow(broker.newId('action'), asked, loaded.lineageId, tx.nowMs)
    return record(broker, tx, seal, { asked, loaded, facts, decision, row, isNew: !before })
  })
}

/**
 * Decides without holding, logging or remembering anything. Counted, and told no more than a real call.
 */
export async function previewDecision(broker: Broker, asked: AskedAction): Promise<Decision | Invalid> {
  broker.recentRefusals.count('dry_run')
  return broker.store.read(async (tx) => {
    const { facts } = await loadFacts(broker, tx, asked)
    return decideSafely(broker, asked, facts)
  })
}

/** Cells are made only for skills that exist: names an agent invents must not fill the key store. */
async function knownSkill(broker: Broker, skillId: string): Promise<string> {
  const skill = await broker.store.read(async (tx) => tx.skills.find(skillId))
  return skill ? skillId : ''
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

async function withApproval(
  tx: Tx,
  asked: AskedAction,
  loaded: LoadedFacts,
  before: ActionRow | undefined,
): Promise<Facts> {
  const { facts } = loaded
  if (!before || !loaded.loaded) return facts
  const approval = await tx.approvals.newestFor(before.id)
  // A yes to something else, such as the same arguments under another manifest, is no yes to this.
  const digest = approval && approvalDigestOf(asked, facts, loaded.loaded, approval.previewDigest)
  if (!approval || approval.digest !== digest) return facts
  const expired = approval.expiresAtMs <= tx.nowMs
  if (approval.status === 'refused') return { ...facts, approval: { id: approval.id, state: 'refused' } }
  if (expired) return { ...facts, approval: { id: approval.id, state: 'expired' } }
  if (approval.status !== 'waiting' && approval.status !== 'approved') return facts
  return { ...facts, approval: { id: approval.id, state: approval.status } }
}

type Deciding = {
  asked: ActionRequest
  loaded: LoadedFacts
  facts: Facts
  decision: Decision
  row: ActionRow
  isNew: boolean
}

async function record(broker: Broker, tx: Tx, seal: LeafSealer, deciding: Deciding): Promise<Authorization> {
  const { asked, loaded, facts, decision, isNew } = deciding
  const attemptKey = broker.pseudonyms.brokerKey(asked.userId, asked.agentId, asked.idempotencyKey, 1)
  const body = decision.effect === 'permit' ? bytesToSend(broker, asked, loaded, attemptKey) : null
  let row = decidedRow(deciding.row, decision, facts, loaded.loaded?.digest ?? null, attemptKey, body)

  const isCounted =
    decision.effect === 'deny' &&
    !broker.recentRefusals.isFirst(
      asked.userId,
      asked.agentId,
      asked.skill,
      asked.action,
      decision.refusal.code,
      facts.nowMs,
    )
  if (!isCounted) {
    const leaf = seal(decisionLeaf(row, decision, facts, loaded), facts.nowMs)
    row = { ...row, eventId: leaf.eventId, leafHash: leaf.leafHash }
    await tx.log.append(leaf, facts.nowMs)
  }
  await (isNew ? tx.actions.insert(row) : tx.actions.update(row))

  if (decision.effect !== 'permit') await saveCounters(tx, asked.userId, loaded.countersNow.moved)
  if (decision.effect === 'deny') return { kind: 'denied', row, refusal: decision.refusal }
  if (decision.effect === 'ask') {
    const approval = await askPerson(broker, tx, deciding, row, decision.questions)
    return { kind: 'ask', row, approval, questions: decision.questions }
  }
  await useUp(broker, tx, deciding, row, decision)
  if (!loaded.loaded || !loaded.action) throw new Error('permitted without a manifest')
  return {
    kind: 'permit',
    permit: {
      row,
      loaded: loaded.loaded,
      action: loaded.action,
      body,
      retentionDays: decision.grant.terms.retentionDays,
    },
  }
}

function bytesToSend(
  broker: Broker,
  asked: ActionRequest,
  loaded: LoadedFacts,
  brokerKey: string,
): Buffer | null {
  if (!loaded.loaded || !loaded.action) return null
  const filled = fillBrokerFields(broker, loaded.loaded, loaded.action, loaded.facts.arguments, {
    userId: asked.userId,
    brokerKey,
  })
  return filled === null ? null : Buffer.from(canonicalJson(filled))
}

/** Everything a permit consumes, whatever the skill then does. */
async function useUp(
  broker: Broker,
  tx: Tx,
  { asked, loaded, facts }: Deciding,
  row: ActionRow,
  { grant, approvalId, counters }: Extract<Decision, { effect: 'permit' }>,
): Promise<void> {
  const reserved = new Map(counters.map((counter) => [counter.counterId, counter]))
  const moved = loaded.countersNow.moved.filter((counter) => !reserved.has(counter.counterId))
  await saveCounters(tx, asked.userId, [...counters, ...moved])
  if (approvalId !== null) {
    await tx.approvals.setStatus(approvalId, 'used', tx.nowMs)
    await restartUnasked(tx, asked, loaded, facts, grant.terms)
  }
  if (grant.oneTime) {
    const grantRow = await tx.grants.find(grant.id)
    if (grantRow) await tx.grants.update({ ...grantRow, status: 'used_up', changedAtMs: tx.nowMs })
  }
  if (loaded.debtActionId !== null) await tx.debts.setPayment(loaded.debtActionId, row.id)
  for (const recipient of facts.recipients) {
    const tag = broker.pseudonyms.recipientTag(asked.userId, recipient)
    await tx.recipients.remember(asked.userId, asked.skill, tag, tx.nowMs)
  }
  const recurs = loaded.action?.declared.spends?.recurs
  if (recurs) {
    await tx.commitments.insert({
      actionId: row.id,
      userId: asked.userId,
      skillId: asked.skill,
      grantId: grant.id,
      times: recurs.most,
      status: 'running',
      createdAtMs: tx.nowMs,
    })
  }
}

/** One yes starts the sum of what went without a yes anew. */
async function restartUnasked(
  tx: Tx,
  asked: AskedAction,
  loaded: LoadedFacts,
  facts: Facts,
  terms: Parameters<typeof ruleCounters>[1],
): Promise<void> {
  const whose = { agentLineage: loaded.lineageId, skill: asked.skill }
  const ids = new Set(
    terms.askFirst
      .filter((rule) => rule.kind === 'above_unasked')
      .flatMap((rule) => ruleCounters(rule, terms, loaded.loaded?.manifest.actions ?? [], whose))
      .map(counterIdOf),
  )
  const restarted = facts.counters
    .filter((counter) => ids.has(counter.counterId))
    .map((counter) => restart(counter, facts.reservedAtMs))
  await saveCounters(tx, asked.userId, restarted)
}

async function askPerson(
  broker: Broker,
  tx: Tx,
  { asked, loaded, facts }: Deciding,
  row: ActionRow,
  questions: readonly AskReason[],
): Promise<ApprovalRow> {
  if (!loaded.loaded) throw new Error('asked without a manifest')
  const digest = approvalDigestOf(asked, facts, loaded.loaded, null)
  const waiting = facts.approval?.state === 'waiting' ? await tx.approvals.newestFor(row.id) : undefined
  if (waiting) return waiting
  const approval: ApprovalRow = {
    id: broker.newId('approval'),
    userId: asked.userId,
    agentId: asked.agentId,
    skillId: asked.skill,
    action: asked.action,
    actionId: row.id,
    digest,
    questions: JSON.stringify(questions),
    previewEventId: null,
    previewDigest: null,
    status: 'waiting',
    createdAtMs: tx.nowMs,
    expiresAtMs: tx.nowMs + broker.settings.approvalWithinMs,
    decidedAtMs: null,
  }
  await tx.approvals.insert(approval)
  return approval
}

function decisionLeaf(row: ActionRow, decision: Decision, facts: Facts, loaded: LoadedFacts): LeafContent {
  const reason = decision.effect === 'deny' ? decision.refusal.code : row.reason
  return {
    type: 'decision',
    outcome: decision.effect,
    reason,
    core: {
      skill: row.skillId,
      manifest: row.manifestDigest,
      action: row.action,
      effects: [...(loaded.action?.declared.effects ?? [])],
      amount: facts.amount?.amountMinor ?? null,
      currency: facts.amount?.currency ?? null,
      ...(decision.effect === 'deny'
        ? { refusal: JSON.parse(JSON.stringify(decision.refusal)) as JsonValue }
        : {}),
      ...(decision.effect === 'ask' ? { questions: [...decision.questions] } : {}),
    },
    subj: {
      user: row.userId,
      agent: row.agentId,
      deployment: row.deploymentId,
      grant: row.grantId,
      approval: row.approvalId,
      actionId: row.id,
    },
    body: { arguments: facts.arguments, recipients: [...facts.recipients] },
  }
}
