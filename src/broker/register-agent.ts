import { z } from 'zod'
import { plainJson } from '../core/manifest/manifest-change.ts'
import { parsePublicJwk, thumbprintOf } from '../core/manifest/public-key.ts'
import type { AgentRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import { deploymentsOf, deploymentsShape, storedDeployments } from './agent-deployments.ts'
import type { Broker } from './broker.ts'
import { disconnectInTx } from './disconnect-agent.ts'
import { erasureStands } from './erasure-stands.ts'
import { type LeafSealer, sealerFor } from './leaf-sealer.ts'
import { findOwnAgent } from './own-rows.ts'
import { plainText } from './plain-text.ts'
import type { Revocation } from './revoke-in-scope.ts'

/** Agents one user may have, so that no list of them grows without end. */
export const AGENTS_MOST = 200

const publicKeyShape = z.unknown().transform((value, ctx) => {
  const parsed = parsePublicJwk(value)
  if (parsed.ok) return parsed.jwk
  ctx.addIssue({ code: 'custom', message: `${parsed.fault.code}: ${parsed.fault.message}` })
  return z.NEVER
})

export const registerAgentShape = z.strictObject({
  name: plainText(80),
  /** Ed25519 or P-256, the public half only. */
  publicJwk: publicKeyShape,
  deployments: deploymentsShape,
  /** An agent of the same user that this one takes the place of. */
  replaces: z.string().max(64).optional(),
})

export type RegisterAgent = z.infer<typeof registerAgentShape> & { userId: string }

export type AgentRegistration =
  | { kind: 'registered'; agent: AgentRow; replaced: Revocation | null }
  /** The agent to be replaced is not this user's. */
  | { kind: 'not_found' }
  /** The key belongs to one line of agents and the replaced agent to another: counters cannot be merged. */
  | { kind: 'lineage_conflict' }
  | { kind: 'too_many_agents' }
  | { kind: 'erasure_pending' }

/**
 * Connects an agent to its user. An agent with a known key, or one that takes another's place, goes on in that
 * line, so that no counter starts anew. A replaced agent is disconnected and its grants are revoked, not moved;
 * what it has in flight goes on and is listed.
 */
export async function registerAgent(broker: Broker, input: RegisterAgent): Promise<AgentRegistration> {
  const seal = await sealerFor(broker, { userId: input.userId, skillId: '' })
  return broker.store.transaction(async (tx) => {
    if (await erasureStands(tx, input.userId)) return { kind: 'erasure_pending' }
    const line = await lineOf(tx, input)
    if (line.kind !== 'line') return line
    if ((await tx.agents.list(input.userId)).length >= AGENTS_MOST) return { kind: 'too_many_agents' }

    const agent = agentRow(broker.newId('agent'), input, line.lineageId, tx.nowMs)
    await tx.agents.insert(agent)
    await tx.log.append(registrationLeaf(seal, agent, input.replaces ?? null, tx.nowMs), tx.nowMs)
    const done = line.replaces ? await disconnectInTx(broker, tx, seal, line.replaces) : null
    return { kind: 'registered', agent, replaced: done?.revocation ?? null }
  }, input)
}

type Line =
  | { kind: 'line'; lineageId: string | null; replaces: AgentRow | null }
  | { kind: 'not_found' }
  | { kind: 'lineage_conflict' }

async function lineOf(tx: Tx, input: RegisterAgent): Promise<Line> {
  const sameKey = await tx.agents.findByKey(input.userId, thumbprintOf(input.publicJwk))
  if (input.replaces === undefined)
    return { kind: 'line', lineageId: sameKey?.lineageId ?? null, replaces: null }
  const replaces = await findOwnAgent(tx, input.userId, input.replaces)
  if (!replaces) return { kind: 'not_found' }
  if (sameKey && sameKey.lineageId !== replaces.lineageId) return { kind: 'lineage_conflict' }
  return { kind: 'line', lineageId: replaces.lineageId, replaces }
}

function agentRow(id: string, input: RegisterAgent, lineageId: string | null, nowMs: number): AgentRow {
  return {
    id,
    userId: input.userId,
    lineageId: lineageId ?? id,
    name: input.name,
    publicJwk: JSON.stringify(input.publicJwk),
    keyThumbprint: thumbprintOf(input.publicJwk),
    clientId: null,
    clientHost: null,
    deployments: storedDeployments(input.deployments),
    status: 'connected',
    createdAtMs: nowMs,
  }
}

function registrationLeaf(seal: LeafSealer, agent: AgentRow, replaces: string | null, nowMs: number) {
  return seal(
    {
      type: 'agent',
      outcome: 'registered',
      reason: 'by_user',
      subj: { user: agent.userId, agent: agent.id, lineage: agent.lineageId, replaces },
      body: {
        name: agent.name,
        keyThumbprint: agent.keyThumbprint,
        deployments: plainJson(deploymentsOf(agent)),
      },
    },
    nowMs,
  )
}
