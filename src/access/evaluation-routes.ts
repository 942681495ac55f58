import { z } from 'zod'
import type { Broker } from '../broker/broker.ts'
import { evaluateAccess } from '../broker/evaluate-access.ts'
import { plainJson } from '../core/manifest/manifest-change.ts'
import { InvalidRequest } from '../http/problem.ts'
import { type Route, route } from '../http/route.ts'
import { shapeFaults } from '../http/shape-faults.ts'
import { decideBatch, questionOf } from './batch.ts'
import { findPoint } from './find-point.ts'
import { presentEvaluation } from './present-evaluation.ts'
import { decisionShape, evaluationShape, evaluationsShape } from './question-shapes.ts'

export const common = { callers: ['enforcement_point'], tag: 'Access (AuthZEN)', isAuthzen: true } as const

const batchAnswerShape = z.strictObject({ evaluations: z.array(z.strictObject({ decision: z.boolean() })) })

/** Access Evaluation and Access Evaluations of AuthZEN 1.0. */
export function evaluationRoutes(broker: Broker): Route[] {
  return [
    route({
      ...common,
      method: 'post',
      path: '/access/v1/evaluation',
      summary: 'Ask whether an action is permitted, using up nothing',
      description:
        'AuthZEN 1.0 Access Evaluation. The subject is a user (or an agent), the action one of the skill that is the resource. True only where the permit uses up nothing; where money, a count, a yes or a one-time grant is wanted, false with the reason reserve_required: POST /access/v1/reservations. The answer is in the log.',
      body: evaluationShape,
      responses: { 200: { description: 'The decision.', shape: decisionShape } },
      problems: ['log_behind'],
      async handle({ caller, body }) {
        const point = await findPoint(broker, caller)
        return { status: 200, body: presentEvaluation(await evaluateAccess(broker, point, body)) }
      },
    }),
    route({
      ...common,
      method: 'post',
      path: '/access/v1/evaluations',
      summary: 'Ask about several actions at once',
      description:
        'AuthZEN 1.0 Access Evaluations. What an item leaves out is taken from the top level, entity by entity; an item that is no question is answered false. Nothing but the decisions is answered. Without items it is a single evaluation.',
      body: evaluationsShape,
      responses: {
        200: {
          description: 'The decisions in order, up to the one that ended it.',
          shape: z.union([batchAnswerShape, decisionShape]),
        },
      },
      problems: ['log_behind'],
      async handle({ caller, body }) {
        const point = await findPoint(broker, caller)
        const { evaluations = [], options } = body
        if (evaluations.length === 0) {
          const single = evaluationShape.safeParse(body)
          if (!single.success) {
            throw new InvalidRequest('invalid_request', {
              faults: shapeFaults(single.error, plainJson(body)),
            })
          }
          return { status: 200, body: presentEvaluation(await evaluateAccess(broker, point, single.data)) }
        }
        const questions = evaluations.map((item) => questionOf(body, item))
        const decisions = await decideBatch(
          questions,
          options?.evaluations_semantic ?? 'execute_all',
          async (question) =>
            question !== undefined && (await evaluateAccess(broker, point, question)).decision,
        )
        return { status: 200, body: { evaluations: decisions.map((decision) => ({ decision })) } }
      },
    }),
  ]
}
