import type { AuthorityEventType } from '../core/http-signature/authority-event.ts'
import type { ActionRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { queueAuthorityEvents, queueSkillEvent } from './queue-authority-events.ts'
import { keepRecord } from './record-revocation.ts'
import { unsettledPermit } from './revoke-in-scope.ts'

type Telling = Pick<Broker, 'newId' | 'settings' | 'pseudonyms' | 'manifests'>

/**
 * Tells of a freeze, or of its end, whom it concerns as a whole. One of the platform, of a single action or of a deployment
 * concerns too many or too little of each: the status list and the next decision say it.
 */
export async function tellOfFreeze(
  broker: Telling,
  tx: Tx,
  kind: string,
  target: string,
  type: AuthorityEventType,
): Promise<void> {
  if (kind === 'skill') return queueSkillEvent(broker, tx, target, type)
  if (kind === 'publisher') {
    const skills = (await tx.skills.list()).filter(({ publisherId }) => publisherId === target)
    for (const { id } of skills) await queueSkillEvent(broker, tx, id, type)
  }
  const agent = kind === 'agent' ? await tx.agents.find(target) : undefined
  const userId = kind === 'user' ? target : agent?.userId
  if (userId === undefined) return
  const live = await tx.grants.live(userId)
  const grants = live.filter((row) => row.status === 'active' && (!agent || row.agentId === agent.id))
  await queueAuthorityEvents(broker, tx, { userId, type, grants, executions: [], revocationId: '' })
}

export type FreezeRecord = { userId: string; revocationId: string; actionIds: string[] }

/** Keeps, for each user with something under way, what a freeze found: they see what becomes of it. */
export async function recordFreeze(
  broker: Pick<Broker, 'newId'>,
  tx: Tx,
  freezeId: string,
  rows: readonly ActionRow[],
  eventId: string,
): Promise<FreezeRecord[]> {
  const records: FreezeRecord[] = []
  for (const userId of new Set(rows.map((row) => row.userId))) {
    const own = rows.filter((row) => row.userId === userId)
    const found = { grants: [], consentRequests: [], approvals: [], commitments: [] }
    const scope = { kind: 'freeze', id: freezeId } as const
    const unsettled = own.map(unsettledPermit)
    const revocationId = await keepRecord(broker, tx, userId, scope, { ...found, unsettled }, eventId)
    records.push({ userId, revocationId, actionIds: own.map(({ id }) => id) })
  }
  return records
}
