import { z } from 'zod'
import type { Broker } from '../broker/broker.ts'
import { cancelErasure } from '../broker/cancel-erasure.ts'
import { liftLegalHold, listLegalHolds, placeLegalHold } from '../broker/legal-hold.ts'
import { requestErasure, requestErasureShape } from '../broker/request-erasure.ts'
import { requestPartErasure, requestPartErasureShape } from '../broker/request-part-erasure.ts'
import { erasureView, listErasures, listPartErasures, showErasure } from '../broker/show-erasure.ts'
import {
  ERASURE_SCOPES,
  ERASURE_STEPS,
  ERASURE_WAITS,
  PART_ERASURE_STEPS,
} from '../core/erasure/erasure-steps.ts'
import { actOf, reasonBody } from './operator-reason.ts'
import { pathId, timeMs } from './path-id.ts'
import { problem } from './problem.ts'
import { type Route, route } from './route.ts'

const erasureShape = z.strictObject({
  erasureId: z.string(),
  scope: z.enum(ERASURE_SCOPES),
  /** The skill or agent; null for everything. */
  scopeId: z.string().nullable(),
  status: z.enum(['waiting', 'running', 'cancelled', 'done']),
  step: z.enum([...new Set([...ERASURE_STEPS, ...PART_ERASURE_STEPS])]).nullable(),
  waitsFor: z.enum(ERASURE_WAITS).nullable(),
  progress: z.strictObject({ total: z.int(), done: z.int() }),
  requestedAtMs: timeMs,
  dueAtMs: timeMs,
  endedAtMs: timeMs.nullable(),
})

/** Erasing everything about oneself, and what operators see of it. */
export function erasureRoutes(broker: Broker): Route[] {
  return [...ownRoutes(broker), ...partRoutes(broker), ...operatorRoutes(broker)]
}

function ownRoutes(broker: Broker): Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/me/erasure',
      callers: ['user'],
      tag: 'Erasure and export',
      summary: 'Show whether everything about you is to be erased, and when',
      responses: { 200: { description: 'The newest erasure that was asked for.', shape: erasureShape } },
      problems: ['not_found'],
      async handle({ caller }) {
        const view = await showErasure(broker, { userId: caller.userId })
        return view ? { status: 200, body: view } : problem('not_found')
      },
    }),
    route({
      method: 'post',
      path: '/v1/me/erasure',
      callers: ['user'],
      tag: 'Erasure and export',
      summary: 'Have everything about you erased in 72 hours',
      description:
        'All agents and grants are paused at once, tokens of agents end, and open questions are withdrawn. It can be cancelled until it begins. What is in doubt is settled first; an open incident or a legal hold delays it, which is shown. Amounts, times and ids of actions stay for the ledger, and the log stays provable.',
      needsStepUp: () => true,
      body: requestErasureShape,
      responses: { 200: { description: 'When it is due.', shape: erasureShape } },
      problems: ['erasure_under_way'],
      async handle({ caller }) {
        const done = await requestErasure(broker, { userId: caller.userId })
        if (done.kind !== 'requested') return problem('erasure_under_way')
        return { status: 200, body: erasureView(done.erasure) }
      },
    }),
    route({
      method: 'delete',
      path: '/v1/me/erasure',
      callers: ['user'],
      tag: 'Erasure and export',
      summary: 'Cancel the erasure, until it begins',
      description:
        'What it paused goes on, unless an incident was opened meanwhile. Agents with tokens of the broker have to sign in again.',
      needsStepUp: () => true,
      responses: {
        200: {
          description: 'What goes on again.',
          shape: z.strictObject({
            agents: z.array(z.string()),
            grants: z.array(z.string()),
            heldBack: z.boolean(),
          }),
        },
      },
      problems: ['not_found', 'erasure_under_way'],
      async handle({ caller }) {
        const done = await cancelErasure(broker, { userId: caller.userId })
        if (done.kind === 'not_requested') return problem('not_found')
        if (done.kind === 'under_way') return problem('erasure_under_way')
        return { status: 200, body: { ...done.resumed, heldBack: done.heldBack } }
      },
    }),
  ]
}

