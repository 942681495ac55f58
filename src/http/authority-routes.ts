import { z } from 'zod'
import { agentAuthority } from '../broker/agent-authority.ts'
import { agentTools } from '../broker/agent-tools.ts'
import type { Broker } from '../broker/broker.ts'
import { claimDeployment } from '../broker/claim-deployment.ts'
import { setDeploymentsShape } from '../broker/set-deployments.ts'
import { deploymentsShape } from './agent-routes.ts'
import { budgetUsageShape } from './consent-shapes.ts'
import { timeMs } from './path-id.ts'
import { problem } from './problem.ts'
import { type Route, route } from './route.ts'

const agentGrantShape = z.strictObject({
  grantId: z.string(),
  skill: z.string(),
  state: z.string(),
  actions: z.array(z.strictObject({ action: z.string(), tool: z.string() })),
  oneTime: z.boolean(),
  expiresAtMs: timeMs,
  /** Null unless the user shares what is left. */
  budgets: z.array(budgetUsageShape).nullable(),
})

const toolShape = z.strictObject({
  tool: z.string(),
  skill: z.string(),
  action: z.string(),
  title: z.string(),
  description: z.string(),
  effects: z.array(z.string()),
  input: z.looseObject({}).meta({ description: 'JSON Schema of the arguments.' }),
  manifestDigest: z.string(),
  granted: z.boolean(),
})

/** What an agent may learn of its own authority, and what its program needs to give tools to a model. */
export function authorityRoutes(broker: Broker): Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/authority',
      callers: ['agent'],
      tag: 'Agents',
      summary: 'Show an agent what it may do',
      description: 'Its grants that have not ended; what is left of budgets where the user shares that.',
      responses: {
        200: {
          description: 'The grants, newest first.',
          shape: z.strictObject({ agentId: z.string(), grants: z.array(agentGrantShape) }),
        },
      },
      problems: [],
      async handle({ caller }) {
        return {
          status: 200,
          body: { agentId: caller.agentId, grants: await agentAuthority(broker, caller) },
        }
      },
    }),
    route({
      method: 'get',
      path: '/v1/tools',
      callers: ['agent'],
      tag: 'Agents',
      summary: 'List the actions an agent may give to its model as tools',
      description:
        'Those of the skills it has a grant for, and of the one named. Texts and schemas are of the signed manifests.',
      query: z.strictObject({ skill: z.string().max(64).optional() }),
      responses: { 200: { description: 'The tools.', shape: z.strictObject({ items: z.array(toolShape) }) } },
      problems: ['agent_not_connected'],
      async handle({ caller, query: { skill } }) {
        const { userId, agentId } = caller
        const items = await agentTools(broker, { userId, agentId, ...(skill === undefined ? {} : { skill }) })
        return items ? { status: 200, body: { items } } : problem('agent_not_connected')
      },
    }),
    route({
      method: 'post',
      path: '/v1/deployments/claim',
      callers: ['agent'],
      tag: 'Agents',
      summary: 'Say which models an agent runs on',
      description:
        'Once, where its user has registered none: it then has to name one of them with each action. Later changes are the user’s.',
      body: setDeploymentsShape,
      responses: {
        200: { description: 'What is registered.', shape: z.strictObject({ deployments: deploymentsShape }) },
      },
      problems: ['agent_not_connected', 'deployments_registered'],
      async handle({ caller: { userId, agentId }, body }) {
        const claimed = await claimDeployment(broker, { ...body, userId, agentId })
        return 'deployments' in claimed
          ? { status: 200, body: { deployments: claimed.deployments } }
          : problem(claimed.kind)
      },
    }),
  ]
}
