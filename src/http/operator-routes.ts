import { z } from 'zod'
import type { Broker } from '../broker/broker.ts'
import type { CancelInFlight } from '../broker/cancel-in-flight.ts'
import { retireBrokerKey, rotateBrokerKey } from '../broker/change-broker-key.ts'
import { closeIncident, listIncidents } from '../broker/close-incident.ts'
import { confirmClock } from '../broker/confirm-clock.ts'
import { freeze, listFreezes, unfreeze } from '../broker/freeze.ts'
import { FREEZE_KINDS } from '../core/decision/freeze-ids.ts'
import type { KeyRing } from '../ports/key-ring.ts'
import type { IncidentRow } from '../ports/rows.ts'
import { KEY_PURPOSES } from '../ports/signer.ts'
import { cancelReportShape } from './consent-shapes.ts'
import { pageAnswer, pageOf, pageQuery, pageShape } from './cursor.ts'
import { actOf, reason, reasonBody } from './operator-reason.ts'
import { pathId, timeMs } from './path-id.ts'
import { problem } from './problem.ts'
import { type Route, route } from './route.ts'

const common = { callers: ['operator'], tag: 'Operators' } as const

const freezeShape = z.strictObject({
  id: z.string(),
  kind: z.enum(FREEZE_KINDS),
  target: z.string(),
  includesCleanUp: z.boolean(),
  reason: z.string(),
  operatorId: z.string(),
  createdAtMs: timeMs,
})
const frozenShape = z.strictObject({
  freezeId: z.string(),
  wasFrozen: z.boolean(),
  targetKnown: z.boolean().nullable(),
  unsettled: z.array(
    z.strictObject({ actionId: z.string(), skill: z.string(), action: z.string(), status: z.string() }),
  ),
  cancelled: z.array(cancelReportShape),
})
const incidentShape = z.strictObject({
  incidentId: z.string(),
  kind: z.string(),
  userId: z.string().nullable(),
  skill: z.string(),
  actionId: z.string().nullable(),
  detail: z.string(),
  stopsSpending: z.boolean(),
  status: z.enum(['open', 'closed']),
  openedAtMs: timeMs,
  closedAtMs: timeMs.nullable(),
})

/** What operators stop and mend. Every write has a reason and is a leaf that names who. */
export function operatorRoutes(broker: Broker, keys: KeyRing, cancel: CancelInFlight): Route[] {
  return [
    ...freezeRoutes(broker, cancel),
    ...incidentRoutes(broker),
    clockRoute(broker),
    ...keyRoutes(broker, keys),
  ]
}

function freezeRoutes(broker: Broker, cancel: CancelInFlight): Route[] {
  return [
    route({
      ...common,
      method: 'get',
      path: '/v1/operator/freezes',
      summary: 'List the freezes that stand',
      responses: {
        200: { description: 'All freezes.', shape: z.strictObject({ items: z.array(freezeShape) }) },
      },
      problems: [],
      async handle() {
        return { status: 200, body: { items: await listFreezes(broker) } }
      },
    }),
    route({
      ...common,
      method: 'post',
      path: '/v1/operator/freezes',
      summary: 'Stop a user, agent, skill, action, publisher, deployment or everything',
      description: 'When this answers, no later decision permits. It lists every permit that is not settled.',
      body: z.strictObject({
        kind: z.enum(FREEZE_KINDS),
        target: z.string().min(1).max(200),
        includesCleanUp: z.boolean().optional(),
        reason,
      }),
      responses: { 201: { description: 'What was stopped.', shape: frozenShape } },
      problems: ['target_refused'],
      async handle({ caller, body: { reason: why, includesCleanUp = false, ...what } }) {
        const done = await freeze(broker, cancel, { ...actOf(caller, why), ...what, includesCleanUp })
        if (done.kind !== 'frozen') return problem(done.kind, { detail: done.message })
        const { kind: _, ...body } = done
        return { status: 201, body }
      },
    }),
    route({
      ...common,
      method: 'post',
      path: '/v1/operator/freezes/{id}/lift',
      summary: 'Lift a freeze',
      params: pathId,
      body: reasonBody,
      responses: { 204: { description: 'Decisions are made as before.' } },
      problems: ['not_frozen'],
      async handle({ caller, params, body }) {
        const done = await unfreeze(broker, { ...actOf(caller, body.reason), freezeId: params.id })
        if (done.kind === 'reason_refused') return problem(done.kind, { detail: done.message })
        return done.kind === 'unfrozen' ? { status: 204 } : problem(done.kind)
      },
    }),
  ]
}

