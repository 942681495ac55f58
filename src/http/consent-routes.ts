import { z } from 'zod'
import { approveConsent, approveConsentShape, refuseConsent } from '../broker/answer-consent.ts'
import type { Broker } from '../broker/broker.ts'
import { consentRequestShape } from '../broker/consent-wish.ts'
import type { HeldQuestions } from '../broker/held-questions.ts'
import { type ConsentRequested, requestConsent } from '../broker/request-consent.ts'
import {
  checkConsentRequest,
  listConsentRequests,
  showConsentRequest,
} from '../broker/show-consent-request.ts'
import { consentNeedsStepUp } from '../broker/step-up-facts.ts'
import { grantTermsShape } from '../core/grant/terms.ts'
import type { Answer } from './answer.ts'
import { grantSummaryShape, shownShape } from './consent-shapes.ts'
import { pageAnswer, pageOf, pageQuery, pageShape } from './cursor.ts'
import { grantAnswer } from './grant-routes.ts'
import { pathId, timeMs } from './path-id.ts'
import { problem } from './problem.ts'
import { type Route, route } from './route.ts'
import { narrowFaults, termsFaults } from './terms-faults.ts'
import { consentUrlOf, waitQuery, withinMsOf } from './wait-query.ts'

const stateShape = z.enum(['pending', 'approved', 'refused', 'withdrawn', 'expired'])

const askedShape = z.strictObject({
  requestId: z.string(),
  /** The page its user answers on; for anybody else there is nothing there. */
  consentUrl: z.string(),
  state: stateShape,
  grantId: z.string().nullable(),
  expiresAtMs: timeMs,
})

const summaryShape = askedShape.omit({ consentUrl: true }).extend({
  agentId: z.string(),
  skill: z.string(),
  purpose: z.string(),
  renewsGrantId: z.string().nullable(),
  createdAtMs: timeMs,
  decidedAtMs: timeMs.nullable(),
})

const viewShape = summaryShape.extend({
  agentName: z.string(),
  manifestChanged: z.boolean(),
  terms: grantTermsShape,
  shown: shownShape,
})

const refusedShape = z.strictObject({ state: z.literal('refused') })

