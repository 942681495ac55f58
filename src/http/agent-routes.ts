import { z } from 'zod'
import type { Broker } from '../broker/broker.ts'
import type { CancelInFlight } from '../broker/cancel-in-flight.ts'
import { disconnectAgent } from '../broker/disconnect-agent.ts'
import { agentView, listAgents } from '../broker/list-agents.ts'
import { pauseAgent, resumeAgent } from '../broker/pause-agent.ts'
import { registerAgent, registerAgentShape } from '../broker/register-agent.ts'
import { setDeployments, setDeploymentsShape } from '../broker/set-deployments.ts'
import { deploymentShape } from '../core/model/deployment.ts'
import { revocationShape } from './consent-shapes.ts'
import { pathId, timeMs } from './path-id.ts'
import { problem } from './problem.ts'
import { type Route, route } from './route.ts'

export const deploymentsShape = z.array(z.strictObject({ id: z.string(), deployment: deploymentShape }))
const agentShape = z.strictObject({
  agentId: z.string(),
  lineageId: z.string(),
  name: z.string(),
  keyThumbprint: z.string().nullable(),
  /** The OAuth client it connected as: its name is only claimed, its host is where answers go. */
  client: z.strictObject({ id: z.string(), host: z.string() }).nullable(),
  deployments: deploymentsShape,
  status: z.enum(['connected', 'paused', 'disconnected']),
  createdAtMs: timeMs,
})

export function agentRoutes(broker: Broker, cancel: CancelInFlight): Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/agents',
      callers: ['user'],
      tag: 'Agents',
      summary: 'List every agent that was ever connected',
      responses: {
        200: { description: 'All agents.', shape: z.strictObject({ items: z.array(agentShape) }) },
      },
      problems: [],
      async handle({ caller }) {
        return { status: 200, body: { items: await listAgents(broker, { userId: caller.userId }) } }
      },
    }),
    route({
      method: 'post',
      path: '/v1/agents',
      callers: ['user'],
      tag: 'Agents',
      summary: 'Connect an agent',
      description: 'An agent with a known key goes on in that line, so that no counter starts anew.',
      body: registerAgentShape,
      responses: {
        201: {
          description: 'The agent, and what was revoked of the one it takes the place of.',
          shape: z.strictObject({
            agent: agentShape,
            replaced: revocationShape.shape.revocation.nullable(),
          }),
        },
      },
      problems: ['not_found', 'lineage_conflict', 'too_many_agents', 'erasure_pending'],
      async handle({ caller, body }) {
        const registered = await registerAgent(broker, { ...body, userId: caller.userId })
        if (registered.kind !== 'registered') return problem(registered.kind)
        return {
          status: 201,
          body: { agent: agentView(registered.agent), replaced: registered.replaced },
        }
      },
    }),
    route({
      method: 'put',
      path: '/v1/agents/{id}/deployments',
      callers: ['user'],
      tag: 'Agents',
      summary: 'Set the models an agent may say it runs on',
      params: pathId,
      body: setDeploymentsShape,
      responses: {
        200: { description: 'The deployments.', shape: z.strictObject({ deployments: deploymentsShape }) },
      },
      problems: ['not_found', 'agent_not_connected'],
      async handle({ caller, params, body }) {
        const set = await setDeployments(broker, { ...body, userId: caller.userId, agentId: params.id })
        return set.kind === 'set'
          ? { status: 200, body: { deployments: set.deployments } }
          : problem(set.kind)
      },
    }),
    route({
      method: 'post',
      path: '/v1/agents/{id}/pause',
      callers: ['user'],
      tag: 'Agents',
      summary: 'Stop an agent until it is resumed',
      description:
        'Its active grants are paused, its tokens end, and its open questions are withdrawn. What it has in flight goes on.',
      params: pathId,
      responses: {
        200: {
          description: 'The grants that were paused.',
          shape: z.strictObject({ agentId: z.string(), grants: z.array(z.string()) }),
        },
      },
      problems: ['not_found', 'agent_not_connected'],
      async handle({ caller, params }) {
        const done = await pauseAgent(broker, { userId: caller.userId, agentId: params.id })
        if (done.kind !== 'paused') return problem(done.kind)
        return { status: 200, body: { agentId: params.id, grants: done.grants } }
      },
    }),
    route({
      method: 'post',
      path: '/v1/agents/{id}/resume',
      callers: ['user'],
      tag: 'Agents',
      summary: 'Let a paused agent connect again',
      description: 'Its grants stay paused, each until it is resumed.',
      params: pathId,
      responses: { 200: { description: 'The agent.', shape: agentShape } },
      problems: ['not_found', 'agent_not_connected', 'erasure_pending'],
      async handle({ caller, params }) {
        const done = await resumeAgent(broker, { userId: caller.userId, agentId: params.id })
        return done.kind === 'resumed' ? { status: 200, body: agentView(done.agent) } : problem(done.kind)
      },
    }),
    route({
      method: 'post',
      path: '/v1/agents/{id}/disconnect',
      callers: ['user'],
      tag: 'Agents',
      summary: 'Disconnect an agent and revoke all that was given to it',
      params: pathId,
      responses: { 200: { description: 'What was revoked.', shape: revocationShape } },
      problems: ['not_found'],
      async handle({ caller, params }) {
        const done = await disconnectAgent(broker, { userId: caller.userId, agentId: params.id }, cancel)
        if (done.kind === 'not_found') return problem('not_found')
        const { revocationId, revocation, cancelled } = done
        return { status: 200, body: { revocationId, revocation, cancelled } }
      },
    }),
  ]
}
