import { z } from 'zod'
import type { Broker } from '../broker/broker.ts'
import {
  beginUndoJob,
  cancelUndoJob,
  findUndoJob,
  listUndoJobs,
  type UndoJobView,
} from '../broker/undo-job.ts'
import { ACTION_NAME } from '../core/manifest/manifest.ts'
import { actOf, reason, reasonBody } from './operator-reason.ts'
import { pathId, timeMs } from './path-id.ts'
import { problem } from './problem.ts'
import { type Route, route } from './route.ts'

const jobShape = z.strictObject({
  jobId: z.string(),
  incidentId: z.string(),
  operatorId: z.string(),
  reason: z.string(),
  status: z.enum(['running', 'cancelled', 'done']),
  createdAtMs: timeMs,
  endedAtMs: timeMs.nullable(),
  total: z.int(),
  /** How many of each outcome; `waiting` are still to come. */
  counts: z.record(z.string(), z.int()),
  /** Up to 200 of them. */
  items: z.array(z.strictObject({ actionId: z.string(), status: z.string() })),
})

const common = { callers: ['operator'], tag: 'Operators: actions' } as const

/** Undoing in bulk, from an incident. */
export function operatorUndoRoutes(broker: Broker): Route[] {
  return [
    route({
      ...common,
      method: 'post',
      path: '/v1/operator/incidents/{id}/undo',
      summary: 'Have what a skill did undone, from an incident',
      description:
        'What it did in this time, for the incident’s user or for all users, as far as its manifest lets it be undone and the window is open. Each action is asked for by itself and logged. Refunds restore no budget.',
      params: pathId,
      body: z.strictObject({
        fromMs: timeMs,
        toMs: timeMs,
        action: z.string().regex(ACTION_NAME).optional(),
        reason,
      }),
      responses: { 201: { description: 'The job, which has begun.', shape: jobShape } },
      problems: ['not_found', 'nothing_to_undo', 'too_much_to_undo'],
      async handle({ caller, params, body }) {
        const { fromMs, toMs, action = null } = body
        const act = actOf(caller, body.reason)
        const done = await beginUndoJob(broker, { ...act, incidentId: params.id, fromMs, toMs, action })
        switch (done.kind) {
          case 'begun':
            return { status: 201, body: present(done.job) }
          case 'reason_refused':
            return problem(done.kind, { detail: done.message })
          case 'incident_unknown':
            return problem('not_found')
          default:
            return problem(done.kind)
        }
      },
    }),
    route({
      ...common,
      method: 'get',
      path: '/v1/operator/incidents/{id}/undo',
      summary: 'List the undo jobs of an incident, newest first',
      params: pathId,
      responses: {
        200: { description: 'All of them.', shape: z.strictObject({ items: z.array(jobShape) }) },
      },
      problems: [],
      async handle({ params }) {
        return { status: 200, body: { items: (await listUndoJobs(broker, params.id)).map(present) } }
      },
    }),
    route({
      ...common,
      method: 'get',
      path: '/v1/operator/undo-jobs/{id}',
      summary: 'Show how far an undo job has got',
      params: pathId,
      responses: { 200: { description: 'The job.', shape: jobShape } },
      problems: ['not_found'],
      async handle({ params }) {
        const job = await findUndoJob(broker, params.id)
        return job ? { status: 200, body: present(job) } : problem('not_found')
      },
    }),
    route({
      ...common,
      method: 'post',
      path: '/v1/operator/undo-jobs/{id}/cancel',
      summary: 'Ask for nothing more of an undo job',
      description: 'What was undone already stays undone.',
      params: pathId,
      body: reasonBody,
      responses: { 200: { description: 'The job.', shape: jobShape } },
      problems: ['not_found', 'undo_job_ended'],
      async handle({ caller, params, body }) {
        const done = await cancelUndoJob(broker, { ...actOf(caller, body.reason), jobId: params.id })
        switch (done.kind) {
          case 'cancelled':
            return { status: 200, body: present(done.job) }
          case 'reason_refused':
            return problem(done.kind, { detail: done.message })
          case 'job_unknown':
            return problem('not_found')
          case 'undo_job_ended':
            return problem(done.kind)
        }
      },
    }),
  ]
}

function present({ counts, items, ...job }: UndoJobView): z.input<typeof jobShape> {
  return { ...job, counts: { ...counts }, items: [...items] }
}
