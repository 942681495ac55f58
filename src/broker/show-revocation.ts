import type { StatusReference } from '../core/http-signature/authority-event.ts'
import { type Became, becameOf, mayStillChange } from '../core/revocation/became-of.ts'
import { STATUS, statusOfGrant } from '../core/status-list/status-list.ts'
import type { EventDeliveryRow, RevocationRow, RevokedActionRow } from '../ports/revocation-rows.ts'
import type { Page, Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { statusReferenceIn } from './status-place.ts'

/** One that had to be told, and how far that got. */
export type ToldReceiver = {
  readonly kind: 'skill' | 'agent'
  readonly id: string
  readonly state: 'waiting' | 'answered' | 'confirmed' | 'given_up' | 'no_address'
  /** When it took the event; null while it has not. Unix milliseconds. */
  readonly atMs: number | null
  readonly attempts: number
  readonly fault: string | null
}

export type FollowedFlight = {
  readonly actionId: string
  readonly skill: string
  readonly action: string
  readonly became: Became
  /** Whether it may still turn out otherwise. */
  readonly isOpen: boolean
  /** What the skill said to being told to stop; null while it was not asked. */
  readonly cancel: string | null
  /** When its outcome was known. Unix milliseconds. */
  readonly settledAtMs: number | null
  readonly currency: string | null
  readonly takenMinor: number
  readonly heldMinor: number
}

export type RevocationView = {
  readonly revocationId: string
  readonly scope: { readonly kind: string; readonly id: string }
  /** No decision permitted under it after this. Unix milliseconds. */
  readonly atMs: number
  readonly eventId: string
  readonly grants: readonly {
    readonly grantId: string
    readonly skill: string
    readonly agentId: string
    /** Where anybody can read it, and what it says; null for a grant from before there were lists. */
    readonly status: (StatusReference & { readonly says: 'valid' | 'invalid' | 'suspended' }) | null
  }[]
  readonly questionsWithdrawn: number
  readonly told: readonly ToldReceiver[]
  /** Sessions of these agents are told that their tools changed, and every call of theirs is refused. */
  readonly sessionsOf: readonly string[]
  readonly actions: readonly FollowedFlight[]
}

export type RevocationShown = { kind: 'revocation'; revocation: RevocationView } | { kind: 'not_found' }

/** Shows one of a user's revocations as it stands now: who was told, who confirmed, and what became of what ran. */
export async function showRevocation(
  broker: Pick<Broker, 'store' | 'settings'>,
  input: { readonly userId: string; readonly revocationId: string },
): Promise<RevocationShown> {
  const revocation = await broker.store.read(async (tx) => {
    const row = await tx.revocations.find(input.revocationId, input.userId)
    return row && revocationIn(broker, tx, row)
  })
  return revocation ? { kind: 'revocation', revocation } : { kind: 'not_found' }
}

/** A user's revocations, newest first. */
export function listRevocations(
  broker: Pick<Broker, 'store'>,
  input: { readonly userId: string; readonly page: Page },
): Promise<RevocationRow[]> {
  return broker.store.read(async (tx) => tx.revocations.list(input.userId, input.page))
}

export async function revocationIn(
  broker: Pick<Broker, 'settings'>,
  tx: Tx,
  row: RevocationRow,
): Promise<RevocationView> {
  const { id, userId } = row
  const ended = JSON.parse(row.ended) as Record<'grants' | 'consentRequests' | 'approvals', string[]>
  const grants: RevocationView['grants'][number][] = []
  for (const grantId of ended.grants) {
    const grant = await tx.grants.find(grantId, userId)
    if (!grant) continue
    const reference = await statusReferenceIn(broker, tx, grantId)
    grants.push({
      grantId,
      skill: grant.skillId,
      agentId: grant.agentId,
      status: reference && { ...reference, says: wordOf(statusOfGrant(grant.status)) },
    })
  }
  const running = new Set((await tx.commitments.list(userId, 'running')).map(({ actionId }) => actionId))
  const actions: FollowedFlight[] = []
  for (const followed of await tx.revocations.actions(id, userId)) {
    const flight = await flightOf(tx, followed, running)
    if (flight) actions.push(flight)
  }
  const told = (await tx.eventDeliveries.ofRevocation(id, userId)).map(receiverOf)
  const agentsTold = told.filter(({ kind }) => kind === 'agent').map((one) => one.id)
  return {
    revocationId: id,
    scope: { kind: row.scopeKind, id: row.scopeId },
    atMs: row.atMs,
    eventId: row.eventId,
    grants,
    questionsWithdrawn: ended.consentRequests.length + ended.approvals.length,
    told,
    sessionsOf: [...new Set([...grants.map(({ agentId }) => agentId), ...agentsTold])],
    actions,
  }
}

async function flightOf(
  tx: Tx,
  followed: RevokedActionRow,
  running: ReadonlySet<string>,
): Promise<FollowedFlight | undefined> {
  const row = await tx.actions.find(followed.actionId, followed.userId)
  if (!row) return undefined
  const { statusThen, cancel } = followed
  const statusNow = row.status
  const became = becameOf({ statusThen, statusNow, cancel, isRunning: running.has(row.id) })
  return {
    actionId: row.id,
    skill: row.skillId,
    action: row.action,
    became,
    isOpen: mayStillChange(became, statusNow),
    cancel,
    settledAtMs: row.settledAtMs,
    currency: row.currency,
    takenMinor: row.capturedMinor + row.overrunMinor,
    heldMinor: row.heldMinor,
  }
}

function receiverOf(row: EventDeliveryRow): ToldReceiver {
  return {
    kind: row.receiverKind as ToldReceiver['kind'],
    id: row.receiverId,
    state: row.status as ToldReceiver['state'],
    atMs: row.answeredAtMs,
    attempts: row.attempts,
    fault: row.fault,
  }
}

function wordOf(status: number): 'valid' | 'invalid' | 'suspended' {
  if (status === STATUS.valid) return 'valid'
  return status === STATUS.suspended ? 'suspended' : 'invalid'
}
