import { z } from 'zod'
import type { Broker } from '../broker/broker.ts'
import { noticeReceiptFor } from '../broker/notice-receipt.ts'
import type { CheckpointPublisher } from '../broker/publish-checkpoint.ts'
import { settleNoticeByOperator } from '../broker/settle-notice-by-operator.ts'
import { listNotices, listWantingNotices, showNotice } from '../broker/show-notices.ts'
import { deletionReceiptShape, NOTICE_STATES } from '../core/notice/deletion-receipt.ts'
import { NOTICE_REASONS } from '../core/notice/notice-scope.ts'
import { pageAnswer, pageOf, pageQuery, pageShape } from './cursor.ts'
import { actOf, reasonBody } from './operator-reason.ts'
import { pathId, timeMs } from './path-id.ts'
import { problem } from './problem.ts'
import { type Route, route } from './route.ts'

const seenByOperators = z.strictObject({
  noticeId: z.string(),
  skill: z.string(),
  reason: z.enum(NOTICE_REASONS),
  classes: z.union([z.literal('all'), z.array(z.string())]),
  executions: z.int().nullable(),
  state: z.enum(NOTICE_STATES),
  isOverdue: z.boolean(),
  isSuspending: z.boolean(),
  queuedAtMs: timeMs,
  dueAtMs: timeMs,
  sentAtMs: timeMs.nullable(),
  attempts: z.int(),
  answeredAtMs: timeMs.nullable(),
  fault: z.string().nullable(),
  answerCode: z.string().nullable(),
})
const noticeShape = seenByOperators.extend({ agentId: z.string().nullable(), grantId: z.string().nullable() })

/** What skills were told to delete, and what they said. */
export function noticeRoutes(broker: Broker, publisher: Pick<CheckpointPublisher, 'newest'>): Route[] {
  return [...ownRoutes(broker, publisher), ...operatorRoutes(broker)]
}

function ownRoutes(broker: Broker, publisher: Pick<CheckpointPublisher, 'newest'>): Route[] {
  const common = { method: 'get', callers: ['user'], tag: 'Erasure and export' } as const
  return [
    route({
      ...common,
      path: '/v1/deletion-notices',
      summary: 'List what skills were told to delete of you, and what they said',
      description:
        'A skill is told when the time it may keep something has passed, when you revoke, and when you erase. Only its own signature counts as an answer: without one it is overdue when its own time is up.',
      query: z.strictObject(pageQuery),
      responses: { 200: { description: 'Newest first.', shape: pageShape(noticeShape) } },
      problems: ['invalid_cursor'],
      async handle({ caller, query }) {
        const page = pageOf(query)
        const { userId } = caller
        const rows = await listNotices(broker, { userId, page: { ...page, limit: page.limit + 1 } })
        const place = (row: { queuedAtMs: number; noticeId: string }) => ({
          atMs: row.queuedAtMs,
          id: row.noticeId,
        })
        const present = (row: (typeof rows)[number]) => ({ ...row, classes: listed(row.classes) })
        return { status: 200, body: pageAnswer(rows, page.limit, place, present) }
      },
    }),
    route({
      ...common,
      path: '/v1/deletion-notices/{id}',
      summary: 'Show one deletion notice, and why a skill refused or keeps something',
      params: pathId,
      responses: {
        200: {
          description: 'As it stands now. `why` is the skill’s own words.',
          shape: noticeShape.extend({ why: z.string().nullable() }),
        },
      },
      problems: ['not_found'],
      async handle({ caller, params }) {
        const notice = await showNotice(broker, { userId: caller.userId, noticeId: params.id })
        if (!notice) return problem('not_found')
        return { status: 200, body: { ...notice, classes: listed(notice.classes) } }
      },
    }),
    route({
      ...common,
      path: '/v1/deletion-notices/{id}/receipt',
      summary: 'Get the signed receipt of a deletion notice, with its proofs in the log',
      params: pathId,
      responses: {
        200: { description: 'For `verifyDeletionReceipt` of the SDK.', shape: deletionReceiptShape },
      },
      problems: ['not_found', 'receipt_not_yet'],
      async handle({ caller, params }) {
        const which = { userId: caller.userId, noticeId: params.id }
        const made = await noticeReceiptFor(broker, publisher, which)
        if (made.kind === 'receipt') return { status: 200, body: made.receipt }
        if (made.kind === 'not_yet') return problem('receipt_not_yet', { headers: { 'retry-after': '1' } })
        return problem('not_found')
      },
    }),
  ]
}

function operatorRoutes(broker: Broker): Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/operator/deletion-notices',
      callers: ['operator'],
      tag: 'Operators',
      summary: 'List deletion notices that skills have not acknowledged in time, or refused',
      description: 'They name no person.',
      query: z.strictObject(pageQuery),
      responses: { 200: { description: 'Newest first.', shape: pageShape(seenByOperators) } },
      problems: ['invalid_cursor'],
      async handle({ query }) {
        const page = pageOf(query)
        const rows = await listWantingNotices(broker, { ...page, limit: page.limit + 1 })
        const place = (row: { queuedAtMs: number; noticeId: string }) => ({
          atMs: row.queuedAtMs,
          id: row.noticeId,
        })
        const present = (row: (typeof rows)[number]) => ({ ...row, classes: listed(row.classes) })
        return { status: 200, body: pageAnswer(rows, page.limit, place, present) }
      },
    }),
    route({
      method: 'post',
      path: '/v1/operator/deletion-notices/{id}/settle',
      callers: ['operator'],
      tag: 'Operators',
      summary: 'Take a deletion notice for settled that its skill does not acknowledge',
      description:
        'For who knows from elsewhere how it stands. It is not sent again, and the skill goes on for that user, who sees that operators settled it.',
      params: pathId,
      body: reasonBody,
      responses: { 204: { description: 'The skill goes on.' } },
      problems: ['not_found', 'notice_ended'],
      async handle({ caller, params, body }) {
        const done = await settleNoticeByOperator(broker, {
          ...actOf(caller, body.reason),
          noticeId: params.id,
        })
        if (done.kind === 'settled') return { status: 204 }
        if (done.kind === 'reason_refused') return problem('reason_refused', { detail: done.message })
        return problem(done.kind)
      },
    }),
  ]
}

function listed(classes: 'all' | readonly string[]): 'all' | string[] {
  return classes === 'all' ? classes : [...classes]
}
