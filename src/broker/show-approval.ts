import type { AskReason } from '../core/grant/ask-first.ts'
import type { ApprovalRow } from '../ports/rows.ts'
import type { Page } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { findOwnApproval } from './own-rows.ts'
import { type ShownApproval, showAsked } from './shown-approval.ts'

/** `used` is a yes that a permit has consumed; `withdrawn` a question that a revocation took from the table. */
export type ApprovalState = 'waiting' | 'approved' | 'refused' | 'used' | 'withdrawn' | 'expired'

export type ApprovalSummary = {
  approvalId: string
  actionId: string
  agentId: string
  skill: string
  action: string
  questions: readonly AskReason[]
  state: ApprovalState
  createdAtMs: number
  expiresAtMs: number
  decidedAtMs: number | null
}

export type ApprovalView = ApprovalSummary & {
  /** Null when it can no longer be shown in full; then it can only be refused. */
  shown: ShownApproval | null
}

/** The user's approvals, newest first; `status` as stored, null for all. */
export function listApprovals(
  broker: Broker,
  input: { userId: string; status: Exclude<ApprovalState, 'expired'> | null; page: Page },
): Promise<ApprovalSummary[]> {
  return broker.store.read(async (tx) => {
    const rows = await tx.approvals.list(input.userId, input.status, input.page)
    return rows.map((row) => approvalSummary(row, tx.nowMs))
  })
}

/** One approval with what will happen in full. Looking at it answers nothing. */
export async function showApproval(
  broker: Broker,
  input: { userId: string; approvalId: string },
): Promise<{ kind: 'found'; approval: ApprovalView } | { kind: 'not_found' }> {
  const found = await broker.store.read(async (tx) => {
    const row = await findOwnApproval(tx, input.userId, input.approvalId)
    const action = row && (await tx.actions.find(row.actionId))
    return row && action ? { row, action, summary: approvalSummary(row, tx.nowMs) } : undefined
  })
  if (!found) return { kind: 'not_found' }
  const shown = (await showAsked(broker, found.row, found.action)) ?? null
  return { kind: 'found', approval: { ...found.summary, shown } }
}

/** How an approval stands at an instant. A yes that nobody used in time is as expired as a question. */
export function approvalStateOf(row: ApprovalRow, nowMs: number): ApprovalState {
  const status = row.status as ApprovalState
  return (status === 'waiting' || status === 'approved') && nowMs >= row.expiresAtMs ? 'expired' : status
}

function approvalSummary(row: ApprovalRow, nowMs: number): ApprovalSummary {
  return {
    approvalId: row.id,
    actionId: row.actionId,
    agentId: row.agentId,
    skill: row.skillId,
    action: row.action,
    questions: JSON.parse(row.questions) as AskReason[],
    state: approvalStateOf(row, nowMs),
    createdAtMs: row.createdAtMs,
    expiresAtMs: row.expiresAtMs,
    decidedAtMs: row.decidedAtMs,
  }
}
