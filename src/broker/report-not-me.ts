import type { ActionRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { type CancelInFlight, type CancelReport, cancelWhatRuns } from './cancel-in-flight.ts'
import { sealerFor } from './leaf-sealer.ts'
import { openIncident } from './open-incident.ts'
import { pauseAgentInTx } from './pause-agent.ts'
import { type UnsettledPermit, unsettledPermit } from './revoke-in-scope.ts'
import { tellInTx } from './tell.ts'

/** What happens after a report, in order; pages and apps have the words. */
export type NextStep =
  | 'agent_paused'
  /** What the agent had under way was cancelled where its skill allows it; the rest settles by itself. */
  | 'in_flight_cancelled'
  /** The skill may undo this action until then, if its user asks. */
  | 'undo_possible'
  | 'operator_looks'

export type NotMeReported =
  | {
      kind: 'reported'
      incidentId: string
      /** False when it was reported before: then nothing was written. */
      isNew: boolean
      agentId: string
      pausedGrants: readonly string[]
      unsettled: readonly UnsettledPermit[]
      cancelled: readonly CancelReport[]
      undoUntilMs: number | null
      next: readonly NextStep[]
    }
  | { kind: 'not_found' }

type Recorded = Omit<Extract<NotMeReported, { kind: 'reported' }>, 'cancelled' | 'next'>

/**
 * The user says of an action that it was not them: its agent is paused in the same transaction, whatever becomes of the
 * rest, and an operator finds an open incident.
 */
export async function reportNotMe(
  broker: Broker,
  input: { userId: string; actionId: string },
  cancelInFlight: CancelInFlight,
): Promise<NotMeReported> {
  const found = await broker.store.read((tx) => findOwnAction(tx, input))
  if (!found) return { kind: 'not_found' }
  const seal = await sealerFor(broker, { userId: input.userId, skillId: found.skillId })
  const recorded = await broker.store.transaction<Recorded | undefined>(async (tx) => {
    const action = await findOwnAction(tx, input)
    const agent = action && (await tx.agents.find(action.agentId))
    if (!action || !agent) return undefined
    const before = await tx.incidents.openFor(action.userId, action.skillId, action.id, 'reported')
    const pausedGrants = await pauseAgentInTx(broker, tx, seal, agent, 'not_me')
    const incidentId =
      before?.id ??
      (await openIncident(broker, tx, seal, {
        kind: 'reported',
        userId: action.userId,
        skillId: action.skillId,
        actionId: action.id,
        detail: `the user says that they did not want ${action.action}; the agent is paused`,
        stopsSpending: false,
      }))
    if (!before) await tellInTx(broker, tx, action.userId, { kind: 'incident', id: incidentId })
    const unsettled = (await tx.actions.unsettled(action.userId)).filter((row) => row.agentId === agent.id)
    return {
      kind: 'reported',
      incidentId,
      isNew: !before,
      agentId: agent.id,
      pausedGrants,
      unsettled: unsettled.map(unsettledPermit),
      undoUntilMs: await undoUntilMs(broker, tx, action),
    }
  })
  if (!recorded) return { kind: 'not_found' }
  broker.deliveries.wake()
  const cancelled = await cancelWhatRuns({ unsettled: recorded.unsettled, commitments: [] }, cancelInFlight)
  return { ...recorded, cancelled, next: nextSteps(recorded) }
}

async function findOwnAction(
  tx: Tx,
  { userId, actionId }: { userId: string; actionId: string },
): Promise<ActionRow | undefined> {
  const row = await tx.actions.find(actionId)
  return row?.userId === userId ? row : undefined
}

async function undoUntilMs(broker: Broker, tx: Tx, row: ActionRow): Promise<number | null> {
  if (row.status !== 'succeeded' || row.manifestDigest === null || row.settledAtMs === null) return null
  const undo = (await broker.manifests.load(tx, row.manifestDigest)).actions.get(row.action)?.declared.undo
  const untilMs = undo ? row.settledAtMs + undo.withinSeconds * 1000 : 0
  return tx.nowMs <= untilMs ? untilMs : null
}

function nextSteps({ unsettled, undoUntilMs: untilMs }: Recorded): NextStep[] {
  return [
    'agent_paused',
    ...(unsettled.length > 0 ? (['in_flight_cancelled'] as const) : []),
    ...(untilMs === null ? [] : (['undo_possible'] as const)),
    'operator_looks',
  ]
}
