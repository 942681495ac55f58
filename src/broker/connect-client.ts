import { freezeIdOf } from '../core/decision/freeze-ids.ts'
import type { AgentRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { erasureStands } from './erasure-stands.ts'
import { sealerFor } from './leaf-sealer.ts'
import { recoveredRecently } from './recovered-recently.ts'
import { AGENTS_MOST } from './register-agent.ts'

export type ConnectClient = {
  readonly userId: string
  /** Names the tokens that will be issued on this yes. */
  readonly familyId: string
  readonly client: {
    readonly id: string
    /** Where its answers go, or the domain that publishes its metadata. */
    readonly host: string
    /** As it calls itself. */
    readonly name: string
    /** Whether it proves who it is with a key of its own; anybody can claim to be another public client. */
    readonly isConfidential: boolean
  }
}

export type ClientConnected =
  | { kind: 'connected'; agent: AgentRow; isNew: boolean }
  | { kind: 'frozen' }
  | { kind: 'too_many_agents' }

/**
 * The user's yes to connect a program: makes an agent, which has no authority at all, and the token family that
 * speaks for it. Only a client that proves who it is goes on as the agent it was before.
 */
export async function connectClient(broker: Broker, input: ConnectClient): Promise<ClientConnected> {
  const { userId, client } = input
  const seal = await sealerFor(broker, { userId, skillId: '' })
  return broker.store.transaction<ClientConnected>(async (tx) => {
    const answered = await alreadyConnected(tx, input)
    if (answered) return { kind: 'connected', agent: answered, isNew: false }
    const before = await continuedAgent(tx, userId, client)
    // An account that is about to be erased, or was, stands still like a frozen one.
    if (await erasureStands(tx, userId)) return { kind: 'frozen' }
    if (await isFrozen(tx, userId, before?.id)) return { kind: 'frozen' }
    const connected = (await tx.agents.list(userId)).filter(({ status }) => status === 'connected')
    if (!before && connected.length >= AGENTS_MOST) return { kind: 'too_many_agents' }

    const agent = before ?? newAgent(broker.newId('agent'), input, tx.nowMs)
    if (!before) await tx.agents.insert(agent)
    await tx.tokenFamilies.insert({
      id: input.familyId,
      userId,
      agentId: agent.id,
      sessionId: broker.newId('session'),
      clientId: client.id,
      createdAtMs: tx.nowMs,
      endedAtMs: null,
    })
    await tx.oauthClients.setConnected(client.id, tx.nowMs)
    const leaf = seal(
      {
        type: 'agent',
        outcome: 'connected',
        reason: before ? 'again' : 'by_user',
        subj: { user: userId, agent: agent.id, lineage: agent.lineageId, client: client.id },
        body: { name: agent.name, host: client.host, confidential: client.isConfidential },
      },
      tx.nowMs,
    )
    await tx.log.append(leaf, tx.nowMs)
    return { kind: 'connected', agent, isNew: !before }
  })
}

/** The agent of this very yes, said twice. */
async function alreadyConnected(tx: Tx, { userId, familyId }: ConnectClient): Promise<AgentRow | undefined> {
  const family = await tx.tokenFamilies.find(familyId)
  if (!family) return undefined
  if (family.userId !== userId) throw new Error('a token family of somebody else')
  return tx.agents.find(family.agentId)
}

/**
 * The connection that a yes to this client goes on with. Within a day of a recovery there is none: what was given
 * before waits until whoever came back is known to be the owner.
 */
export async function continuedAgent(
  tx: Tx,
  userId: string,
  client: Pick<ConnectClient['client'], 'id' | 'isConfidential'>,
): Promise<AgentRow | undefined> {
  if (!client.isConfidential || (await recoveredRecently(tx, userId))) return undefined
  const agents = await tx.agents.list(userId)
  return agents.findLast((agent) => agent.clientId === client.id && agent.status === 'connected')
}

async function isFrozen(tx: Tx, userId: string, agentId: string | undefined): Promise<boolean> {
  const ids = [freezeIdOf('user', userId), freezeIdOf('platform', '*')]
  if (agentId !== undefined) ids.push(freezeIdOf('agent', agentId))
  return (await tx.freezes.matching(ids)).length > 0
}

function newAgent(id: string, { userId, client }: ConnectClient, nowMs: number): AgentRow {
  return {
    id,
    userId,
    lineageId: id,
    name: client.name,
    publicJwk: '',
    keyThumbprint: '',
    clientId: client.id,
    clientHost: client.host,
    deployments: '[]',
    status: 'connected',
    createdAtMs: nowMs,
  }
}
