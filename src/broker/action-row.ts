import { taggedDigest } from '../core/canonical-json.ts'
import { approvalDigestOfExact } from '../core/decision/approval-digest.ts'
import type { Decision, Facts } from '../core/decision/decision.ts'
import { bodyDigest } from '../core/execution/action-token.ts'
import type { LoadedManifest } from '../core/manifest/loaded-manifest.ts'
import type { ActionRow } from '../ports/rows.ts'
import type { AskedAction } from './load-facts.ts'

/** What "the same request" means for one idempotency key. */
export function requestDigestOf(asked: AskedAction): string {
  return taggedDigest('countersign/v1/request', {
    skill: asked.skill,
    action: asked.action,
    arguments: asked.arguments,
  })
}

/** What a yes to this request would cover. @param previewDigest of the preview that was shown; null where none was. */
export function approvalDigestOf(
  asked: AskedAction,
  facts: Facts,
  loaded: LoadedManifest,
  previewDigest: string | null,
): string {
  return approvalDigestOfExact({
    userId: asked.userId,
    agentId: asked.agentId,
    skill: asked.skill,
    manifestDigest: loaded.digest,
    action: asked.action,
    arguments: facts.arguments,
    amount: facts.amount,
    recipients: facts.recipients,
    previewDigest,
  })
}

/** A row for a key seen for the first time; nothing is held and nothing is decided yet. */
export function newActionRow(
  id: string,
  asked: AskedAction & { idempotencyKey: string },
  lineageId: string,
  nowMs: number,
): ActionRow {
  return {
    id,
    userId: asked.userId,
    agentId: asked.agentId,
    lineageId,
    idempotencyKey: asked.idempotencyKey,
    requestDigest: requestDigestOf(asked),
    skillId: asked.skill,
    action: asked.action,
    status: 'waiting',
    reason: '',
    deploymentId: asked.deploymentId,
    manifestDigest: null,
    grantId: null,
    approvalId: null,
    eventId: null,
    leafHash: null,
    brokerKey: null,
    sentDigest: null,
    sessionId: asked.sessionId,
    currency: null,
    reservedMinor: null,
    heldMinor: 0,
    capturedMinor: 0,
    overrunMinor: 0,
    reservedAtMs: null,
    asked: false,
    counted: false,
    settleEventId: null,
    settledBy: null,
    createdAtMs: nowMs,
    decidedAtMs: nowMs,
    settledAtMs: null,
    nextCheckAtMs: null,
    nodeId: null,
    doubtedAtMs: null,
    settleLeafHash: null,
  }
}

/** The row as the decision leaves it. */
export function decidedRow(
  row: ActionRow,
  decision: Decision,
  facts: Facts,
  manifestDigest: string | null,
  brokerKey: string,
  sent: Buffer | null,
  nodeId: string | null,
): ActionRow {
  const base = { ...row, manifestDigest, decidedAtMs: facts.nowMs }
  switch (decision.effect) {
    case 'deny':
      return { ...base, status: 'refused', reason: decision.refusal.code, grantId: decision.grantId }
    case 'ask':
      return { ...base, status: 'waiting', reason: 'approval_required', grantId: decision.grantId }
    case 'permit':
      return {
        ...base,
        status: 'dispatched',
        reason: 'permitted',
        grantId: decision.grant.id,
        approvalId: decision.approvalId,
        brokerKey,
        sentDigest: sent && bodyDigest(sent),
        currency: facts.amount?.currency ?? null,
        reservedMinor: facts.amount?.amountMinor ?? null,
        heldMinor: facts.amount?.amountMinor ?? 0,
        reservedAtMs: facts.reservedAtMs,
        // The same instant: one index finds both what a user did and what counts for them.
        decidedAtMs: facts.reservedAtMs,
        asked: decision.approvalId !== null,
        counted: true,
        nodeId,
      }
  }
}