export function consentRoutes(broker: Broker, held: HeldQuestions): Route[] {
  const { issuer } = broker.settings
  return [
    route({
      method: 'post',
      path: '/v1/consent-requests',
      callers: ['agent'],
      tag: 'Consent',
      summary: 'Ask the user for consent',
      description:
        'What is left out is filled in as narrowly as makes sense. The same question asked again while it is open is the same question.',
      body: consentRequestShape,
      responses: {
        200: { description: 'This question was open already.', shape: askedShape },
        201: { description: 'The question is put before the user.', shape: askedShape },
      },
      problems: [
        'agent_not_connected',
        'frozen',
        'skill_unknown',
        'skill_suspended',
        'invalid_terms',
        'not_found',
        'nothing_to_renew',
        'renewal_differs',
        'asked_too_often',
      ],
      async handle({ caller, body }) {
        const { userId, agentId } = caller
        return requestedAnswer(issuer, await requestConsent(broker, { ...body, userId, agentId }))
      },
    }),
    route({
      method: 'get',
      path: '/v1/consent-requests',
      callers: ['user'],
      tag: 'Consent',
      summary: 'List what agents ask for, newest first',
      query: z.strictObject(pageQuery),
      responses: { 200: { description: 'A page of questions.', shape: pageShape(summaryShape) } },
      problems: ['invalid_cursor'],
      async handle({ caller, query }) {
        const page = pageOf(query)
        const { userId } = caller
        const rows = await listConsentRequests(broker, { userId, page: { ...page, limit: page.limit + 1 } })
        const place = (row: (typeof rows)[number]) => ({ atMs: row.createdAtMs, id: row.requestId })
        return { status: 200, body: pageAnswer(rows, page.limit, place, (row) => row) }
      },
    }),
    route({
      method: 'get',
      path: '/v1/consent-requests/{id}',
      callers: ['agent', 'user'],
      tag: 'Consent',
      summary: 'Show a question',
      description:
        'Its user sees it in full, in both languages; the agent that asked sees how it stands, and may wait for the answer.',
      params: pathId,
      query: waitQuery,
      responses: { 200: { description: 'The question.', shape: z.union([viewShape, askedShape]) } },
      problems: ['not_found'],
      async handle({ caller, params, query }) {
        const { userId } = caller
        if (caller.kind === 'agent') {
          const { agentId } = caller
          await held.wait({ userId, agentId, id: params.id, withinMs: withinMsOf(query) })
          const found = await checkConsentRequest(broker, { userId, agentId, requestId: params.id })
          if (found.kind === 'not_found') return problem('not_found')
          const { kind: _, ...asked } = found
          return { status: 200, body: { ...asked, consentUrl: consentUrlOf(issuer, params.id) } }
        }
        const found = await showConsentRequest(broker, { userId, requestId: params.id })
        return found.kind === 'found' ? { status: 200, body: found.request } : problem('not_found')
      },
    }),
    route({
      method: 'post',
      path: '/v1/consent-requests/{id}/approve',
      callers: ['user'],
      tag: 'Consent',
      summary: 'Say yes, to all of it or to less',
      params: pathId,
      body: approveConsentShape,
      responses: {
        200: {
          description: 'The grant, and the grants it takes the place of.',
          shape: z.strictObject({ grant: grantSummaryShape, replaced: z.array(z.string()) }),
        },
      },
      problems: [
        'not_found',
        'already_answered',
        'question_expired',
        'agent_not_connected',
        'manifest_changed',
        'grant_changed',
        'shown_differs',
        'recovered_recently',
        'not_narrower',
        'invalid_terms',
      ],
      needsStepUp: ({ caller, params, body }) =>
        consentNeedsStepUp(broker, { userId: caller.userId, requestId: params.id, given: body.given }),
      async handle({ caller, params, body }) {
        const approved = await approveConsent(broker, {
          ...body,
          userId: caller.userId,
          requestId: params.id,
        })
        switch (approved.kind) {
          case 'approved':
            return {
              status: 200,
              body: { grant: grantAnswer(broker, approved.grant), replaced: approved.replaced },
            }
          case 'already_answered':
            return problem('already_answered', { members: { state: approved.state } })
          case 'expired':
            return problem('question_expired')
          case 'not_narrower':
            return problem('not_narrower', { faults: narrowFaults(approved.faults) })
          case 'invalid':
            return problem('invalid_terms', { faults: termsFaults(approved.faults) })
          default:
            return problem(approved.kind)
        }
      },
    }),
    route({
      method: 'post',
      path: '/v1/consent-requests/{id}/refuse',
      callers: ['user'],
      tag: 'Consent',
      summary: 'Say no',
      params: pathId,
      responses: { 200: { description: 'The agent has to wait before it asks again.', shape: refusedShape } },
      problems: ['not_found', 'already_answered', 'question_expired'],
      async handle({ caller, params }) {
        const refused = await refuseConsent(broker, { userId: caller.userId, requestId: params.id })
        switch (refused.kind) {
          case 'refused':
            return { status: 200, body: { state: 'refused' } }
          case 'already_answered':
            return problem('already_answered', { members: { state: refused.state } })
          case 'expired':
            return problem('question_expired')
          case 'not_found':
            return problem('not_found')
        }
      },
    }),
  ]
}

function requestedAnswer(issuer: string, requested: ConsentRequested): Answer {
  switch (requested.kind) {
    case 'pending': {
      const { id: requestId, grantId, expiresAtMs } = requested.request
      const consentUrl = consentUrlOf(issuer, requestId)
      const body = { requestId, consentUrl, state: 'pending', grantId, expiresAtMs }
      return { status: requested.isNew ? 201 : 200, body }
    }
    case 'invalid':
      return problem('invalid_terms', { faults: termsFaults(requested.faults) })
    case 'renewal_differs':
      return problem('renewal_differs', { members: { fields: requested.fields } })
    case 'cooling_down':
    case 'too_many_open':
      return problem('asked_too_often')
    default:
      return problem(requested.kind)
  }
}