function partRoutes(broker: Broker): Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/me/part-erasures',
      callers: ['user'],
      tag: 'Erasure and export',
      summary: 'List erasures of what one skill or one agent left of you',
      responses: {
        200: {
          description: 'The newest first, with how far each has come and what it waits for.',
          shape: z.strictObject({ items: z.array(erasureShape) }),
        },
      },
      problems: [],
      async handle({ caller }) {
        return { status: 200, body: { items: await listPartErasures(broker, { userId: caller.userId }) } }
      },
    }),
    route({
      method: 'post',
      path: '/v1/me/part-erasures',
      callers: ['user'],
      tag: 'Erasure and export',
      summary: 'Have what one skill or one agent left of you erased',
      description:
        'It begins at once and cannot be cancelled. An agent is disconnected first; a skill’s grants stay, and what is done from then on is kept anew. The skills are told to delete what they keep. What is in doubt is settled first; an open incident about it or a legal hold delays it, which is shown.',
      needsStepUp: () => true,
      body: requestPartErasureShape,
      responses: { 200: { description: 'How it stands.', shape: erasureShape } },
      problems: ['not_found', 'erasure_under_way', 'too_many_erasures'],
      async handle({ caller, body }) {
        const done = await requestPartErasure(broker, { userId: caller.userId, ...body })
        switch (done.kind) {
          case 'requested':
            return { status: 200, body: erasureView(done.erasure) }
          case 'not_found':
            return problem('not_found')
          case 'too_many':
            return problem('too_many_erasures')
          case 'under_way':
            return problem('erasure_under_way')
        }
      },
    }),
  ]
}

function operatorRoutes(broker: Broker): Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/operator/erasures',
      callers: ['operator'],
      tag: 'Operators',
      summary: 'List erasures that have not ended, and what they wait for',
      responses: {
        200: {
          description: 'The first due first.',
          shape: z.strictObject({ items: z.array(erasureShape.extend({ userId: z.string() })) }),
        },
      },
      problems: [],
      async handle() {
        return { status: 200, body: { items: await listErasures(broker) } }
      },
    }),
    route({
      method: 'get',
      path: '/v1/operator/legal-holds',
      callers: ['operator'],
      tag: 'Operators',
      summary: 'List users whose data is kept from being erased',
      responses: {
        200: {
          description: 'The oldest first.',
          shape: z.strictObject({
            items: z.array(
              z.strictObject({
                userId: z.string(),
                operatorId: z.string(),
                reason: z.string(),
                createdAtMs: timeMs,
              }),
            ),
          }),
        },
      },
      problems: [],
      async handle() {
        return { status: 200, body: { items: await listLegalHolds(broker) } }
      },
    }),
    route({
      method: 'post',
      path: '/v1/operator/users/{id}/legal-hold',
      callers: ['operator'],
      tag: 'Operators',
      summary: 'Keep a user’s data from being erased',
      description:
        'For a dispute or an investigation. An erasure that has not destroyed anything yet waits: the log says so, and its user sees it.',
      params: pathId,
      body: reasonBody,
      responses: { 200: { description: 'It is held.', shape: z.strictObject({ isNew: z.boolean() }) } },
      problems: [],
      async handle({ caller, params, body }) {
        const done = await placeLegalHold(broker, { ...actOf(caller, body.reason), userId: params.id })
        if (done.kind !== 'held') return problem('reason_refused', { detail: done.message })
        return { status: 200, body: { isNew: done.isNew } }
      },
    }),
    route({
      method: 'post',
      path: '/v1/operator/users/{id}/lift-legal-hold',
      callers: ['operator'],
      tag: 'Operators',
      summary: 'Let a user’s data be erased again',
      params: pathId,
      body: reasonBody,
      responses: { 204: { description: 'An erasure that waited goes on.' } },
      problems: ['not_found'],
      async handle({ caller, params, body }) {
        const done = await liftLegalHold(broker, { ...actOf(caller, body.reason), userId: params.id })
        if (done.kind === 'reason_refused') return problem('reason_refused', { detail: done.message })
        return done.kind === 'lifted' ? { status: 204 } : problem('not_found')
      },
    }),
  ]
}
