import type { JsonValue } from '../core/json-value.ts'
import type { ActionRow } from '../ports/rows.ts'
import type { ActionSearch, Page } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { sealerFor } from './leaf-sealer.ts'
import { openEventPart } from './open-part.ts'
import { type OperatorAct, type ReasonRefused, refuseReason } from './operator-act.ts'

/**
 * Finds actions for an operator, newest first. Who did what and when is personal data, so the search itself is
 * a leaf, durable before anything is answered.
 */
export async function searchActions(
  broker: Broker,
  input: { readonly operatorId: string; readonly search: ActionSearch; readonly page: Page },
): Promise<ActionRow[]> {
  const { operatorId, search, page } = input
  const seal = await sealerFor(broker, { userId: search.userId ?? '', skillId: '' })
  return broker.store.transaction(async (tx) => {
    const { userId, agentId, ...rest } = search
    const leaf = seal(
      {
        type: 'operator',
        outcome: 'searched',
        reason: 'actions',
        core: rest,
        subj: { operator: operatorId, user: userId, agent: agentId },
      },
      tx.nowMs,
    )
    await tx.log.append(leaf, tx.nowMs)
    return tx.actions.list(search, page)
  })
}

/** The sealed parts of one event; undefined where there is none or its key is destroyed. */
type OpenedEvent = {
  readonly core: JsonValue | undefined
  readonly subj: JsonValue | undefined
  readonly body: JsonValue | undefined
}

export type LookAtActionOutcome =
  | ReasonRefused
  | { readonly kind: 'action_unknown' }
  | {
      readonly kind: 'action'
      readonly row: ActionRow
      readonly decision: OpenedEvent
      readonly outcome: OpenedEvent
    }

/** Opens what was sealed about one action: arguments, result, who. The look is a leaf before anything is opened. */
export async function lookAtAction(
  broker: Broker,
  input: OperatorAct & { readonly actionId: string },
): Promise<LookAtActionOutcome> {
  const { actionId, operatorId, reason } = input
  const refused = refuseReason(input)
  if (refused) return refused
  const row = await broker.store.read(async (tx) => tx.actions.find(actionId))
  if (!row) return { kind: 'action_unknown' }

  const seal = await sealerFor(broker, { userId: row.userId, skillId: row.skillId })
  await broker.store.transaction(async (tx) => {
    const leaf = seal(
      {
        type: 'operator',
        outcome: 'looked_at',
        reason: 'action',
        core: { skill: row.skillId },
        subj: { operator: operatorId, user: row.userId, execution: actionId },
        body: { reason },
      },
      tx.nowMs,
    )
    await tx.log.append(leaf, tx.nowMs)
  })
  return {
    kind: 'action',
    row,
    decision: await openEvent(broker, row.eventId),
    outcome: await openEvent(broker, row.settleEventId),
  }
}

async function openEvent(broker: Broker, eventId: string | null): Promise<OpenedEvent> {
  return {
    core: await openEventPart(broker, eventId, 'core'),
    subj: await openEventPart(broker, eventId, 'subj'),
    body: await openEventPart(broker, eventId, 'body'),
  }
}
