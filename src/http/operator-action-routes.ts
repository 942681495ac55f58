import { z } from 'zod'
import type { Broker } from '../broker/broker.ts'
import { type InDoubt, listInDoubt } from '../broker/list-in-doubt.ts'
import { lookAtAction, searchActions } from '../broker/search-actions.ts'
import { settleByOperator } from '../broker/settle-by-operator.ts'
import { ACTION_STATUSES, type ActionRow } from '../ports/rows.ts'
import { actionShape, presentAction } from './action-answer.ts'
import { pageAnswer, pageOf, pageQuery, pageShape } from './cursor.ts'
import { actOf, reason, reasonBody } from './operator-reason.ts'
import { pathId, timeMs } from './path-id.ts'
import { problem } from './problem.ts'
import { type Route, route } from './route.ts'

const common = { callers: ['operator'], tag: 'Operators: actions' } as const

const timeText = z
  .string()
  .regex(/^(0|[1-9]\d{0,15})$/)
  .optional()
const name = z.string().max(64).optional()

const operatorActionShape = actionShape.extend({ userId: z.string(), grantId: z.string().nullable() })
const inDoubtShape = z.strictObject({
  actionId: z.string(),
  userId: z.string(),
  agentId: z.string(),
  skill: z.string(),
  action: z.string(),
  status: z.string(),
  currency: z.string().nullable(),
  heldMinor: z.int(),
  decidedAtMs: timeMs,
  /** How long its end has been unknown, in milliseconds. */
  forMs: z.int(),
})
const openedShape = z.looseObject({})
const lookShape = z.strictObject({
  action: operatorActionShape,
  decision: openedShape,
  outcome: openedShape,
})

/** Finding and settling actions. Every search is a leaf before it is answered. */
export function operatorActionRoutes(broker: Broker): Route[] {
  return [
    route({
      ...common,
      method: 'get',
      path: '/v1/operator/actions',
      summary: 'Search actions, newest first',
      description: 'Who did what and when is personal data: each search is logged under your name.',
      query: z.strictObject({
        ...pageQuery,
        user: name,
        agent: name,
        skill: name,
        status: z.enum(ACTION_STATUSES).optional(),
        fromMs: timeText,
        toMs: timeText,
      }),
      responses: { 200: { description: 'A page of actions.', shape: pageShape(operatorActionShape) } },
      problems: ['invalid_cursor'],
      async handle({ caller, query }) {
        const page = pageOf(query)
        const rows = await searchActions(broker, {
          operatorId: caller.operatorId,
          search: {
            userId: query.user ?? null,
            agentId: query.agent ?? null,
            skillId: query.skill ?? null,
            status: query.status ?? null,
            fromMs: query.fromMs === undefined ? null : Number(query.fromMs),
            toMs: query.toMs === undefined ? null : Number(query.toMs),
          },
          page: { ...page, limit: page.limit + 1 },
        })
        const place = (row: ActionRow) => ({ atMs: row.decidedAtMs, id: row.id })
        return { status: 200, body: pageAnswer(rows, page.limit, place, presentForOperator) }
      },
    }),
    route({
      ...common,
      method: 'post',
      path: '/v1/operator/actions/{id}/look',
      summary: 'Open what was sealed about an action',
      description: 'Arguments, result and who: the look is logged with its reason before anything is opened.',
      params: pathId,
      body: reasonBody,
      responses: { 200: { description: 'What can still be opened.', shape: lookShape } },
      problems: ['not_found'],
      async handle({ caller, params, body }) {
        const done = await lookAtAction(broker, { ...actOf(caller, body.reason), actionId: params.id })
        if (done.kind === 'reason_refused') return problem(done.kind, { detail: done.message })
        if (done.kind === 'action_unknown') return problem('not_found')
        const { row, decision, outcome } = done
        return { status: 200, body: { action: presentForOperator(row), decision, outcome } }
      },
    }),
    route({
      ...common,
      method: 'get',
      path: '/v1/operator/in-doubt',
      summary: 'List what was permitted and is not settled, oldest first',
      responses: {
        200: { description: 'All of it.', shape: z.strictObject({ items: z.array(inDoubtShape) }) },
      },
      problems: [],
      async handle({ caller }) {
        const rows = await listInDoubt(broker, caller.operatorId)
        return { status: 200, body: { items: rows.map(presentInDoubt) } }
      },
    }),
    route({
      ...common,
      method: 'post',
      path: '/v1/operator/actions/{id}/settle',
      summary: 'Settle by hand what is in doubt',
      description: 'Only what is in doubt, and only once; neither the agent nor a timer can do it.',
      params: pathId,
      body: z.strictObject({
        outcome: z.discriminatedUnion('kind', [
          z.strictObject({
            kind: z.literal('captured'),
            /** Taken, in minor units; null for all that was reserved. */
            amountMinor: z.int().min(0).nullable(),
          }),
          z.strictObject({ kind: z.literal('released') }),
        ]),
        reason,
      }),
      responses: { 200: { description: 'The action as it is now.', shape: operatorActionShape } },
      problems: ['not_found', 'not_in_doubt'],
      async handle({ caller, params, body }) {
        const act = actOf(caller, body.reason)
        const done = await settleByOperator(broker, { ...act, actionId: params.id, outcome: body.outcome })
        switch (done.kind) {
          case 'settled':
            return { status: 200, body: presentForOperator(done.row) }
          case 'not_in_doubt':
            return problem('not_in_doubt', { members: { actionStatus: done.row.status } })
          case 'reason_refused':
            return problem('reason_refused', { detail: done.message })
          case 'not_found':
            return problem('not_found')
        }
      },
    }),
  ]
}

function presentForOperator(row: ActionRow): z.input<typeof operatorActionShape> {
  return { ...presentAction(row), reason: row.reason, userId: row.userId, grantId: row.grantId }
}

function presentInDoubt({ id: actionId, skillId: skill, ...row }: InDoubt): z.input<typeof inDoubtShape> {
  return { actionId, skill, ...row }
}
