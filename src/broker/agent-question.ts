import { isId } from '../core/ids.ts'
import type { ConsentRequestRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { findOwnApproval, findOwnConsentRequest } from './own-rows.ts'
import { approvalStateOf } from './show-approval.ts'

/** How a question an agent asked stands. `used` is a yes that a permit has consumed. */
export type QuestionState = 'waiting' | 'approved' | 'refused' | 'used' | 'withdrawn' | 'expired'

/** An approval or a consent request, as the agent that asked may see it. */
export type AgentQuestion = {
  readonly id: string
  readonly kind: 'approval' | 'consent'
  readonly state: QuestionState
  readonly skill: string
  /** Null for a consent request, which may be about several. */
  readonly action: string | null
  readonly expiresAtMs: number
}

type Asking = { readonly userId: string; readonly agentId: string }

/** A question of this agent; undefined for another's and for one that is not there, which is the same answer. */
export function agentQuestion(
  broker: Broker,
  input: Asking & { readonly id: string },
): Promise<AgentQuestion | undefined> {
  return broker.store.read(async (tx) => {
    if (isId('approval', input.id)) return approvalOf(tx, input)
    if (!isId('consentRequest', input.id)) return undefined
    const row = await findOwnConsentRequest(tx, input.userId, input.id)
    return row?.agentId === input.agentId ? consentQuestion(row, tx.nowMs) : undefined
  })
}

/**
 * The consent this agent has asked for that would cover an action, if the question is open: asking a second one beside
 * it would only make the user answer twice.
 */
export function openConsentFor(
  broker: Broker,
  input: Asking & { readonly skill: string; readonly action: string },
): Promise<AgentQuestion | undefined> {
  return broker.store.read(async (tx) => {
    const current = (await tx.skills.find(input.skill))?.currentDigest
    const sinceMs = tx.nowMs - broker.settings.consentWithinMs - 1
    const rows = await tx.consentRequests.recent(input.userId, input.agentId, input.skill, sinceMs)
    const open = rows.find(
      (row) =>
        row.status === 'pending' &&
        tx.nowMs < row.expiresAtMs &&
        row.manifestDigest === current &&
        (JSON.parse(row.terms) as { actions: { name: string }[] }).actions.some(
          ({ name }) => name === input.action,
        ),
    )
    return open && consentQuestion(open, tx.nowMs)
  })
}

export function consentQuestion(row: ConsentRequestRow, nowMs: number): AgentQuestion {
  const state = row.status === 'pending' ? 'waiting' : (row.status as QuestionState)
  return {
    id: row.id,
    kind: 'consent',
    state: state === 'waiting' && nowMs >= row.expiresAtMs ? 'expired' : state,
    skill: row.skillId,
    action: null,
    expiresAtMs: row.expiresAtMs,
  }
}

async function approvalOf(tx: Tx, { userId, agentId, id }: Asking & { id: string }) {
  const row = await findOwnApproval(tx, userId, id)
  if (row?.agentId !== agentId) return undefined
  return {
    id,
    kind: 'approval' as const,
    state: approvalStateOf(row, tx.nowMs),
    skill: row.skillId,
    action: row.action,
    expiresAtMs: row.expiresAtMs,
  }
}
