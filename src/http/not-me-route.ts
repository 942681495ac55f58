import { z } from 'zod'
import type { Broker } from '../broker/broker.ts'
import type { CancelInFlight } from '../broker/cancel-in-flight.ts'
import { reportNotMe } from '../broker/report-not-me.ts'
import { cancelReportShape, revocationShape } from './consent-shapes.ts'
import { pathId, timeMs } from './path-id.ts'
import { problem } from './problem.ts'
import { type Route, route } from './route.ts'

/** *This was not me*: open to the user alone, never to an agent. */
export function notMeRoute(broker: Broker, cancel: CancelInFlight): Route {
  return route({
    method: 'post',
    path: '/v1/actions/{id}/not-me',
    callers: ['user'],
    tag: 'Actions',
    summary: 'Say of an action that it was not you',
    description:
      'Pauses its agent with all its grants, ends its tokens, cancels what it has under way where the skill allows it, and opens an incident that an operator looks at. `next` says what happens, in order. Said again, it changes nothing.',
    params: pathId,
    responses: {
      200: {
        description: 'What was stopped, and what happens next.',
        shape: z.strictObject({
          incidentId: z.string(),
          agentId: z.string(),
          pausedGrants: z.array(z.string()),
          unsettled: revocationShape.shape.revocation.shape.unsettled,
          cancelled: z.array(cancelReportShape),
          undoUntilMs: timeMs.nullable(),
          next: z.array(z.enum(['agent_paused', 'in_flight_cancelled', 'undo_possible', 'operator_looks'])),
        }),
      },
    },
    problems: ['not_found'],
    async handle({ caller, params }) {
      const done = await reportNotMe(broker, { userId: caller.userId, actionId: params.id }, cancel)
      if (done.kind === 'not_found') return problem('not_found')
      const { kind: _, isNew: __, ...body } = done
      return { status: 200, body }
    },
  })
}
