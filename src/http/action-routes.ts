import { z } from 'zod'
import { askAfterRefusal } from '../broker/ask-after-refusal.ts'
import { previewDecision } from '../broker/authorize-action.ts'
import type { Broker } from '../broker/broker.ts'
import { listActions, showAction } from '../broker/list-actions.ts'
import { promisesOf } from '../broker/log-promise.ts'
import { performAction } from '../broker/perform-action.ts'
import type { CheckpointPublisher } from '../broker/publish-checkpoint.ts'
import { receiptFor } from '../broker/receipt.ts'
import { undoAction } from '../broker/undo-action.ts'
import { receiptShape } from '../core/execution/receipt.ts'
import type { JsonValue } from '../core/json-value.ts'
import { ACTION_NAME, SKILL_ID } from '../core/manifest/manifest.ts'
import { ACTION_STATUSES } from '../ports/rows.ts'
import {
  actionShape,
  answerPerformed,
  answerPreview,
  outcomeShape,
  pendingShape,
  presentAction,
  presentOutcome,
  previewShape,
} from './action-answer.ts'
import { pageAnswer, pageOf, pageQuery, pageShape } from './cursor.ts'
import { pathId } from './path-id.ts'
import { InvalidRequest, problem } from './problem.ts'
import { REFUSAL_PROBLEMS } from './refusal-problems.ts'
import { type RequestFacts, type Route, route } from './route.ts'

/** Visible ASCII without space: a list of two headers is joined by ", " and so is none. */
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{8,200}$/

/** What an agent sends. */
export const actionRequestShape = z.strictObject({
  skill: z.string().max(64).regex(SKILL_ID),
  action: z.string().regex(ACTION_NAME),
  /** As the action's input schema in the manifest has it. */
  arguments: z
    .custom<JsonValue>((value) => value !== undefined)
    .meta({ type: 'object', description: "As the action's input schema in the manifest has it." }),
  /** Id of the registered model deployment the agent runs on; left out by an agent that has registered none. */
  deployment: z.string().min(1).max(64).optional(),
  /** The model's name as it was asked for and as the endpoint returned it; kept with the decision. */
  model: z
    .strictObject({ requested: z.string().min(1).max(120), returned: z.string().min(1).max(120) })
    .optional(),
  /** Decides without holding, logging or doing anything. */
  dryRun: z.boolean().optional(),
})

const REFUSAL_CODES = Object.keys(REFUSAL_PROBLEMS) as (keyof typeof REFUSAL_PROBLEMS)[]

