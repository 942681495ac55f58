import type { ActionRow } from '../ports/rows.ts'
import type { Page } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { type ActionView, viewForUser, viewInSession } from './view-action.ts'

/** Who looks: a user at all of theirs, an agent at what it asked for itself. */
export type ActionOwner =
  | {
      readonly kind: 'agent'
      readonly userId: string
      readonly agentId: string
      readonly sessionId: string
    }
  | { readonly kind: 'user'; readonly userId: string }

export type ActionFilter = {
  readonly agentId: string | null
  readonly skillId: string | null
  readonly status: string | null
}

/** The owner's actions, newest first. */
export function listActions(
  broker: Broker,
  input: { readonly owner: ActionOwner; readonly filter: ActionFilter; readonly page: Page },
): Promise<ActionRow[]> {
  const { owner, filter, page } = input
  const agentId = owner.kind === 'agent' ? owner.agentId : filter.agentId
  return broker.store.read(async (tx) =>
    tx.actions.list({ ...filter, agentId, userId: owner.userId, fromMs: null, toMs: null }, page),
  )
}

/** One action with its result; undefined when it is not there or not the owner's, which is the same answer. */
export async function showAction(
  broker: Broker,
  input: { readonly owner: ActionOwner; readonly actionId: string },
): Promise<ActionView | undefined> {
  const { owner, actionId } = input
  const row = await broker.store.read(async (tx) => tx.actions.find(actionId))
  if (!row || row.userId !== owner.userId) return undefined
  if (owner.kind === 'user') return viewForUser(broker, row)
  return row.agentId === owner.agentId ? viewInSession(broker, row, owner.sessionId) : undefined
}
