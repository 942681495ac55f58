import { argumentLabel, type ShownValue, shownValues } from '../core/grant/shown-values.ts'
import { speakerOf } from '../core/grant/speaker.ts'
import type { Locale } from '../core/grant/words.ts'
import { readPointer } from '../core/json-pointer.ts'
import { findAction, type Manifest } from '../core/manifest/manifest.ts'
import type { ActionRow } from '../ports/rows.ts'
import type { Broker } from './broker.ts'
import { showAction } from './list-actions.ts'
import { openEventPart } from './open-part.ts'
import { findUndo, undoUntil } from './undo-action.ts'
import { userZone } from './user-zone.ts'
import type { ActionView } from './view-action.ts'

export type UndoStatus = 'asked' | 'undone' | 'refused' | 'unclear' | 'not_sent'

/** One thing an agent did or tried, as its user reads it. */
export type ActView = {
  readonly row: ActionRow
  readonly agentName: string
  readonly zone: string
  readonly manifest: Manifest | null
  /** What was sent, value by value; null once its key is destroyed or where nothing was sealed. */
  readonly sent: readonly ShownValue[] | null
  /** What the skill answered; null where there is nothing. */
  readonly answered: readonly ShownValue[] | null
  readonly withheld: ActionView['withheld']
  /** Until when it can be undone; null if it cannot be. */
  readonly undoUntilMs: number | null
  /** What became of undoing it; null where nobody asked. */
  readonly undo: UndoStatus | null
}

/** Shows one action of the user's own; undefined for one that is not, and for one that is not there. */
export async function showAct(
  broker: Broker,
  input: { userId: string; actionId: string; locale: Locale },
): Promise<ActView | undefined> {
  const { userId, actionId, locale } = input
  const view = await showAction(broker, { owner: { kind: 'user', userId }, actionId })
  if (!view) return undefined
  const { row } = view
  const about = await broker.store.read(async (tx) => ({
    agentName: (await tx.agents.find(row.agentId))?.name ?? row.agentId,
    zone: await userZone(tx, userId),
    manifest:
      row.manifestDigest === null ? null : (await broker.manifests.load(tx, row.manifestDigest)).manifest,
  }))
  const speaker = speakerOf(locale, about.zone)
  const action = about.manifest ? findAction(about.manifest, row.action) : undefined
  const undo = await findUndo(broker, { userId, actionId })
  const body = await openEventPart(broker, row.eventId, 'body')
  const args = body === undefined ? undefined : readPointer(body, '/arguments')
  const label = (pointer: string) =>
    action ? argumentLabel(speaker, action, pointer) : speaker.quote(pointer)
  return {
    row,
    ...about,
    sent: args === undefined || args === null ? null : shownValues(speaker, args, label),
    answered: view.result === undefined ? null : shownValues(speaker, view.result, speaker.quote),
    withheld: view.withheld,
    undoUntilMs: undo?.status === 'undone' || undo?.status === 'asked' ? null : await undoUntil(broker, row),
    undo: undo === undefined ? null : (undo.status as UndoStatus),
  }
}
