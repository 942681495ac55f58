import { z } from 'zod'
import type { Broker } from '../broker/broker.ts'
import { listAsking } from '../broker/list-asking.ts'
import { type Route, route } from './route.ts'

const DAY_MS = 86_400_000
const count = z.int().min(0)

/** Who puts questions before people, and what becomes of them. */
export function operatorAskingRoute(broker: Broker): Route {
  return route({
    callers: ['operator'],
    tag: 'Operators',
    method: 'get',
    path: '/v1/operator/asking',
    summary: 'List who asks people, and how often in vain',
    description:
      'By agent and skill, those with the most refused or unanswered questions first. `advice` is `freeze_agent` where half of five or more questions were refused: freeze the agent and look at what it does. It is `tell_publisher` where half came to nothing: its user does not need what is asked, so tell the publisher of the skill or of the program. No user is named; the look is a leaf.',
    query: z.strictObject({ days: z.enum(['1', '7', '30', '90']).optional() }),
    responses: {
      200: {
        description: 'At most 200, the worst first.',
        shape: z.strictObject({
          items: z.array(
            z.strictObject({
              agentId: z.string(),
              skill: z.string(),
              prompts: count,
              approved: count,
              refused: count,
              expired: count,
              advice: z.enum(['freeze_agent', 'tell_publisher', 'none']),
            }),
          ),
        }),
      },
    },
    problems: [],
    async handle({ caller, query }) {
      const sinceMs = broker.store.now().nowMs - Number(query.days ?? '7') * DAY_MS
      return { status: 200, body: await listAsking(broker, { operatorId: caller.operatorId, sinceMs }) }
    },
  })
}
