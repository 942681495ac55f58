import { z } from 'zod'
import { addPublisherKey } from '../broker/add-publisher-key.ts'
import { type ApproveManifestOutcome, approveManifest, resumeManifest } from '../broker/approve-manifest.ts'
import type { Broker } from '../broker/broker.ts'
import { listManifests, type ManifestSummary, showManifest } from '../broker/list-manifests.ts'
import { listPublishers } from '../broker/list-publishers.ts'
import { registerPublisher } from '../broker/register-publisher.ts'
import { revokePublisherKey } from '../broker/revoke-publisher-key.ts'
import { revokeManifest, type StopManifestOutcome, suspendManifest } from '../broker/suspend-manifest.ts'
import type { Answer } from './answer.ts'
import { actOf, reason, reasonBody } from './operator-reason.ts'
import { pathId, timeMs } from './path-id.ts'
import { problem } from './problem.ts'
import { keyAddedAnswer, keyRevokedAnswer, revokedKeyShape } from './publisher-routes.ts'
import { type Route, route } from './route.ts'

const jwk = z.unknown().meta({ type: 'object', description: 'A public key as a JWK (RFC 7517).' })
const digestParams = z.strictObject({ digest: z.string().max(64) })
const versionShape = z.strictObject({
  digest: z.string(),
  skill: z.string(),
  version: z.int(),
  publisherId: z.string(),
  kid: z.string(),
  status: z.string(),
  reason: z.string().nullable(),
  submittedAtMs: timeMs,
  changedAtMs: timeMs,
  isCurrent: z.boolean(),
})
const publisherShape = z.strictObject({
  publisherId: z.string(),
  createdAtMs: timeMs,
  keys: z.array(
    z.strictObject({ kid: z.string(), state: z.string(), addedBy: z.string(), addedAtMs: timeMs }),
  ),
})
const common = { callers: ['operator'], tag: 'Operators: publishers' } as const

/** What operators decide about publishers and versions of manifests. */
export function operatorRegistryRoutes(broker: Broker): Route[] {
  return [...publishers(broker), ...versions(broker), ...changes(broker)]
}

function publishers(broker: Broker): Route[] {
  return [
    route({
      ...common,
      method: 'get',
      path: '/v1/operator/publishers',
      summary: 'List publishers with their keys',
      responses: {
        200: { description: 'All publishers.', shape: z.strictObject({ items: z.array(publisherShape) }) },
      },
      problems: [],
      async handle() {
        return { status: 200, body: { items: await listPublishers(broker) } }
      },
    }),
    route({
      ...common,
      method: 'post',
      path: '/v1/operator/publishers',
      summary: 'Let a publisher in with its first key',
      body: z.strictObject({ publisher: z.string().max(253), jwk, reason }),
      responses: {
        201: {
          description: 'The publisher may submit manifests.',
          shape: z.strictObject({ publisherId: z.string(), kid: z.string() }),
        },
      },
      problems: ['reason_refused', 'publisher_id_refused', 'key_refused', 'already_registered'],
      async handle({ caller, body }) {
        const act = actOf(caller, body.reason)
        const done = await registerPublisher(broker, { ...act, publisherId: body.publisher, jwk: body.jwk })
        switch (done.kind) {
          case 'registered':
            return { status: 201, body: { publisherId: done.publisherId, kid: done.kid } }
          case 'key_refused':
            return problem('key_refused', { detail: done.fault.message, members: { fault: done.fault.code } })
          case 'reason_refused':
            return problem('reason_refused', { detail: done.message })
          default:
            return problem(done.kind)
        }
      },
    }),
    route({
      ...common,
      method: 'post',
      path: '/v1/operator/publishers/{id}/keys',
      summary: 'Let a key of a publisher in',
      params: pathId,
      body: z.strictObject({ jwk, reason }),
      responses: {
        201: { description: 'The key signs from now on.', shape: z.strictObject({ kid: z.string() }) },
      },
      problems: [
        'publisher_unknown',
        'key_refused',
        'key_was_revoked',
        'key_already_living',
        'too_many_keys',
      ],
      async handle({ caller, params, body }) {
        const by = { kind: 'operator', ...actOf(caller, body.reason) } as const
        return keyAddedAnswer(await addPublisherKey(broker, { publisherId: params.id, jwk: body.jwk, by }))
      },
    }),
    route({
      ...common,
      method: 'post',
      path: '/v1/operator/publishers/{id}/keys/{kid}/revoke',
      summary: 'Revoke a key of a publisher, and suspend what only it signed',
      params: pathId.extend({ kid: z.string().max(128) }),
      body: reasonBody,
      responses: { 200: { description: 'What is suspended by it.', shape: revokedKeyShape } },
      problems: ['key_unknown', 'key_already_revoked'],
      async handle({ caller, params, body }) {
        const by = { kind: 'operator', ...actOf(caller, body.reason) } as const
        return keyRevokedAnswer(
          await revokePublisherKey(broker, { publisherId: params.id, kid: params.kid, by }),
        )
      },
    }),
  ]
}

