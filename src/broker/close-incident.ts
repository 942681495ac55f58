import type { IncidentRow } from '../ports/rows.ts'
import type { Page } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { sealerFor } from './leaf-sealer.ts'
import { type OperatorAct, type ReasonRefused, refuseReason } from './operator-act.ts'

export type CloseIncidentOutcome =
  | ReasonRefused
  | { readonly kind: 'incident_unknown' }
  | { readonly kind: 'already_closed' }
  | {
      readonly kind: 'closed'
      /** Whether the skill may spend for this user again; false while another incident still stops it. */
      readonly spendingResumed: boolean
    }

/** Closes an incident. If it stopped a skill's spending for a user, that goes on unless another one stops it too. */
export async function closeIncident(
  broker: Broker,
  input: OperatorAct & { readonly incidentId: string },
): Promise<CloseIncidentOutcome> {
  const { incidentId, operatorId, reason } = input
  const refused = refuseReason(input)
  if (refused) return refused
  const known = await broker.store.read(async (tx) => tx.incidents.find(incidentId))
  if (!known) return { kind: 'incident_unknown' }

  const seal = await sealerFor(broker, { userId: known.userId ?? '', skillId: known.skillId })
  return broker.store.transaction(async (tx) => {
    const incident = await tx.incidents.find(incidentId)
    if (!incident) return { kind: 'incident_unknown' }
    if (incident.status !== 'open') return { kind: 'already_closed' }
    await tx.incidents.close(incidentId, tx.nowMs)
    const { userId, skillId, stopsSpending } = incident
    const leaf = seal(
      {
        type: 'incident',
        outcome: 'closed',
        reason: incident.kind,
        core: { incident: incidentId, skill: skillId, stopsSpending },
        subj: { user: userId, operator: operatorId },
        body: { reason },
      },
      tx.nowMs,
    )
    await tx.log.append(leaf, tx.nowMs)
    const stillStopped = userId !== null && (await tx.incidents.stopsSpending(userId, skillId))
    return { kind: 'closed', spendingResumed: stopsSpending && !stillStopped }
  })
}

/** One incident; undefined for one that is not there. */
export function findIncident(broker: Pick<Broker, 'store'>, id: string): Promise<IncidentRow | undefined> {
  return broker.store.read(async (tx) => tx.incidents.find(id))
}

/** Incidents, newest first. @param status null for all of them. */
export function listIncidents(
  broker: Broker,
  status: 'open' | 'closed' | null,
  page: Page,
): Promise<IncidentRow[]> {
  return broker.store.read(async (tx) => tx.incidents.list(status, page))
}
