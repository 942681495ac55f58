import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import type { LeafSealer } from './leaf-sealer.ts'

type IncidentKind =
  | 'overrun'
  | 'amount_without_spend'
  | 'manifest_drift'
  | 'reported'
  | 'notice_overdue'
  | 'notice_refused'

export type NewIncident = {
  readonly kind: IncidentKind
  /** Null when it concerns no user in particular. */
  readonly userId: string | null
  readonly skillId: string
  readonly actionId: string | null
  /** What an operator should know, without personal data. */
  readonly detail: string
  /** Whether this skill's spending for this user stands still until somebody closes the incident. */
  readonly stopsSpending: boolean
}

/** Opens an incident with its leaf, inside the transaction that found it. Returns its id. */
export async function openIncident(
  broker: Pick<Broker, 'newId'>,
  tx: Tx,
  seal: LeafSealer,
  incident: NewIncident,
): Promise<string> {
  const id = broker.newId('incident')
  await tx.incidents.insert({ id, ...incident, status: 'open', openedAtMs: tx.nowMs, closedAtMs: null })
  const { kind, skillId, stopsSpending, userId, actionId, detail } = incident
  const leaf = seal(
    {
      type: 'incident',
      outcome: 'opened',
      reason: kind,
      core: { incident: id, skill: skillId, stopsSpending },
      subj: { user: userId, execution: actionId },
      body: { detail },
    },
    tx.nowMs,
  )
  await tx.log.append(leaf, tx.nowMs)
  return id
}
