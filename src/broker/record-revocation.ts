import type { GrantRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import type { CancelInFlight, CancelReport } from './cancel-in-flight.ts'
import type { LeafSealer } from './leaf-sealer.ts'
import { queueAuthorityEvents } from './queue-authority-events.ts'
import { queueSkillNotice } from './queue-skill-notice.ts'
import type { Revocation, RevokeScope } from './revoke-in-scope.ts'

type Recording = Pick<Broker, 'newId' | 'settings' | 'pseudonyms' | 'manifests'>

/** Actions of one revocation that are cancelled and followed up by name. */
const FOLLOWED_MOST = 1_000

/**
 * Keeps a revocation with what was under way, and tells skills and agents, in the transaction that makes it true. Skills
 * are asked to delete what they kept under it as well.
 *
 * @param eventId of its leaf, which its receipt proves.
 * @returns the id of its receipt.
 */
export async function recordRevocation(
  broker: Recording,
  tx: Tx,
  seal: LeafSealer,
  userId: string,
  scope: RevokeScope,
  revocation: Revocation,
  eventId: string,
): Promise<string> {
  const id = await keepRecord(broker, tx, userId, scope, revocation, eventId)
  await tellOfRevoked(broker, tx, userId, revocation, id)
  await queueSkillNotice(broker, tx, seal, { userId, scope, reason: 'revoked' })
  return id
}

/** Tells skills and agents alone, where nobody will be there to look at a receipt. */
export async function tellOfRevoked(
  broker: Recording,
  tx: Tx,
  userId: string,
  { grants: grantIds, unsettled: executions }: Pick<Revocation, 'grants' | 'unsettled'>,
  revocationId = '',
): Promise<void> {
  const grants: GrantRow[] = []
  for (const grantId of grantIds) {
    const grant = await tx.grants.find(grantId, userId)
    if (grant) grants.push(grant)
  }
  const type = 'authority.revoked'
  await queueAuthorityEvents(broker, tx, { userId, type, grants, executions, revocationId })
}

/** The record alone, of what an operator's freeze found under way for one user. */
export async function keepRecord(
  broker: Pick<Broker, 'newId'>,
  tx: Tx,
  userId: string,
  scope: RevokeScope | { readonly kind: 'freeze'; readonly id: string },
  revocation: Pick<Revocation, 'grants' | 'consentRequests' | 'approvals' | 'unsettled' | 'commitments'>,
  eventId: string,
): Promise<string> {
  const id = broker.newId('revocation')
  const { grants, consentRequests, approvals, unsettled, commitments } = revocation
  await tx.revocations.insert({
    id,
    userId,
    scopeKind: scope.kind,
    scopeId: scope.kind === 'everything' ? '' : scope.id,
    atMs: tx.nowMs,
    eventId,
    ended: JSON.stringify({ grants, consentRequests, approvals }),
  })
  const common = { revocationId: id, userId, cancel: null, cancelAtMs: null, atMs: tx.nowMs }
  for (const { actionId, skillId, status } of unsettled.slice(0, FOLLOWED_MOST))
    await tx.revocations.insertAction({ ...common, actionId, skillId, statusThen: status })
  for (const { actionId, skillId } of commitments.slice(0, FOLLOWED_MOST))
    await tx.revocations.insertAction({ ...common, actionId, skillId, statusThen: 'running' })
  return id
}

/** Cancels what is under way, and keeps what each skill said beside the revocation. */
export async function cancelRecorded(
  broker: Pick<Broker, 'store'>,
  userId: string,
  revocationId: string,
  actionIds: readonly string[],
  cancel: CancelInFlight,
): Promise<readonly CancelReport[]> {
  const ids = [...new Set(actionIds)]
  if (ids.length === 0) return []
  const reports = await cancel(ids)
  await broker.store.transaction(
    async (tx) => {
      for (const { actionId, outcome } of reports)
        await tx.revocations.setCancel({ revocationId, actionId, userId }, outcome, tx.nowMs)
    },
    { userId },
  )
  return reports
}

/** How long whoever revoked has to cancel by itself, in milliseconds; a call may take a minute. */
const CANCEL_WITHIN_MS = 180_000
const BATCH = 20

/** Cancels what a crash kept from being cancelled. Cancelling twice is cancelling once: the key is the same. */
export async function resumeCancels(broker: Broker, cancel: CancelInFlight): Promise<number> {
  const left = await broker.store.read(async (tx) =>
    tx.revocations.uncancelled(tx.nowMs - CANCEL_WITHIN_MS, BATCH),
  )
  for (const { userId, revocationId, actionId } of left)
    await cancelRecorded(broker, userId, revocationId, [actionId], cancel)
  return left.length
}

/** What of a revocation has to be cancelled. */
export function toCancel({
  unsettled,
  commitments,
}: Pick<Revocation, 'unsettled' | 'commitments'>): string[] {
  return [...unsettled, ...commitments].map(({ actionId }) => actionId)
}