export function actionRoutes(broker: Broker, publisher: Pick<CheckpointPublisher, 'newest'>): Route[] {
  return [
    route({
      method: 'post',
      path: '/v1/actions',
      callers: ['agent'],
      isDecided: true,
      tag: 'Actions',
      summary: 'Ask for an action',
      description:
        'Decides against the signed manifest and the consent of the user, holds the money, logs, calls the skill and settles. A client that hangs up stops nothing that was sent.',
      headers: [
        {
          name: 'Idempotency-Key',
          required: false,
          description:
            'Required unless dryRun is true: 8 to 200 visible ASCII characters. One key, at most one execution.',
        },
      ],
      body: actionRequestShape,
      responses: {
        200: {
          description: 'What became of it, or what a dry run found.',
          shape: z.union([outcomeShape, previewShape]),
        },
        202: { description: 'The user is asked, or the outcome is in doubt.', shape: pendingShape },
      },
      problems: [
        'idempotency_key_required',
        'idempotency_key_invalid',
        'invalid_arguments',
        'idempotency_conflict',
        'idempotency_in_flight',
        'log_behind',
        ...REFUSAL_CODES,
      ],
      async handle({ caller, body, request }) {
        const asked = {
          userId: caller.userId,
          agentId: caller.agentId,
          sessionId: caller.sessionId,
          skill: body.skill,
          action: body.action,
          arguments: body.arguments,
          deploymentId: body.deployment ?? '',
          ...(body.model ? { model: body.model } : {}),
        }
        if (body.dryRun === true) return counted(broker, answerPreview(await previewDecision(broker, asked)))
        const performed = await performAction(broker, { ...asked, idempotencyKey: idempotencyKeyOf(request) })
        const consent =
          performed.kind === 'denied' ? await askAfterRefusal(broker, caller, performed) : undefined
        const { issuer } = broker.settings
        return counted(broker, answerPerformed(performed, { issuer, consent }))
      },
    }),
    route({
      method: 'get',
      path: '/v1/actions',
      callers: ['agent', 'user'],
      tag: 'Actions',
      summary: 'List actions, newest first',
      description: 'A user sees all of theirs, an agent what it asked for itself.',
      query: z.strictObject({
        ...pageQuery,
        skill: z.string().max(64).optional(),
        agent: z.string().max(64).optional(),
        status: z.enum(ACTION_STATUSES).optional(),
      }),
      responses: { 200: { description: 'A page of actions.', shape: pageShape(actionShape) } },
      problems: ['invalid_cursor'],
      async handle({ caller, query }) {
        const page = pageOf(query)
        const rows = await listActions(broker, {
          owner: caller,
          filter: {
            agentId: query.agent ?? null,
            skillId: query.skill ?? null,
            status: query.status ?? null,
          },
          page: { ...page, limit: page.limit + 1 },
        })
        const place = (row: (typeof rows)[number]) => ({ atMs: row.decidedAtMs, id: row.id })
        return { status: 200, body: pageAnswer(rows, page.limit, place, presentAction) }
      },
    }),
    route({
      method: 'get',
      path: '/v1/actions/{id}',
      callers: ['agent', 'user'],
      tag: 'Actions',
      summary: 'Show an action and what became of it',
      params: pathId,
      responses: { 200: { description: 'The action.', shape: outcomeShape } },
      problems: ['not_found'],
      async handle({ caller, params }) {
        const view = await showAction(broker, { owner: caller, actionId: params.id })
        if (!view) return problem('not_found')
        return { status: 200, body: presentOutcome(view, await promisesOf(broker, view.row)) }
      },
    }),
    route({
      method: 'post',
      path: '/v1/actions/{id}/undo',
      callers: ['user'],
      tag: 'Actions',
      summary: 'Ask the skill to undo what it did',
      description:
        'Where its manifest names an undo, and within the time it gives. Works after the agent lost its authority. What was spent stays counted.',
      params: pathId,
      responses: {
        200: {
          description: 'What the skill said of it.',
          shape: z.strictObject({ actionId: z.string(), outcome: z.enum(['undone', 'refused', 'unclear']) }),
        },
      },
      problems: ['not_found', 'not_undoable', 'already_undone', 'undo_under_way', 'frozen'],
      async handle({ caller, params }) {
        const undoing = await undoAction(broker, { userId: caller.userId, actionId: params.id })
        return undoing.kind === 'asked'
          ? { status: 200, body: { actionId: undoing.row.id, outcome: undoing.outcome } }
          : problem(undoing.kind)
      },
    }),
    route({
      method: 'get',
      path: '/v1/actions/{id}/receipt',
      callers: ['agent', 'user', 'operator'],
      tag: 'Actions',
      summary: 'Get the signed receipt of an action',
      description:
        'Our signed statement, the leaves behind it with their inclusion proofs, and a checkpoint.',
      params: pathId,
      responses: { 200: { description: 'The receipt; it verifies offline.', shape: receiptShape } },
      problems: ['not_found', 'only_counted', 'receipt_not_yet'],
      async handle({ caller, params }) {
        const outcome = await receiptFor(broker, publisher, params.id, caller)
        switch (outcome.kind) {
          case 'receipt':
            return { status: 200, body: outcome.receipt }
          case 'not_yet':
            return problem('receipt_not_yet', { headers: { 'retry-after': '1' } })
          case 'not_found':
          case 'only_counted':
            return problem(outcome.kind)
        }
      },
    }),
  ]
}

/** @throws InvalidRequest `idempotency_key_required` where there is none, `_invalid` where it has another form. */
export function idempotencyKeyOf(request: Pick<RequestFacts, 'header'>): string {
  const key = request.header('idempotency-key')
  if (key === undefined) throw new InvalidRequest('idempotency_key_required')
  if (!IDEMPOTENCY_KEY.test(key)) throw new InvalidRequest('idempotency_key_invalid')
  return key
}

/** Bad input is not decided, so nothing but a count is written of it. */
function counted<Told extends { status: number }>(broker: Broker, answer: Told): Told {
  if (answer.status === 422) broker.recentRefusals.count('bad_request:invalid_arguments')
  return answer
}
