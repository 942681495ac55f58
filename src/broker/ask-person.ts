import type { Facts } from '../core/decision/decision.ts'
import type { AskReason } from '../core/grant/ask-first.ts'
import type { LoadedManifest } from '../core/manifest/loaded-manifest.ts'
import type { ActionRow, ApprovalRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import { approvalDigestOf } from './action-row.ts'
import type { Broker } from './broker.ts'
import type { AskedAction, LoadedFacts } from './load-facts.ts'
import { tellInTx } from './tell.ts'

/**
 * Adds what a person said to exactly this request, if anything. A yes to something else, such as the same arguments
 * under another manifest, is no yes to this.
 */
export async function withApproval(
  tx: Tx,
  asked: AskedAction,
  loaded: LoadedFacts,
  before: ActionRow | undefined,
): Promise<LoadedFacts> {
  const approval =
    before && loaded.loaded ? await tx.approvals.newestFor(before.id, before.userId) : undefined
  if (!approval || !loaded.loaded) return loaded
  const digest = approvalDigestOf(asked, loaded.facts, loaded.loaded, approval.previewDigest)
  const state = approval.digest === digest ? stateOf(approval, tx.nowMs) : null
  return state === null
    ? loaded
    : { ...loaded, facts: { ...loaded.facts, approval: { id: approval.id, state } } }
}

/** Null for a yes that was used or a question that was withdrawn. A no outlives its question. */
function stateOf(approval: ApprovalRow, nowMs: number): NonNullable<Facts['approval']>['state'] | null {
  if (approval.status === 'refused') return 'refused'
  if (approval.status !== 'waiting' && approval.status !== 'approved') return null
  return approval.expiresAtMs <= nowMs ? 'expired' : approval.status
}

/** Puts one exact action before its user. What was asked before under this key is taken from the table. */
export async function askPerson(
  broker: Broker,
  tx: Tx,
  asked: AskedAction,
  facts: Facts,
  loaded: LoadedManifest,
  row: ActionRow,
  questions: readonly AskReason[],
): Promise<ApprovalRow> {
  const before = await tx.approvals.newestFor(row.id, row.userId)
  const isOpen = before?.status === 'waiting' || before?.status === 'approved'
  if (before && isOpen && tx.nowMs < before.expiresAtMs) {
    await tx.approvals.setStatus(before.id, 'withdrawn', tx.nowMs, before.userId)
  }
  const approval: ApprovalRow = {
    id: broker.newId('approval'),
    userId: asked.userId,
    agentId: asked.agentId,
    skillId: asked.skill,
    action: asked.action,
    actionId: row.id,
    digest: approvalDigestOf(asked, facts, loaded, null),
    questions: JSON.stringify(questions),
    previewEventId: null,
    previewDigest: null,
    status: 'waiting',
    createdAtMs: tx.nowMs,
    expiresAtMs: tx.nowMs + broker.settings.approvalWithinMs,
    decidedAtMs: null,
  }
  await tx.approvals.insert(approval)
  await tellInTx(broker, tx, approval.userId, {
    kind: 'approval_waiting',
    id: approval.id,
    expiresAtMs: approval.expiresAtMs,
    batch: `approval_waiting ${approval.agentId} ${approval.skillId}`,
  })
  return approval
}
