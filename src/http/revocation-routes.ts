import { z } from 'zod'
import { agentCallbackShape, findAgentCallback, setAgentCallback } from '../broker/agent-callback.ts'
import type { Broker } from '../broker/broker.ts'
import type { CheckpointPublisher } from '../broker/publish-checkpoint.ts'
import { revocationReceiptFor } from '../broker/revocation-receipt.ts'
import { listRevocations, type RevocationView, showRevocation } from '../broker/show-revocation.ts'
import { BECAME } from '../core/revocation/became-of.ts'
import {
  REVOCATION_SCOPES,
  revocationReceiptShape,
  TOLD_STATES,
} from '../core/revocation/revocation-receipt.ts'
import type { RevocationRow } from '../ports/revocation-rows.ts'
import { pageAnswer, pageOf, pageQuery, pageShape } from './cursor.ts'
import { pathId, timeMs } from './path-id.ts'
import { problem } from './problem.ts'
import { type Route, route } from './route.ts'

const scopeShape = z.strictObject({ kind: z.enum(REVOCATION_SCOPES), id: z.string() })
const listedShape = z.strictObject({ revocationId: z.string(), scope: scopeShape, atMs: timeMs })
const revocationViewShape = listedShape.extend({
  grants: z.array(
    z.strictObject({
      grantId: z.string(),
      skill: z.string(),
      agentId: z.string(),
      status: z
        .strictObject({
          uri: z.string(),
          idx: z.int(),
          says: z.enum(['valid', 'invalid', 'suspended']),
        })
        .nullable(),
    }),
  ),
  questionsWithdrawn: z.int(),
  told: z.array(
    z.strictObject({
      kind: z.enum(['skill', 'agent']),
      id: z.string(),
      state: z.enum(TOLD_STATES),
      atMs: timeMs.nullable(),
      attempts: z.int(),
      fault: z.string().nullable(),
    }),
  ),
  /** Agents whose MCP sessions were told that their tools changed. */
  sessionsOf: z.array(z.string()),
  actions: z.array(
    z.strictObject({
      actionId: z.string(),
      skill: z.string(),
      action: z.string(),
      became: z.enum(BECAME),
      isOpen: z.boolean(),
      cancel: z.string().nullable(),
      settledAtMs: timeMs.nullable(),
      currency: z.string().nullable(),
      takenMinor: z.int(),
      heldMinor: z.int(),
    }),
  ),
})

/** What became of a revocation: who was told, who confirmed, and what was under way. */
export function revocationRoutes(broker: Broker, publisher: Pick<CheckpointPublisher, 'newest'>): Route[] {
  return [...receiptRoutes(broker, publisher), ...callbackRoutes(broker)]
}

function receiptRoutes(broker: Broker, publisher: Pick<CheckpointPublisher, 'newest'>): Route[] {
  const common = { method: 'get', callers: ['user'], tag: 'Grants' } as const
  return [
    route({
      ...common,
      path: '/v1/revocations',
      summary: 'List revocations, newest first',
      description:
        'Those an operator made by a freeze are among them, where something of yours was under way.',
      query: z.strictObject(pageQuery),
      responses: { 200: { description: 'A page of revocations.', shape: pageShape(listedShape) } },
      problems: ['invalid_cursor'],
      async handle({ caller, query }) {
        const page = pageOf(query)
        const { userId } = caller
        const rows = await listRevocations(broker, { userId, page: { ...page, limit: page.limit + 1 } })
        const place = (row: RevocationRow) => ({ atMs: row.atMs, id: row.id })
        return { status: 200, body: pageAnswer(rows, page.limit, place, presentListed) }
      },
    }),
    route({
      ...common,
      path: '/v1/revocations/{id}',
      summary: 'Show who was told of a revocation, who confirmed, and what became of what was under way',
      description: 'It is worked out anew each time: late outcomes and late confirmations are in it.',
      params: pathId,
      responses: { 200: { description: 'The revocation as it stands now.', shape: revocationViewShape } },
      problems: ['not_found'],
      async handle({ caller, params }) {
        const found = await showRevocation(broker, { userId: caller.userId, revocationId: params.id })
        if (found.kind === 'not_found') return problem('not_found')
        return { status: 200, body: present(found.revocation) }
      },
    }),
    route({
      ...common,
      path: '/v1/revocations/{id}/receipt',
      summary: 'Get the signed receipt of a revocation, with its proof in the log',
      params: pathId,
      responses: {
        200: { description: 'For `verifyRevocationReceipt` of the SDK.', shape: revocationReceiptShape },
      },
      problems: ['not_found', 'receipt_not_yet'],
      async handle({ caller, params }) {
        const which = { userId: caller.userId, revocationId: params.id }
        const made = await revocationReceiptFor(broker, publisher, which)
        if (made.kind === 'receipt') return { status: 200, body: made.receipt }
        if (made.kind === 'not_yet') return problem('receipt_not_yet', { headers: { 'retry-after': '1' } })
        return problem('not_found')
      },
    }),
  ]
}

function callbackRoutes(broker: Broker): Route[] {
  const shape = z.strictObject({ url: z.string().nullable() })
  return [
    route({
      method: 'get',
      path: '/v1/agent/callback',
      callers: ['agent'],
      tag: 'Agents',
      summary: 'Get where this agent is told that its authority changed',
      responses: { 200: { description: 'The address, or null.', shape } },
      problems: [],
      async handle({ caller }) {
        return { status: 200, body: { url: (await findAgentCallback(broker, caller))?.url ?? null } }
      },
    }),
    route({
      method: 'put',
      path: '/v1/agent/callback',
      callers: ['agent'],
      tag: 'Agents',
      summary: 'Set where this agent is told that its authority changed',
      description:
        'An https address; null for none. Events are signed by RFC 9421 with the key of the purpose `event`, and are confirmed by answering `{"confirmed": "<id>"}`.',
      body: agentCallbackShape,
      responses: { 200: { description: 'The address, or null.', shape } },
      problems: ['agent_not_connected', 'callback_refused'],
      async handle({ caller, body }) {
        const { userId, agentId } = caller
        const done = await setAgentCallback(broker, { userId, agentId, url: body.url })
        if (done.kind === 'set') return { status: 200, body: { url: done.url } }
        if (done.kind === 'callback_refused') return problem(done.kind, { detail: done.message })
        return problem(done.kind)
      },
    }),
  ]
}

function presentListed({ id, scopeKind, scopeId, atMs }: RevocationRow): z.input<typeof listedShape> {
  const kind = REVOCATION_SCOPES.find((known) => known === scopeKind) ?? 'everything'
  return { revocationId: id, scope: { kind, id: scopeId }, atMs }
}

function present({ scope, eventId: _, ...view }: RevocationView): z.input<typeof revocationViewShape> {
  const kind = REVOCATION_SCOPES.find((known) => known === scope.kind) ?? 'everything'
  return {
    ...view,
    scope: { kind, id: scope.id },
    grants: [...view.grants],
    told: [...view.told],
    sessionsOf: [...view.sessionsOf],
    actions: [...view.actions],
  }
}
