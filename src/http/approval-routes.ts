import { z } from 'zod'
import { agentQuestion } from '../broker/agent-question.ts'
import {
  type ApprovalAnswered,
  approveAction,
  approveActionShape,
  refuseAction,
} from '../broker/answer-approval.ts'
import type { Broker } from '../broker/broker.ts'
import type { HeldQuestions } from '../broker/held-questions.ts'
import { listApprovals, showApproval } from '../broker/show-approval.ts'
import { approvalNeedsStepUp } from '../broker/step-up-facts.ts'
import type { Answer } from './answer.ts'
import { shownShape } from './consent-shapes.ts'
import { pageAnswer, pageOf, pageQuery, pageShape } from './cursor.ts'
import { pathId, timeMs } from './path-id.ts'
import { problem } from './problem.ts'
import { type Route, route } from './route.ts'
import { waitQuery, withinMsOf } from './wait-query.ts'

const STORED = ['waiting', 'approved', 'refused', 'used', 'withdrawn'] as const

const summaryShape = z.strictObject({
  approvalId: z.string(),
  actionId: z.string(),
  agentId: z.string(),
  skill: z.string(),
  action: z.string(),
  questions: z.array(z.string()),
  state: z.enum([...STORED, 'expired']),
  createdAtMs: timeMs,
  expiresAtMs: timeMs,
  decidedAtMs: timeMs.nullable(),
})
const viewShape = summaryShape.extend({
  /** Arguments, amount and recipients in full; null when it can only be refused. */
  shown: shownShape.nullable(),
})
/** What the agent that asked may know. */
const stateShape = z.strictObject({
  approvalId: z.string(),
  state: z.enum([...STORED, 'expired']),
  expiresAtMs: timeMs,
})
const answeredShape = z.strictObject({ approvalId: z.string(), state: z.enum(['approved', 'refused']) })

/** No GET approves anything, and no agent can be the one who approves (P8). */
export function approvalRoutes(broker: Broker, held: HeldQuestions): Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/approvals',
      callers: ['user'],
      tag: 'Approvals',
      summary: 'List the questions about single actions, newest first',
      query: z.strictObject({ ...pageQuery, status: z.enum(STORED).optional() }),
      responses: { 200: { description: 'A page of approvals.', shape: pageShape(summaryShape) } },
      problems: ['invalid_cursor'],
      async handle({ caller, query }) {
        const page = pageOf(query)
        const rows = await listApprovals(broker, {
          userId: caller.userId,
          status: query.status ?? null,
          page: { ...page, limit: page.limit + 1 },
        })
        const place = (row: (typeof rows)[number]) => ({ atMs: row.createdAtMs, id: row.approvalId })
        return { status: 200, body: pageAnswer(rows, page.limit, place, (row) => row) }
      },
    }),
    route({
      method: 'get',
      path: '/v1/approvals/{id}',
      callers: ['agent', 'user'],
      tag: 'Approvals',
      summary: 'Show what exactly would happen',
      description:
        'Its user sees it in full, in both languages; the agent that waits sees how it stands, and may wait for the answer.',
      params: pathId,
      query: waitQuery,
      responses: { 200: { description: 'The question.', shape: z.union([viewShape, stateShape]) } },
      problems: ['not_found'],
      async handle({ caller, params, query }) {
        if (caller.kind === 'agent') {
          const asking = { userId: caller.userId, agentId: caller.agentId, id: params.id }
          await held.wait({ ...asking, withinMs: withinMsOf(query) })
          const question = await agentQuestion(broker, asking)
          if (question?.kind !== 'approval') return problem('not_found')
          const { state, expiresAtMs } = question
          return { status: 200, body: { approvalId: params.id, state, expiresAtMs } }
        }
        const found = await showApproval(broker, { userId: caller.userId, approvalId: params.id })
        return found.kind === 'found' ? { status: 200, body: found.approval } : problem('not_found')
      },
    }),
    route({
      method: 'post',
      path: '/v1/approvals/{id}/approve',
      callers: ['user'],
      tag: 'Approvals',
      summary: 'Say yes to this one action, once',
      description: 'It executes nothing: the agent repeats its call, and the whole decision is made anew.',
      params: pathId,
      body: approveActionShape,
      responses: { 200: { description: 'The answer.', shape: answeredShape } },
      problems: ['not_found', 'question_expired', 'already_answered', 'cannot_be_shown', 'shown_differs'],
      needsStepUp: ({ caller, params }) =>
        approvalNeedsStepUp(broker, { userId: caller.userId, approvalId: params.id }),
      async handle({ caller, params, body }) {
        const { userId } = caller
        return answered(await approveAction(broker, { ...body, userId, approvalId: params.id }))
      },
    }),
    route({
      method: 'post',
      path: '/v1/approvals/{id}/refuse',
      callers: ['user'],
      tag: 'Approvals',
      summary: 'Say no to this one action',
      params: pathId,
      responses: { 200: { description: 'The answer.', shape: answeredShape } },
      problems: ['not_found', 'question_expired', 'already_answered', 'cannot_be_shown', 'shown_differs'],
      async handle({ caller, params }) {
        return answered(await refuseAction(broker, { userId: caller.userId, approvalId: params.id }))
      },
    }),
  ]
}

function answered(outcome: ApprovalAnswered): Answer {
  switch (outcome.kind) {
    case 'approved':
    case 'refused':
      return { status: 200, body: { approvalId: outcome.approval.id, state: outcome.kind } }
    case 'expired':
      return problem('question_expired')
    case 'already_answered':
      return problem('already_answered', { members: { state: outcome.state } })
    default:
      return problem(outcome.kind)
  }
}
