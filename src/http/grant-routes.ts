import { z } from 'zod'
import type { Broker } from '../broker/broker.ts'
import type { CancelInFlight } from '../broker/cancel-in-flight.ts'
import {
  confirmGrant,
  type GrantNarrowed,
  type GrantPaused,
  type GrantRenewed,
  narrowGrant,
  narrowGrantShape,
  pauseGrant,
  renewGrant,
  renewGrantShape,
  resumeGrant,
} from '../broker/change-grant.ts'
import { type GrantSummary, grantSummary, listGrants } from '../broker/list-grants.ts'
import { revokeAuthority, revokeScopeShape } from '../broker/revoke-authority.ts'
import type { RevokeScope } from '../broker/revoke-in-scope.ts'
import { showGrant } from '../broker/show-grant.ts'
import type { GrantRow } from '../ports/rows.ts'
import type { Answer } from './answer.ts'
import {
  budgetUsageShape,
  grantSummaryShape,
  grantUseShape,
  revocationShape,
  shownShape,
} from './consent-shapes.ts'
import { pageAnswer, pageOf, pageQuery, pageShape } from './cursor.ts'
import { pathId } from './path-id.ts'
import { problem } from './problem.ts'
import { type Route, route } from './route.ts'
import { narrowFaults } from './terms-faults.ts'

const grantShape = z.strictObject({ grant: grantSummaryShape })
const usedGrantShape = grantSummaryShape.extend(grantUseShape.shape)
const grantViewShape = usedGrantShape.extend({
  agentName: z.string(),
  outdated: z.record(z.string(), z.array(z.looseObject({}))),
  usage: z.array(budgetUsageShape),
  shown: shownShape,
})

export function grantRoutes(broker: Broker, cancel: CancelInFlight): Route[] {
  return [...lookRoutes(broker), ...changeRoutes(broker), ...revokeRoutes(broker, cancel)]
}

function lookRoutes(broker: Broker): Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/grants',
      callers: ['user'],
      tag: 'Grants',
      summary: 'List what was allowed, newest first',
      query: z.strictObject(pageQuery),
      responses: {
        200: { description: 'A page of grants of every state.', shape: pageShape(usedGrantShape) },
      },
      problems: ['invalid_cursor'],
      async handle({ caller, query }) {
        const page = pageOf(query)
        const { userId } = caller
        const rows = await listGrants(broker, { userId, page: { ...page, limit: page.limit + 1 } })
        const place = (row: GrantSummary) => ({ atMs: row.createdAtMs, id: row.grantId })
        return { status: 200, body: pageAnswer(rows, page.limit, place, (row) => row) }
      },
    }),
    route({
      method: 'get',
      path: '/v1/grants/{id}',
      callers: ['user'],
      tag: 'Grants',
      summary: 'Show a grant in plain sentences, with what is used of it',
      params: pathId,
      responses: { 200: { description: 'The grant.', shape: grantViewShape } },
      problems: ['not_found'],
      async handle({ caller, params }) {
        const found = await showGrant(broker, { userId: caller.userId, grantId: params.id })
        return found.kind === 'found' ? { status: 200, body: found.grant } : problem('not_found')
      },
    }),
  ]
}

