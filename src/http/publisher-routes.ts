import { z } from 'zod'
import { type AddPublisherKeyOutcome, addPublisherKey } from '../broker/add-publisher-key.ts'
import type { Broker } from '../broker/broker.ts'
import { type RevokePublisherKeyOutcome, revokePublisherKey } from '../broker/revoke-publisher-key.ts'
import { type SubmitManifestOutcome, submitManifest } from '../broker/submit-manifest.ts'
import type { JsonValue } from '../core/json-value.ts'
import type { Answer } from './answer.ts'
import { pathId } from './path-id.ts'
import { problem } from './problem.ts'
import { type Route, route } from './route.ts'

/** The largest manifest and its signature, as `core/manifest` accepts it. */
const MANIFEST_BYTES_MOST = 300 * 1024

const anyObject = z
  .custom<JsonValue>((value) => typeof value === 'object' && value !== null && !Array.isArray(value))
  .meta({ type: 'object' })
const signature = z.string().min(1).max(4096)
const faultShape = z.looseObject({ pointer: z.string(), code: z.string(), message: z.string() })

export const submittedShape = z.strictObject({
  digest: z.string(),
  status: z.string(),
  isNew: z.boolean(),
  warnings: z.array(faultShape),
  changes: z.record(z.string(), z.array(z.looseObject({}))).nullable(),
})
export const revokedKeyShape = z.strictObject({
  suspended: z.array(z.strictObject({ skill: z.string(), version: z.int() })),
  suspectKids: z.array(z.string()),
})

/** What publishers do. The signature is the credential: whoever holds a living key speaks for the publisher. */
export function publisherRoutes(broker: Broker): Route[] {
  return [
    route({
      method: 'post',
      path: '/v1/manifests',
      callers: [],
      tag: 'Publishers',
      summary: 'Submit a signed manifest',
      description: 'It waits for the operators. A version sent again is answered as before.',
      bodyBytesMost: MANIFEST_BYTES_MOST,
      body: z.strictObject({ manifest: anyObject, signature }),
      responses: {
        200: { description: 'This version was submitted before.', shape: submittedShape },
        201: { description: 'It waits for the operators.', shape: submittedShape },
      },
      problems: [
        'manifest_faults',
        'publisher_unknown',
        'signature_refused',
        'skill_of_other_publisher',
        'version_has_other_digest',
        'version_not_above',
        'too_many_waiting',
        'tool_name_taken',
      ],
      async handle({ body }) {
        return submittedAnswer(await submitManifest(broker, body))
      },
    }),
    route({
      method: 'post',
      path: '/v1/publishers/{id}/keys',
      callers: [],
      tag: 'Publishers',
      summary: 'Add a key, signed by one of the living ones',
      params: pathId,
      body: z.strictObject({ jwk: anyObject, signature }),
      responses: {
        201: { description: 'The key signs from now on.', shape: z.strictObject({ kid: z.string() }) },
      },
      problems: [
        'signature_refused',
        'key_refused',
        'key_was_revoked',
        'key_already_living',
        'too_many_keys',
      ],
      async handle({ params, body }) {
        const by = { kind: 'key', signature: body.signature } as const
        return keyAddedAnswer(await addPublisherKey(broker, { publisherId: params.id, jwk: body.jwk, by }))
      },
    }),
    route({
      method: 'post',
      path: '/v1/publishers/{id}/keys/{kid}/revoke',
      callers: [],
      tag: 'Publishers',
      summary: 'Revoke a key for ever, signed by any living one',
      params: pathId.extend({ kid: z.string().max(128) }),
      body: z.strictObject({ signature }),
      responses: { 200: { description: 'What is suspended by it.', shape: revokedKeyShape } },
      problems: ['signature_refused', 'key_unknown', 'key_already_revoked'],
      async handle({ params, body }) {
        const by = { kind: 'key', signature: body.signature } as const
        return keyRevokedAnswer(
          await revokePublisherKey(broker, { publisherId: params.id, kid: params.kid, by }),
        )
      },
    }),
  ]
}

function submittedAnswer(outcome: SubmitManifestOutcome): Answer {
  switch (outcome.kind) {
    case 'submitted': {
      const { kind: _, ...body } = outcome
      return { status: outcome.isNew ? 201 : 200, body }
    }
    case 'manifest_faults':
      return problem('manifest_faults', { members: { reasons: outcome.faults } })
    case 'signature_refused':
      return problem('signature_refused', { detail: outcome.message, members: { fault: outcome.code } })
    default: {
      const { kind, ...members } = outcome
      return problem(kind, { members })
    }
  }
}

export function keyAddedAnswer(outcome: AddPublisherKeyOutcome): Answer {
  switch (outcome.kind) {
    case 'added':
      return { status: 201, body: { kid: outcome.kid } }
    case 'key_refused':
      return problem('key_refused', { detail: outcome.fault.message, members: { fault: outcome.fault.code } })
    case 'signature_refused':
      return problem('signature_refused', { detail: outcome.message, members: { fault: outcome.code } })
    case 'reason_refused':
      return problem('reason_refused', { detail: outcome.message })
    default:
      return problem(outcome.kind)
  }
}

export function keyRevokedAnswer(outcome: RevokePublisherKeyOutcome): Answer {
  switch (outcome.kind) {
    case 'revoked':
      return { status: 200, body: { suspended: outcome.suspended, suspectKids: outcome.suspectKids } }
    case 'signature_refused':
      return problem('signature_refused', { detail: outcome.message, members: { fault: outcome.code } })
    case 'reason_refused':
      return problem('reason_refused', { detail: outcome.message })
    default:
      return problem(outcome.kind)
  }
}
