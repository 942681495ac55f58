import { stateOf, statusAfter } from '../core/grant/grant-state.ts'
import type { GrantStatus } from '../core/grant/terms.ts'
import type { ActionRow, ApprovalRow, CommitmentRow, ConsentRequestRow, GrantRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import { endMemoryOfGrants } from './memory-of-grants.ts'
import { everyApproval, everyOpenRequest } from './open-questions.ts'

/** Whose authority is taken back. */
export type RevokeScope =
  | { kind: 'grant'; id: string }
  | { kind: 'agent'; id: string }
  | { kind: 'skill'; id: string }
  | { kind: 'everything' }

/** A permit that a skill may still be acting on, or whose outcome nobody knows. */
export type UnsettledPermit = {
  actionId: string
  agentId: string
  skillId: string
  action: string
  status: string
  currency: string | null
  heldMinor: number
  /** When it was permitted. Unix milliseconds. */
  reservedAtMs: number | null
}

/** Something a skill goes on doing by itself. */
export type RunningCommitment = { actionId: string; skillId: string; grantId: string; times: number }

/** What a revocation reached, and what it could not call back. */
export type Revocation = {
  atMs: number
  grants: readonly string[]
  consentRequests: readonly string[]
  approvals: readonly string[]
  unsettled: readonly UnsettledPermit[]
  commitments: readonly RunningCommitment[]
}

/**
 * Ends every live grant in the scope, takes its open questions from the table, and lists what is still out there.
 * A yes that no permit has used yet is withdrawn too: it must not serve a grant that is given later.
 */
export async function revokeInScope(tx: Tx, userId: string, scope: RevokeScope): Promise<Revocation> {
  const unsettled = (await tx.actions.unsettled(userId)).filter((row) => coversAction(scope, row))
  const live = (await tx.grants.live(userId)).filter((grant) => coversGrant(scope, grant))
  const grants = [...live, ...(await usedUpBy(tx, unsettled))]
  for (const grant of grants) await tx.grants.update(revoked(grant, tx.nowMs))
  await endMemoryOfGrants(
    tx,
    userId,
    grants.map(({ id }) => id),
  )

  const requests = (await everyOpenRequest(tx, userId)).filter((row) => coversRequest(scope, row))
  for (const request of requests) await tx.consentRequests.decide(request.id, 'refused', null, tx.nowMs)

  const approvals: ApprovalRow[] = []
  for (const approval of await everyApproval(tx, userId, ['waiting', 'approved'])) {
    if (await coversApproval(tx, scope, approval)) approvals.push(approval)
  }
  for (const approval of approvals)
    await tx.approvals.setStatus(approval.id, 'withdrawn', tx.nowMs, approval.userId)

  const commitments: CommitmentRow[] = []
  for (const commitment of await tx.commitments.list(userId, 'running')) {
    if (await coversCommitment(tx, scope, commitment)) commitments.push(commitment)
  }
  return {
    atMs: tx.nowMs,
    grants: grants.map(({ id }) => id),
    consentRequests: requests.map(({ id }) => id),
    approvals: approvals.map(({ id }) => id),
    unsettled: unsettled.map(unsettledPermit),
    commitments: commitments.map(({ actionId, skillId, grantId, times }) => ({
      actionId,
      skillId,
      grantId,
      times,
    })),
  }
}

/** One-time grants that a permit has used up and that may not have been sent yet: a revoke still overtakes those. */
async function usedUpBy(tx: Tx, unsettled: readonly ActionRow[]): Promise<GrantRow[]> {
  const found: GrantRow[] = []
  for (const grantId of new Set(unsettled.map((row) => row.grantId))) {
    const grant = grantId === null ? undefined : await tx.grants.find(grantId)
    if (grant?.status === 'used_up') found.push(grant)
  }
  return found
}

function revoked(grant: GrantRow, nowMs: number): GrantRow {
  const state = stateOf({ status: grant.status as GrantStatus, expiresAtMs: grant.expiresAtMs }, nowMs)
  return {
    ...grant,
    status: statusAfter(state, 'revoke') ?? 'revoked',
    revision: grant.revision + 1,
    changedAtMs: nowMs,
  }
}

function coversGrant(scope: RevokeScope, grant: GrantRow): boolean {
  switch (scope.kind) {
    case 'grant':
      return grant.id === scope.id
    case 'agent':
      return grant.agentId === scope.id
    case 'skill':
      return grant.skillId === scope.id
    case 'everything':
      return true
  }
}

function coversRequest(scope: RevokeScope, request: ConsentRequestRow): boolean {
  switch (scope.kind) {
    case 'grant':
      return request.renewsGrantId === scope.id
    case 'agent':
      return request.agentId === scope.id
    case 'skill':
      return request.skillId === scope.id
    case 'everything':
      return true
  }
}

function coversAction(scope: RevokeScope, action: ActionRow): boolean {
  switch (scope.kind) {
    case 'grant':
      return action.grantId === scope.id
    case 'agent':
      return action.agentId === scope.id
    case 'skill':
      return action.skillId === scope.id
    case 'everything':
      return true
  }
}

/** Which grant a question would be answered under stands in the action that waits for it. */
async function coversApproval(tx: Tx, scope: RevokeScope, approval: ApprovalRow): Promise<boolean> {
  if (scope.kind === 'agent') return approval.agentId === scope.id
  if (scope.kind === 'skill') return approval.skillId === scope.id
  const action = scope.kind === 'grant' ? await tx.actions.find(approval.actionId) : undefined
  return scope.kind === 'everything' || action?.grantId === scope.id
}

async function coversCommitment(tx: Tx, scope: RevokeScope, commitment: CommitmentRow): Promise<boolean> {
  if (scope.kind === 'grant') return commitment.grantId === scope.id
  if (scope.kind === 'skill') return commitment.skillId === scope.id
  const action = scope.kind === 'agent' ? await tx.actions.find(commitment.actionId) : undefined
  return scope.kind === 'everything' || action?.agentId === scope.id
}

export function unsettledPermit(row: ActionRow): UnsettledPermit {
  return {
    actionId: row.id,
    agentId: row.agentId,
    skillId: row.skillId,
    action: row.action,
    status: row.status,
    currency: row.currency,
    heldMinor: row.heldMinor,
    reservedAtMs: row.reservedAtMs,
  }
}
