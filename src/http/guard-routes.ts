import { z } from 'zod'
import type { AgentQuestion } from '../broker/agent-question.ts'
import { askAtGuard } from '../broker/ask-at-guard.ts'
import type { Broker } from '../broker/broker.ts'
import { consentRequestShape } from '../broker/consent-wish.ts'
import { permitGuarded } from '../broker/permit-guarded.ts'
import { answerPerformed, pendingShape } from './action-answer.ts'
import { actionRequestShape } from './action-routes.ts'
import { problem } from './problem.ts'
import { REFUSAL_PROBLEMS } from './refusal-problems.ts'
import { type Route, route } from './route.ts'

const REFUSAL_CODES = Object.keys(REFUSAL_PROBLEMS) as (keyof typeof REFUSAL_PROBLEMS)[]

const permittedShape = z.strictObject({
  actionId: z.string(),
  status: z.literal('permitted'),
  promises: z.array(z.string()),
})

/** For guards: processes beside a program that carries out by itself what is permitted, such as Qwen Code. */
export function guardRoutes(broker: Broker): Route[] {
  return [
    route({
      method: 'post',
      path: '/v1/guard/permits',
      callers: ['agent'],
      isDecided: true,
      tag: 'Actions',
      summary: 'Ask whether a program may do something by itself',
      description:
        'Of skills with the transport `guard` only. A permit is good for one run at once, counts, and is logged as permitted with its outcome not known; it is never told twice. After a yes the same request, asked again, is permitted once.',
      body: actionRequestShape.omit({ dryRun: true }).extend({
        /** What to ask the user for where they have allowed nothing of the skill yet. */
        wish: consentRequestShape.optional(),
      }),
      responses: {
        200: { description: 'It may, once.', shape: permittedShape },
        202: { description: 'The user is asked.', shape: pendingShape },
      },
      problems: ['invalid_arguments', 'idempotency_in_flight', 'log_behind', ...REFUSAL_CODES],
      async handle({ caller, body }) {
        const { userId, agentId, sessionId } = caller
        const { skill, action, deployment = '' } = body
        const asked = {
          userId,
          agentId,
          sessionId,
          skill,
          action,
          arguments: body.arguments,
          deploymentId: deployment,
        }
        const decided = await permitGuarded(broker, asked)
        switch (decided.kind) {
          case 'permitted':
            return {
              status: 200,
              body: { actionId: decided.row.id, status: 'permitted', promises: [...decided.promises] },
            }
          case 'contended':
            return problem('idempotency_in_flight', { headers: { 'retry-after': '1' } })
          default: {
            if (decided.kind === 'invalid') broker.recentRefusals.count('bad_request:invalid_arguments')
            const consent: AgentQuestion | undefined =
              decided.kind === 'denied' ? await askAtGuard(broker, caller, decided, body.wish) : undefined
            return answerPerformed(decided, { issuer: broker.settings.issuer, consent })
          }
        }
      },
    }),
  ]
}
