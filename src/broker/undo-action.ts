import type { ActionRow } from '../ports/rows.ts'
import type { Broker } from './broker.ts'
import { callCleanUp } from './call-clean-up.ts'

export type Undoing =
  | { kind: 'not_found' }
  /** Nothing was done, the manifest names no undo for it, or its time is over. */
  | { kind: 'not_undoable' }
  | { kind: 'frozen' }
  /** What the skill said of it. Refunds restore no budget: what was spent stays counted. */
  | { kind: 'asked'; row: ActionRow; outcome: 'undone' | 'refused' | 'unclear' }

/**
 * Asks the skill to undo what it did for this user, within the time its manifest gives. It is the user's call, so
 * it works after the agent lost its authority; its arguments come only from the recorded execution.
 */
export async function undoAction(
  broker: Broker,
  input: { readonly userId: string; readonly actionId: string },
): Promise<Undoing> {
  const row = await broker.store.read(async (tx) => tx.actions.find(input.actionId))
  if (!row || row.userId !== input.userId) return { kind: 'not_found' }
  if (!(await isInTime(broker, row))) return { kind: 'not_undoable' }
  const answer = await callCleanUp(broker, row, 'undo')
  if (answer.kind === 'frozen') return { kind: 'frozen' }
  if (answer.kind === 'not_available') return { kind: 'not_undoable' }
  switch (answer.outcome.kind) {
    case 'succeeded':
      return { kind: 'asked', row, outcome: 'undone' }
    case 'refused':
      return { kind: 'asked', row, outcome: 'refused' }
    default:
      return { kind: 'asked', row, outcome: 'unclear' }
  }
}

async function isInTime(broker: Broker, row: ActionRow): Promise<boolean> {
  const untilMs = await undoUntil(broker, row)
  return untilMs !== null && broker.store.now().nowMs <= untilMs
}

/** Until when the skill can be asked to undo an action; null where nothing was done or no undo is declared. */
export async function undoUntil(broker: Broker, row: ActionRow): Promise<number | null> {
  const { manifestDigest: digest, settledAtMs } = row
  if (row.status !== 'succeeded' || digest === null || settledAtMs === null) return null
  const undo = await broker.store.read(
    async (tx) => (await broker.manifests.load(tx, digest)).actions.get(row.action)?.declared.undo,
  )
  return undo === undefined ? null : settledAtMs + undo.withinSeconds * 1000
}
