import { authorizeAction } from '../../src/broker/authorize-action.ts'
import type { Broker } from '../../src/broker/broker.ts'
import { actionRequestShape, idempotencyKeyOf } from '../../src/http/action-routes.ts'
import { problem } from '../../src/http/problem.ts'
import { type Route, route } from '../../src/http/route.ts'

export const DECISION_PATH = '/bench/decisions'

/**
 * The first half of an action and nothing after it: decided, reserved and logged, durably, before it is answered.
 * Only the benchmark has it, behind the same server, authentication and parsing as every other route.
 */
export function decisionRoute(broker: Broker): Route {
  return route({
    method: 'post',
    path: DECISION_PATH,
    callers: ['agent'],
    tag: 'Bench',
    summary: 'Decide and reserve',
    body: actionRequestShape,
    responses: { 201: { description: 'Permitted.' } },
    problems: [],
    async handle({ caller, body, request }) {
      const authorization = await authorizeAction(broker, {
        userId: caller.userId,
        agentId: caller.agentId,
        sessionId: caller.sessionId,
        skill: body.skill,
        action: body.action,
        arguments: body.arguments,
        deploymentId: body.deployment ?? '',
        idempotencyKey: idempotencyKeyOf(request),
      })
      if (authorization.kind !== 'permit') {
        return problem('decision_failed', { detail: `The benchmark expects permits: ${authorization.kind}.` })
      }
      const { id, leafHash } = authorization.permit.row
      return { status: 201, body: { actionId: id, leafHash: leafHash?.toString('base64url') ?? null } }
    },
  })
}