function versions(broker: Broker): Route[] {
  return [
    route({
      ...common,
      method: 'get',
      path: '/v1/operator/manifests',
      summary: 'List versions by status, or of one skill',
      query: z
        .strictObject({
          status: z.enum(['submitted', 'approved', 'suspended', 'revoked']).optional(),
          skill: z.string().max(64).optional(),
        })
        .refine(({ status, skill }) => status === undefined || skill === undefined, {
          message: 'give one of them',
        }),
      responses: {
        200: { description: 'The versions.', shape: z.strictObject({ items: z.array(versionShape) }) },
      },
      problems: [],
      async handle({ query: { status, skill } }) {
        const by = skill === undefined ? { status: status ?? 'submitted' } : { skillId: skill }
        return { status: 200, body: { items: (await listManifests(broker, by)).map(presentVersion) } }
      },
    }),
    route({
      ...common,
      method: 'get',
      path: '/v1/operator/manifests/{digest}',
      summary: 'Show a version with all a reviewer looks at',
      params: digestParams,
      responses: {
        200: {
          description: 'The manifest, what lint says of it, and what it asks beyond the current one.',
          shape: z.strictObject({
            summary: versionShape,
            manifest: z.looseObject({}),
            signature: z.string(),
            faults: z.array(z.looseObject({})),
            changes: z.record(z.string(), z.array(z.looseObject({}))).nullable(),
          }),
        },
      },
      problems: ['not_found'],
      async handle({ params }) {
        const shown = await showManifest(broker, params.digest)
        if (shown.kind === 'manifest_unknown') return problem('not_found')
        const { kind: _, summary, ...body } = shown
        return { status: 200, body: { summary: presentVersion(summary), ...body } }
      },
    }),
  ]
}

function presentVersion({ skillId: skill, ...summary }: ManifestSummary): z.input<typeof versionShape> {
  return { skill, ...summary }
}

function changes(broker: Broker): Route[] {
  const approvedShape = z.strictObject({ skill: z.string(), version: z.int() })
  const stoppedShape = z.strictObject({ status: z.enum(['suspended', 'revoked']), wasCurrent: z.boolean() })
  const approving = {
    ...common,
    method: 'post',
    params: digestParams,
    body: z.strictObject({ reason, goingBack: z.boolean().optional() }),
    responses: { 200: { description: "It is its skill's current version.", shape: approvedShape } },
    problems: [
      'not_found',
      'wrong_status',
      'already_current',
      'skill_of_other_publisher',
      'key_not_living',
      'manifest_faults',
      'going_back_not_said',
      'tool_name_taken',
    ],
  } as const
  const stopping = {
    ...common,
    method: 'post',
    params: digestParams,
    body: reasonBody,
    responses: { 200: { description: 'Every action of it is refused from now on.', shape: stoppedShape } },
    problems: ['not_found', 'wrong_status'],
  } as const
  return [
    route({
      ...approving,
      path: '/v1/operator/manifests/{digest}/approve',
      summary: 'Approve a waiting version, or go back to an approved one',
      async handle({ caller, params, body: { reason: why, goingBack = false } }) {
        return approvedAnswer(await approveManifest(broker, { ...actOf(caller, why), ...params, goingBack }))
      },
    }),
    route({
      ...approving,
      path: '/v1/operator/manifests/{digest}/resume',
      summary: 'Take a suspension back',
      async handle({ caller, params, body: { reason: why, goingBack = false } }) {
        return approvedAnswer(await resumeManifest(broker, { ...actOf(caller, why), ...params, goingBack }))
      },
    }),
    route({
      ...stopping,
      path: '/v1/operator/manifests/{digest}/suspend',
      summary: 'Suspend a version until somebody resumes it',
      async handle({ caller, params, body }) {
        return stoppedAnswer(await suspendManifest(broker, { ...actOf(caller, body.reason), ...params }))
      },
    }),
    route({
      ...stopping,
      path: '/v1/operator/manifests/{digest}/revoke',
      summary: 'Revoke a version for ever',
      async handle({ caller, params, body }) {
        return stoppedAnswer(await revokeManifest(broker, { ...actOf(caller, body.reason), ...params }))
      },
    }),
  ]
}

function approvedAnswer(outcome: ApproveManifestOutcome): Answer {
  switch (outcome.kind) {
    case 'approved':
      return { status: 200, body: { skill: outcome.skill, version: outcome.version } }
    case 'manifest_unknown':
      return problem('not_found')
    case 'reason_refused':
      return problem('reason_refused', { detail: outcome.message })
    case 'manifest_faults':
      return problem('manifest_faults', { members: { reasons: outcome.faults } })
    case 'wrong_status':
      return problem('wrong_status', { members: { manifestStatus: outcome.status } })
    default: {
      const { kind, ...members } = outcome
      return problem(kind, { members })
    }
  }
}

function stoppedAnswer(outcome: StopManifestOutcome): Answer {
  switch (outcome.kind) {
    case 'suspended':
    case 'revoked':
      return { status: 200, body: { status: outcome.kind, wasCurrent: outcome.wasCurrent } }
    case 'manifest_unknown':
      return problem('not_found')
    case 'reason_refused':
      return problem('reason_refused', { detail: outcome.message })
    case 'wrong_status':
      return problem('wrong_status', { members: { manifestStatus: outcome.status } })
  }
}
