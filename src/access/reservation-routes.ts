import { z } from 'zod'
import { readQuestion } from '../broker/access-question.ts'
import type { Broker } from '../broker/broker.ts'
import { promisesOf } from '../broker/log-promise.ts'
import { reserveAction } from '../broker/reserve-action.ts'
import {
  findReservation,
  RELEASE_REASONS,
  type Report,
  type ReservationReported,
  reservationStands,
  settleReservation,
} from '../broker/settle-reservation.ts'
import { idempotencyKeyOf } from '../http/action-routes.ts'
import type { Answer } from '../http/answer.ts'
import { pathId } from '../http/path-id.ts'
import { problem } from '../http/problem.ts'
import { type Route, route } from '../http/route.ts'
import type { Tx } from '../ports/store.ts'
import { common } from './evaluation-routes.ts'
import { findPoint } from './find-point.ts'
import { reasonFor } from './present-evaluation.ts'
import {
  presentReservation,
  presentReserved,
  reservationShape,
  reservedShape,
} from './present-reservation.ts'
import { evaluationShape } from './question-shapes.ts'

const settledShape = z.strictObject({ reservation: reservationShape, promises: z.array(z.string()) })
const commitShape = z.strictObject({
  amount: z
    .strictObject({ currency: z.string().regex(/^[A-Z]{3}$/), amountMinor: z.int().min(0) })
    .optional()
    .meta({
      description: 'What was taken. Left out where that is not known: then all that was reserved counts.',
    }),
})
const releaseShape = z.strictObject({ reason: z.enum(RELEASE_REASONS) })

/** For those who carry out by themselves: what an evaluation cannot permit is reserved, then committed or released. */
export function reservationRoutes(broker: Broker): Route[] {
  return [
    route({
      ...common,
      method: 'post',
      path: '/access/v1/reservations',
      summary: 'Be permitted one action, and carry it out yourself',
      description:
        'Asks as an evaluation does, decides as POST /v1/actions does, and holds what the action would take. On true carry it out once and report before reportByMs; what is not reported is in doubt and keeps counting until an operator settles it. Where a person is asked, repeat the request with the same key after the yes. Arguments come from context.arguments only.',
      headers: [
        {
          name: 'Idempotency-Key',
          required: true,
          description: '8 to 200 visible ASCII characters. One key, at most one permit.',
        },
      ],
      body: evaluationShape,
      responses: { 200: { description: 'The decision, and on true the reservation.', shape: reservedShape } },
      problems: ['idempotency_key_required', 'idempotency_key_invalid', 'idempotency_conflict', 'log_behind'],
      async handle({ caller, body, request }) {
        const point = await findPoint(broker, caller)
        const key = idempotencyKeyOf(request)
        const question = { ...body, context: { ...body.context, arguments: body.context?.arguments ?? {} } }
        // The spaces keep these keys apart from those that agents send, which have none.
        const idempotencyKey = `point ${point.id} ${key}`
        const read = await broker.store.read(async (tx) => {
          const found = await readQuestion(broker, tx, point, question)
          return found.kind === 'refused' ||
            found.isGranted ||
            (await wasReserved(tx, found.asked, idempotencyKey))
            ? found
            : { kind: 'refused' as const, reason: 'subject_unknown' as const }
        })
        if (read.kind === 'refused') {
          broker.recentRefusals.count(`reservation:${read.reason}`)
          return { status: 200, body: { decision: false, context: { reason: reasonFor(read.reason) } } }
        }
        const { enforcement = { by: point.id, reportWithinMs: point.reportWithinMs } } = read.asked
        const reserved = await reserveAction(broker, { ...read.asked, enforcement, idempotencyKey })
        if (reserved.kind === 'key_conflict') return problem('idempotency_conflict')
        const promises = 'row' in reserved ? await promisesOf(broker, reserved.row) : []
        return { status: 200, body: presentReserved(reserved, promises, broker.settings.issuer) }
      },
    }),
    route({
      ...common,
      method: 'get',
      path: '/access/v1/reservations/{id}',
      summary: 'Show a reservation of yours, and whether its authority still stands',
      description: 'Look right before you act: after a revoke, release it instead.',
      params: pathId,
      responses: {
        200: {
          description: 'The reservation.',
          shape: z.strictObject({ reservation: reservationShape, stands: z.boolean() }),
        },
      },
      problems: ['not_found'],
      async handle({ caller, params }) {
        const point = await findPoint(broker, caller)
        const row = await findReservation(broker, point.id, params.id)
        if (!row) return problem('not_found')
        const stands = await reservationStands(broker, row)
        return { status: 200, body: { reservation: presentReservation(row), stands } }
      },
    }),
    route({
      ...common,
      method: 'post',
      path: '/access/v1/reservations/{id}/commit',
      summary: 'Report that it was done, and what it took',
      description:
        'Captures what was taken and gives the rest back, once; more than was reserved is an overrun and stops this skill’s spending. The same report again is answered the same.',
      params: pathId,
      body: commitShape,
      responses: { 200: { description: 'How it is settled.', shape: settledShape } },
      problems: ['not_found', 'reservation_settled', 'reservation_overdue', 'reservation_spends_nothing'],
      async handle({ caller, params, body }) {
        return settle(broker, caller, params.id, { kind: 'done', charged: body.amount ?? null })
      },
    }),
    route({
      ...common,
      method: 'post',
      path: '/access/v1/reservations/{id}/release',
      summary: 'Report that it was not done, and took nothing',
      params: pathId,
      body: releaseShape,
      responses: { 200: { description: 'How it is settled.', shape: settledShape } },
      problems: ['not_found', 'reservation_settled', 'reservation_overdue', 'reservation_spends_nothing'],
      async handle({ caller, params, body }) {
        return settle(broker, caller, params.id, { kind: 'released', reason: body.reason })
      },
    }),
  ]
}

/** What was reserved under a key is told whoever reserved it, also where nothing is granted any more. */
async function wasReserved(
  tx: Tx,
  { userId, agentId }: { readonly userId: string; readonly agentId: string },
  idempotencyKey: string,
): Promise<boolean> {
  const row = await tx.actions.findByKey(userId, agentId, idempotencyKey)
  return row !== undefined && row.status !== 'refused'
}

async function settle(
  broker: Broker,
  caller: { readonly pointId: string },
  id: string,
  report: Report,
): Promise<Answer> {
  const point = await findPoint(broker, caller)
  return answerReported(broker, await settleReservation(broker, point.id, id, report))
}

async function answerReported(broker: Broker, reported: ReservationReported): Promise<Answer> {
  switch (reported.kind) {
    case 'settled':
      return {
        status: 200,
        ...(reported.replayed ? { headers: { 'idempotent-replayed': 'true' } } : {}),
        body: {
          reservation: presentReservation(reported.row),
          promises: [...(await promisesOf(broker, reported.row))],
        },
      }
    case 'not_found':
      return problem('not_found')
    case 'spends_nothing':
      return problem('reservation_spends_nothing')
    case 'settled_otherwise':
      return problem('reservation_settled', { members: { reservation: presentReservation(reported.row) } })
    case 'too_late':
      return problem('reservation_overdue', { members: { reservation: presentReservation(reported.row) } })
  }
}
