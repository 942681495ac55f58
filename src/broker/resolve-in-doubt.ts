import { canonicalJson } from '../core/canonical-json.ts'
import { stillPermits } from '../core/decision/decide.ts'
import { bodyDigest, TOKEN_DEAD_AFTER_MS } from '../core/execution/action-token.ts'
import { importVerificationKeys } from '../core/execution/compact-jws.ts'
import { type SkillReceiptClaims, verifySkillReceipt } from '../core/execution/skill-receipt.ts'
import { readPointer } from '../core/json-pointer.ts'
import type { JsonValue } from '../core/json-value.ts'
import type { LoadedAction, LoadedManifest } from '../core/manifest/loaded-manifest.ts'
import type { ActionRow } from '../ports/rows.ts'
import { accountsFor } from './account-tokens.ts'
import { authorityStands, isStillOurs } from './authority-stands.ts'
import type { Broker } from './broker.ts'
import { callCleanUp } from './call-clean-up.ts'
import { doubtUnreported } from './doubt-unreported.ts'
import { amountOfRow, toActionOutcome } from './execute-action.ts'
import { fillBrokerFields } from './fill-broker-fields.ts'
import { termsOf } from './grant-terms.ts'
import { loadFacts } from './load-facts.ts'
import { nextCheckAtMs } from './next-check.ts'
import { openEventPart } from './open-part.ts'
import { type SkillRequest, sendIfStill } from './send-to-skill.ts'
import { type ActionOutcome, settleAction } from './settle-action.ts'
import { takeUpLost } from './take-up-unsettled.ts'

/** Looks at this many executions at a time. */
const BATCH = 20

/**
 * Asks about one execution in doubt: by the skill's status action and its signed receipt, or, where the skill
 * promises to honour keys and the authority still stands, by sending the same bytes under the same key.
 * What stays unclear keeps counting and is asked about later; then it is an operator's.
 */
export async function resolveInDoubt(broker: Broker, actionId: string): Promise<ActionRow | undefined> {
  const row = await broker.store.read(async (tx) => tx.actions.find(actionId))
  const digest = row?.manifestDigest
  if (!row || !digest || row.status !== 'in_doubt') return row
  const loaded = await broker.store.read((tx) => broker.manifests.load(tx, digest))
  const action = loaded.actions.get(row.action)
  if (!action) return row
  const outcome = action.declared.status
    ? await outcomeByStatus(broker, row, loaded, action)
    : await outcomeByRepeat(broker, row, loaded, action)
  return (await settleAction(broker, row, action, outcome ?? stillInDoubt(broker, row, action))).row
}

/** Resolves whatever is due; called by a loop, and once at start. Returns how many it looked at. */
export async function resolveDue(broker: Broker): Promise<number> {
  await takeUpLost(broker)
  await doubtUnreported(broker)
  const due = await broker.store.read(async (tx) => tx.actions.dueForCheck(tx.nowMs, BATCH))
  for (const { id } of due) await broker.inFlight.track(id, resolveInDoubt(broker, id))
  return due.length
}

function stillInDoubt(broker: Broker, row: ActionRow, action: LoadedAction): ActionOutcome {
  const { nowMs } = broker.store.now()
  return { kind: 'in_doubt', reason: row.reason, nextCheckAtMs: nextCheckAtMs(action, row, nowMs) }
}

async function outcomeByStatus(
  broker: Broker,
  row: ActionRow,
  loaded: LoadedManifest,
  action: LoadedAction,
): Promise<ActionOutcome | undefined> {
  const askedAtMs = broker.store.now().nowMs
  const answer = await callCleanUp(broker, row, 'status')
  if (answer.kind !== 'called' || answer.outcome.kind !== 'succeeded') return undefined
  const pointer = answer.target.declared.receiptPointer
  const token = pointer && readPointer(answer.outcome.result, pointer)
  if (typeof token !== 'string' || row.sentDigest === null) return undefined
  const verdict = verifySkillReceipt(token, importVerificationKeys(loaded.manifest.runtimeKeys), {
    executionId: row.id,
    bodyDigest: row.sentDigest,
    skillId: row.skillId,
    action: row.action,
    askedBy: { bodyDigest: bodyDigest(answer.body), action: answer.target.declared.name },
    dispatchedAtMs: row.decidedAtMs,
    nowMs: broker.store.now().nowMs,
  })
  if (verdict.ok && verdict.receipt.status === 'not_found' && mayStillArrive(row, askedAtMs)) return undefined
  if (verdict.ok) return outcomeOfReceipt(verdict.receipt, action)
  broker.logger.warn('skill_receipt_refused', { code: verdict.code, skill: row.skillId })
  return undefined
}