function changeRoutes(broker: Broker): Route[] {
  const common = {
    method: 'post',
    callers: ['user'],
    tag: 'Grants',
    params: pathId,
    responses: { 200: { description: 'The grant as it is now.', shape: grantShape } },
  } as const
  return [
    route({
      ...common,
      path: '/v1/grants/{id}/narrow',
      summary: 'Make a grant allow less',
      body: narrowGrantShape,
      problems: ['not_found', 'grant_not_in_state', 'not_narrower'],
      async handle({ caller, params, body }) {
        const { userId } = caller
        return changed(broker, await narrowGrant(broker, { userId, grantId: params.id, terms: body.terms }))
      },
    }),
    route({
      ...common,
      path: '/v1/grants/{id}/renew',
      summary: 'Give a grant a later end',
      needsStepUp: () => true,
      body: renewGrantShape,
      problems: [
        'not_found',
        'grant_ended',
        'expiry_passed',
        'expiry_not_later',
        'expiry_too_far',
        'recovered_recently',
      ],
      async handle({ caller, params, body }) {
        return changed(
          broker,
          await renewGrant(broker, { ...body, userId: caller.userId, grantId: params.id }),
        )
      },
    }),
    route({
      ...common,
      path: '/v1/grants/{id}/pause',
      summary: 'Stop a grant until it is resumed',
      problems: ['not_found', 'grant_not_in_state'],
      async handle({ caller, params }) {
        return changed(broker, await pauseGrant(broker, { userId: caller.userId, grantId: params.id }))
      },
    }),
    route({
      ...common,
      path: '/v1/grants/{id}/confirm',
      summary: 'Say yes once more to a grant that a restore has suspended',
      needsStepUp: () => true,
      description: 'It goes on with the same terms and the same end. To end it instead, revoke it.',
      problems: ['not_found', 'grant_not_in_state', 'recovered_recently'],
      async handle({ caller, params }) {
        return changed(broker, await confirmGrant(broker, { userId: caller.userId, grantId: params.id }))
      },
    }),
    route({
      ...common,
      path: '/v1/grants/{id}/resume',
      summary: 'Let a paused grant go on',
      needsStepUp: () => true,
      problems: ['not_found', 'grant_not_in_state', 'recovered_recently'],
      async handle({ caller, params }) {
        return changed(broker, await resumeGrant(broker, { userId: caller.userId, grantId: params.id }))
      },
    }),
  ]
}

function revokeRoutes(broker: Broker, cancel: CancelInFlight): Route[] {
  async function revoke(userId: string, scope: RevokeScope): Promise<Answer> {
    const revoked = await revokeAuthority(broker, { userId, scope }, cancel)
    if (revoked.kind === 'not_found') return problem('not_found')
    const { revocationId, revocation, cancelled } = revoked
    return { status: 200, body: { revocationId, revocation, cancelled } }
  }
  const common = {
    method: 'post',
    callers: ['user'],
    tag: 'Grants',
    responses: {
      200: {
        description:
          'What was revoked, every permit that is not settled, and what became of calls in flight.',
        shape: revocationShape,
      },
    },
    problems: ['not_found'],
  } as const
  return [
    route({
      ...common,
      path: '/v1/grants/{id}/revoke',
      summary: 'Revoke one grant',
      params: pathId,
      handle: ({ caller, params }) => revoke(caller.userId, { kind: 'grant', id: params.id }),
    }),
    route({
      ...common,
      path: '/v1/revocations',
      summary: 'Revoke a grant, an agent, a skill, or everything at once',
      description: 'When this answers, no later decision permits under what was revoked.',
      body: z.strictObject({ scope: revokeScopeShape }),
      handle: ({ caller, body }) => revoke(caller.userId, body.scope),
    }),
  ]
}

function changed(broker: Broker, outcome: GrantPaused | GrantNarrowed | GrantRenewed): Answer {
  switch (outcome.kind) {
    case 'changed':
      return { status: 200, body: { grant: grantAnswer(broker, outcome.grant) } }
    case 'not_found':
    case 'recovered_recently':
      return problem(outcome.kind)
    case 'not_possible':
      return problem('grant_not_in_state', { members: { state: outcome.state } })
    case 'not_narrower':
      return problem('not_narrower', { faults: narrowFaults(outcome.faults) })
    case 'not_renewable':
      return problem(outcome.code)
  }
}

/** A grant's row as its user sees it now. */
export function grantAnswer(broker: Broker, row: GrantRow): GrantSummary {
  return grantSummary(row, broker.store.now().nowMs)
}
