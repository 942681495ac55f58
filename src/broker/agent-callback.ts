import { z } from 'zod'
import type { AgentCallbackRow } from '../ports/revocation-rows.ts'
import type { Broker } from './broker.ts'
import { sealerFor } from './leaf-sealer.ts'

export const agentCallbackShape = z.strictObject({ url: z.string().min(1).max(300).nullable() })

type WhichAgent = { readonly userId: string; readonly agentId: string }

export type CallbackSet =
  | { readonly kind: 'set'; readonly url: string | null }
  | { readonly kind: 'agent_not_connected' }
  | { readonly kind: 'callback_refused'; readonly message: string }

/**
 * Where an agent wants to be told of its authority; null for nowhere. Its own to say: only events about itself are ever
 * sent there. What the address resolves to is looked at before each request, not here.
 */
export async function setAgentCallback(
  broker: Broker,
  { userId, agentId, url }: WhichAgent & { readonly url: string | null },
): Promise<CallbackSet> {
  const fault = url === null ? undefined : callbackFault(url, broker.settings.developmentEndpoints)
  if (fault !== undefined) return { kind: 'callback_refused', message: fault }
  const seal = await sealerFor(broker, { userId, skillId: '' })
  return broker.store.transaction<CallbackSet>(
    async (tx) => {
      const agent = await tx.agents.find(agentId)
      if (agent?.userId !== userId || agent.status !== 'connected') return { kind: 'agent_not_connected' }
      const before = (await tx.agentCallbacks.find(agentId))?.url ?? null
      const now = url === null ? null : new URL(url).href
      if (before === now) return { kind: 'set', url: now }
      if (now === null) await tx.agentCallbacks.remove(agentId, userId)
      else await tx.agentCallbacks.save({ agentId, userId, url: now, setAtMs: tx.nowMs })
      const outcome = now === null ? 'callback_removed' : 'callback_set'
      const subj = { user: userId, agent: agentId }
      const leaf = seal({ type: 'agent', outcome, reason: 'by_agent', subj, body: { url: now } }, tx.nowMs)
      await tx.log.append(leaf, tx.nowMs)
      return { kind: 'set', url: now }
    },
    { userId },
  )
}

export function findAgentCallback(
  broker: Pick<Broker, 'store'>,
  { userId, agentId }: WhichAgent,
): Promise<AgentCallbackRow | undefined> {
  return broker.store.read(async (tx) => {
    const row = await tx.agentCallbacks.find(agentId)
    return row?.userId === userId ? row : undefined
  })
}

function callbackFault(text: string, developmentEndpoints: readonly string[]): string | undefined {
  if (!URL.canParse(text)) return 'must be a URL such as https://agent.example/countersign'
  const { protocol, username, password, hash, origin } = new URL(text)
  if (username !== '' || password !== '') return 'must hold no user name or password'
  if (hash !== '') return 'must have no fragment'
  if (protocol === 'https:' || developmentEndpoints.includes(origin)) return undefined
  return 'must be https'
}