/**
 * A skill that does not have it may still get it: from a process that was paused right before it sent, or from a network
 * that held the bytes. Only when the token of a call that was let go before the doubt began can no longer be accepted is
 * `not_found` the last word.
 */
function mayStillArrive(row: ActionRow, askedAtMs: number): boolean {
  return askedAtMs < (row.doubtedAtMs ?? row.decidedAtMs) + TOKEN_DEAD_AFTER_MS
}

function outcomeOfReceipt(receipt: SkillReceiptClaims, action: LoadedAction): ActionOutcome | undefined {
  const by = { by: 'receipt' } as const
  switch (receipt.status) {
    case 'succeeded': {
      const taken =
        receipt.amt !== undefined && receipt.cur !== undefined
          ? { amountMinor: receipt.amt, currency: receipt.cur }
          : null
      return { kind: 'succeeded', result: null, charged: action.declared.spends ? taken : null, by }
    }
    case 'refused':
      return { kind: 'refused', skillCode: 'refused', by }
    case 'not_found':
      return { kind: 'failed', code: 'not_found_at_skill', by }
    case 'pending':
      return undefined
  }
}

async function outcomeByRepeat(
  broker: Broker,
  row: ActionRow,
  loaded: LoadedManifest,
  action: LoadedAction,
): Promise<ActionOutcome | undefined> {
  if (!action.declared.honoursKeys || row.brokerKey === null) return undefined
  if (row.eventId === null || row.leafHash === null) return undefined
  const decided = await openEventPart(broker, row.eventId, 'body')
  const args = decided && readPointer(decided, '/arguments')
  if (args === undefined) return undefined
  const retentionDays = await retentionWhereStillPermitted(broker, row, args)
  const accounts = await accountsFor(broker, row.userId, loaded, action)
  const about = { userId: row.userId, brokerKey: row.brokerKey, accounts }
  const filled = retentionDays && fillBrokerFields(broker, loaded, action, args, about)
  if (!filled) return undefined
  const body = Buffer.from(canonicalJson(filled))
  // Other bytes under the same key, as after a secret was changed, would be another call.
  if (bodyDigest(body) !== row.sentDigest) return undefined
  const claimed = await claimForRepeat(broker, row)
  if (!claimed) return undefined
  const request: SkillRequest = {
    kind: 'action',
    loaded,
    action,
    body,
    userId: row.userId,
    executionId: row.id,
    brokerKey: row.brokerKey,
    leaf: { eventId: row.eventId, leafHash: row.leafHash, atMs: row.decidedAtMs },
    grantId: row.grantId,
    amount: amountOfRow(row),
    retentionDays,
  }
  const outcome = await sendIfStill(broker, request, async () =>
    broker.store.read(async (tx) => (await isStillOurs(tx, claimed)) && (await authorityStands(tx, claimed))),
  )
  // That this attempt never left says nothing about the one before it.
  if (!outcome || outcome.kind === 'failed_before_effect') return undefined
  return toActionOutcome(outcome, action, row, broker.store.now().nowMs)
}

/**
 * Puts an execution that is in doubt back in flight, as this process's: while it is being sent again nobody else sends
 * it, and nobody settles it. If this process ends, it is taken up like any other. Undefined where somebody was quicker.
 */
async function claimForRepeat(broker: Broker, row: ActionRow): Promise<ActionRow | undefined> {
  return broker.store.transaction(async (tx) => {
    const now = await tx.actions.find(row.id, row.userId)
    if (now?.status !== 'in_doubt') return undefined
    const claimed = { ...now, status: 'dispatched', nodeId: broker.nodeId }
    await tx.actions.update(claimed)
    return claimed
  }, row)
}

/** Decides anew; what the grant lets the skill keep, or undefined where it would not be permitted any more. */
async function retentionWhereStillPermitted(
  broker: Broker,
  row: ActionRow,
  args: JsonValue,
): Promise<Readonly<Record<string, number>> | undefined> {
  const { userId, agentId, deploymentId, sessionId, skillId: skill, action } = row
  const asked = { userId, agentId, deploymentId, sessionId, skill, action, arguments: args }
  return broker.store.read(async (tx) => {
    const grant = row.grantId === null ? undefined : await tx.grants.find(row.grantId)
    if (!grant || !(await authorityStands(tx, row))) return undefined
    const { facts } = await loadFacts(broker, tx, asked)
    const permits = stillPermits(asked, facts, grant.status === 'used_up' ? null : grant.id)
    return permits ? termsOf(grant).terms.retentionDays : undefined
  })
}
