import { freezeIdOf } from '../core/decision/freeze-ids.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'

/** For whom a token family speaks. */
export type FamilyIdentity = {
  userId: string
  agentId: string
  sessionId: string
  /** Revoked, by a replay or by its own client. */
  hasEnded: boolean
}

/**
 * Finds for whom a token family speaks; undefined when no token may be issued for it any more, because its agent is
 * not connected, or because agent, user or platform is frozen.
 */
export function findFamily(broker: Broker, familyId: string): Promise<FamilyIdentity | undefined> {
  return broker.store.read(async (tx) => {
    const family = await tx.tokenFamilies.find(familyId)
    if (!family) return undefined
    const { userId, agentId, sessionId, endedAtMs } = family
    const agent = await tx.agents.find(agentId)
    if (agent?.status !== 'connected' || agent.userId !== userId) return undefined
    const frozen = await tx.freezes.matching([
      freezeIdOf('agent', agentId),
      freezeIdOf('user', userId),
      freezeIdOf('platform', '*'),
    ])
    return frozen.length > 0 ? undefined : { userId, agentId, sessionId, hasEnded: endedAtMs !== null }
  })
}

/** Whether an agent's access token, which lives on by itself for minutes, is of a family that has ended. */
export function hasFamilyEnded(
  { store }: Pick<Broker, 'store'>,
  { userId, sessionId }: Pick<FamilyIdentity, 'userId' | 'sessionId'>,
): Promise<boolean> {
  return store.read(async (tx) => tx.tokenFamilies.hasEnded(userId, sessionId))
}

/**
 * Ends a token family: its refresh tokens are gone, and what is out there of its access tokens decides nothing more.
 * The connection stays, and so does what was granted to it. Ending it again changes nothing.
 */
export function endFamily(broker: Broker, familyId: string): Promise<void> {
  return broker.store.transaction((tx) => endFamilyInTx(tx, familyId))
}

async function endFamilyInTx(tx: Tx, familyId: string): Promise<void> {
  await tx.oauthRecords.removeFamily(familyId)
  await tx.tokenFamilies.end(familyId, tx.nowMs)
}