function incidentRoutes(broker: Broker): Route[] {
  return [
    route({
      ...common,
      method: 'get',
      path: '/v1/operator/incidents',
      summary: 'List incidents, newest first',
      query: z.strictObject({ ...pageQuery, status: z.enum(['open', 'closed']).optional() }),
      responses: { 200: { description: 'A page of incidents.', shape: pageShape(incidentShape) } },
      problems: ['invalid_cursor'],
      async handle({ query }) {
        const page = pageOf(query)
        const more = { ...page, limit: page.limit + 1 }
        const rows = await listIncidents(broker, query.status ?? null, more)
        const place = (row: IncidentRow) => ({ atMs: row.openedAtMs, id: row.id })
        return { status: 200, body: pageAnswer(rows, page.limit, place, presentIncident) }
      },
    }),
    route({
      ...common,
      method: 'post',
      path: '/v1/operator/incidents/{id}/close',
      summary: 'Close an incident, so that stopped spending goes on',
      params: pathId,
      body: reasonBody,
      responses: {
        200: {
          description: 'Whether the skill may spend for this user again.',
          shape: z.strictObject({ spendingResumed: z.boolean() }),
        },
      },
      problems: ['not_found', 'already_closed'],
      async handle({ caller, params, body }) {
        const done = await closeIncident(broker, { ...actOf(caller, body.reason), incidentId: params.id })
        switch (done.kind) {
          case 'closed':
            return { status: 200, body: { spendingResumed: done.spendingResumed } }
          case 'incident_unknown':
            return problem('not_found')
          case 'reason_refused':
            return problem('reason_refused', { detail: done.message })
          case 'already_closed':
            return problem('already_closed')
        }
      },
    }),
  ]
}

function clockRoute(broker: Broker): Route {
  return route({
    ...common,
    method: 'post',
    path: '/v1/operator/clock/confirm',
    summary: 'Take the clock for right after it ran ahead and spending stopped',
    body: reasonBody,
    responses: {
      200: {
        description: 'The time that was believed before, and the time now.',
        shape: z.strictObject({ beforeMs: timeMs, nowMs: timeMs }),
      },
    },
    problems: ['clock_is_trusted'],
    async handle({ caller, body }) {
      const done = await confirmClock(broker, actOf(caller, body.reason))
      if (done.kind === 'reason_refused') return problem(done.kind, { detail: done.message })
      if (done.kind === 'clock_is_trusted') return problem(done.kind)
      return { status: 200, body: { beforeMs: done.beforeMs, nowMs: done.nowMs } }
    },
  })
}

function keyRoutes(broker: Broker, keys: KeyRing): Route[] {
  const purposeParams = z.strictObject({ purpose: z.enum(KEY_PURPOSES) })
  return [
    route({
      ...common,
      method: 'post',
      path: '/v1/operator/keys/{purpose}/rotate',
      summary: "Replace one of the broker's own keys",
      description: 'What the old key signed still verifies until it is retired.',
      params: purposeParams,
      body: reasonBody,
      responses: {
        200: {
          description: 'The key that signs now.',
          shape: z.strictObject({ kid: z.string(), previousKid: z.string() }),
        },
      },
      problems: ['not_found'],
      async handle({ caller, params, body }) {
        const done = await rotateBrokerKey(broker, keys, { ...actOf(caller, body.reason), ...params })
        if (done.kind === 'reason_refused') return problem(done.kind, { detail: done.message })
        return { status: 200, body: { kid: done.kid, previousKid: done.previousKid } }
      },
    }),
    route({
      ...common,
      method: 'post',
      path: '/v1/operator/keys/{purpose}/{kid}/retire',
      summary: 'Stop publishing a key that was rotated out, as after a leak',
      description: 'Whatever it signed no longer verifies.',
      params: purposeParams.extend({ kid: z.string().max(64) }),
      body: reasonBody,
      responses: { 204: { description: 'It is published no more.' } },
      problems: ['not_found', 'key_unknown', 'key_is_current'],
      async handle({ caller, params, body }) {
        const done = await retireBrokerKey(broker, keys, { ...actOf(caller, body.reason), ...params })
        if (done.kind === 'reason_refused') return problem(done.kind, { detail: done.message })
        return done.kind === 'retired' ? { status: 204 } : problem(done.kind)
      },
    }),
  ]
}

function presentIncident(row: IncidentRow): z.input<typeof incidentShape> {
  return {
    incidentId: row.id,
    kind: row.kind,
    userId: row.userId,
    skill: row.skillId,
    actionId: row.actionId,
    detail: row.detail,
    stopsSpending: row.stopsSpending,
    status: row.status === 'open' ? 'open' : 'closed',
    openedAtMs: row.openedAtMs,
    closedAtMs: row.closedAtMs,
  }
}
