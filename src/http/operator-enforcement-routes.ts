import { z } from 'zod'
import type { Broker } from '../broker/broker.ts'
import { plainText } from '../broker/plain-text.ts'
import {
  listEnforcementPoints,
  type NewCredential,
  registerEnforcementPoint,
  replaceEnforcementCredential,
  revokeEnforcementPoint,
} from '../broker/register-enforcement-point.ts'
import type { JsonValue } from '../core/json-value.ts'
import type { EnforcementPointRow } from '../ports/enforcement-store.ts'
import { actOf, reason, reasonBody } from './operator-reason.ts'
import { pathId, timeMs } from './path-id.ts'
import { problem } from './problem.ts'
import { type Route, route } from './route.ts'

const common = { callers: ['operator'], tag: 'Operators' } as const

const REPORT_WITHIN_SECONDS = 300
const DAY_SECONDS = 86_400

const pointShape = z.strictObject({
  pointId: z.string(),
  name: z.string(),
  skills: z.array(z.string()),
  publisher: z.string().nullable(),
  mayListUsers: z.boolean(),
  reportWithinSeconds: z.int(),
  status: z.enum(['active', 'revoked']),
  registeredBy: z.string(),
  createdAtMs: timeMs,
})
const credentialShape = z.strictObject({
  credentialId: z.string(),
  secret: z.string().nullable().meta({ description: 'Told once, here; null where a public key was given.' }),
})
const publicKey = z
  .custom<JsonValue>((value) => value !== undefined)
  .optional()
  .meta({
    description:
      'A public Ed25519 or P-256 JWK, with which the point signs who it is (private_key_jwt). A secret is made without one.',
  })

/** What carries out by itself what the broker permits: registered, given credentials and ended by operators. */
export function operatorEnforcementRoutes(broker: Broker): Route[] {
  return [
    route({
      ...common,
      method: 'get',
      path: '/v1/operator/enforcement-points',
      summary: 'List enforcement points and the credentials they have',
      responses: {
        200: {
          description: 'All of them, newest first, ended ones too.',
          shape: z.strictObject({
            items: z.array(
              pointShape.extend({
                credentials: z.array(
                  z.strictObject({
                    credentialId: z.string(),
                    kind: z.enum(['secret', 'key']),
                    createdAtMs: timeMs,
                    endsAtMs: timeMs.nullable(),
                  }),
                ),
              }),
            ),
          }),
        },
      },
      problems: [],
      async handle() {
        const items = (await listEnforcementPoints(broker)).map(({ point, credentials }) => ({
          ...presentPoint(point),
          credentials: credentials.map(({ id, publicJwk, createdAtMs, endsAtMs }) => ({
            credentialId: id,
            kind: publicJwk === null ? 'secret' : 'key',
            createdAtMs,
            endsAtMs,
          })),
        }))
        return { status: 200, body: { items } }
      },
    }),
    route({
      ...common,
      method: 'post',
      path: '/v1/operator/enforcement-points',
      summary: 'Register an enforcement point',
      description:
        'It may ask and reserve for the skills named here, or all skills of the publisher named, for agents that hold a grant for them. It learns of no other skill and of nobody else.',
      body: z.strictObject({
        name: plainText(80),
        skills: z.array(z.string().min(1).max(64)).max(100).optional(),
        publisher: z.string().min(1).max(64).optional(),
        mayListUsers: z.boolean().optional(),
        reportWithinSeconds: z.int().min(10).max(DAY_SECONDS).optional(),
        publicKey,
        reason,
      }),
      responses: {
        201: {
          description: 'The point and its first credential.',
          shape: z.strictObject({ point: pointShape, credential: credentialShape }),
        },
      },
      problems: ['reason_refused', 'enforcement_target_unknown', 'key_refused'],
      async handle({ caller, body }) {
        const done = await registerEnforcementPoint(broker, {
          ...actOf(caller, body.reason),
          name: body.name,
          skills: body.skills ?? [],
          publisherId: body.publisher ?? null,
          mayListUsers: body.mayListUsers ?? false,
          reportWithinMs: (body.reportWithinSeconds ?? REPORT_WITHIN_SECONDS) * 1000,
          publicJwk: body.publicKey ?? null,
        })
        switch (done.kind) {
          case 'registered':
            return {
              status: 201,
              body: { point: presentPoint(done.point), credential: presentCredential(done.credential) },
            }
          case 'target_unknown':
            return problem('enforcement_target_unknown', { detail: done.message })
          case 'key_refused':
          case 'reason_refused':
            return problem(done.kind, { detail: done.message })
        }
      },
    }),
    route({
      ...common,
      method: 'post',
      path: '/v1/operator/enforcement-points/{id}/credentials',
      summary: 'Give an enforcement point another credential',
      description: 'Those it has end after othersEndInSeconds: at once unless given.',
      params: pathId,
      body: z.strictObject({
        publicKey,
        othersEndInSeconds: z
          .int()
          .min(0)
          .max(7 * DAY_SECONDS)
          .optional(),
        reason,
      }),
      responses: {
        201: {
          description: 'The new credential.',
          shape: z.strictObject({ credential: credentialShape }),
        },
      },
      problems: ['reason_refused', 'not_found', 'key_refused'],
      async handle({ caller, params, body }) {
        const done = await replaceEnforcementCredential(broker, {
          ...actOf(caller, body.reason),
          pointId: params.id,
          publicJwk: body.publicKey ?? null,
          othersEndInMs: (body.othersEndInSeconds ?? 0) * 1000,
        })
        switch (done.kind) {
          case 'replaced':
            return { status: 201, body: { credential: presentCredential(done.credential) } }
          case 'not_found':
            return problem('not_found')
          case 'key_refused':
          case 'reason_refused':
            return problem(done.kind, { detail: done.message })
        }
      },
    }),
    route({
      ...common,
      method: 'post',
      path: '/v1/operator/enforcement-points/{id}/revoke',
      summary: 'End an enforcement point for good',
      description:
        'No credential of its is good any more. What it has reserved and not reported is listed; it is in doubt when its time is over.',
      params: pathId,
      body: reasonBody,
      responses: {
        200: {
          description: 'It has ended.',
          shape: z.strictObject({
            unsettled: z.array(
              z.strictObject({
                actionId: z.string(),
                skill: z.string(),
                action: z.string(),
                status: z.string(),
              }),
            ),
          }),
        },
      },
      problems: ['reason_refused', 'not_found'],
      async handle({ caller, params, body }) {
        const done = await revokeEnforcementPoint(broker, {
          ...actOf(caller, body.reason),
          pointId: params.id,
        })
        if (done.kind === 'reason_refused') return problem(done.kind, { detail: done.message })
        if (done.kind === 'not_found') return problem('not_found')
        const unsettled = done.unsettled.map(({ actionId, skillId, action, status }) => ({
          actionId,
          skill: skillId,
          action,
          status,
        }))
        return { status: 200, body: { unsettled } }
      },
    }),
  ]
}

function presentPoint(row: EnforcementPointRow): z.input<typeof pointShape> {
  return {
    pointId: row.id,
    name: row.name,
    skills: JSON.parse(row.skills) as string[],
    publisher: row.publisherId,
    mayListUsers: row.mayListUsers,
    reportWithinSeconds: row.reportWithinMs / 1000,
    status: row.status === 'active' ? 'active' : 'revoked',
    registeredBy: row.registeredBy,
    createdAtMs: row.createdAtMs,
  }
}

function presentCredential({ credentialId, secret }: NewCredential): z.input<typeof credentialShape> {
  return { credentialId, secret }
}
