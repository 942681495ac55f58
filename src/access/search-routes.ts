import { z } from 'zod'
import type { Broker } from '../broker/broker.ts'
import { searchActionNames, searchResources, searchSubjects } from '../broker/search-access.ts'
import { plainJson } from '../core/manifest/manifest-change.ts'
import { InvalidRequest } from '../http/problem.ts'
import { type Route, route } from '../http/route.ts'
import { common } from './evaluation-routes.ts'
import { findPoint } from './find-point.ts'
import { actionShape, contextShape, resourceShape, searchedShape, subjectShape } from './question-shapes.ts'
import { findPageOf, pageAnswerShape, pageShape, presentPage } from './search-page.ts'

const paged = { context: contextShape.optional(), page: pageShape.optional() }
const entityShape = z.strictObject({ type: z.string(), id: z.string() })

function answerShape<Result extends z.ZodType>(result: Result) {
  return z.strictObject({ results: z.array(result), page: pageAnswerShape.optional() })
}

/** The searches of AuthZEN 1.0: whatever an evaluation with the rest of the request would be true of. */
export function searchRoutes(broker: Broker): Route[] {
  return [
    route({
      ...common,
      method: 'post',
      path: '/access/v1/search/subject',
      summary: 'Find the users for whom an action is permitted',
      description:
        'AuthZEN 1.0 Subject Search, for enforcement points that operators let list users. Searches are not in the log.',
      body: z.object({ subject: searchedShape, action: actionShape, resource: resourceShape, ...paged }),
      responses: { 200: { description: 'A page of users.', shape: answerShape(entityShape) } },
      problems: ['invalid_cursor', 'users_not_listed'],
      async handle({ caller, body }) {
        const point = await findPoint(broker, caller)
        if (!point.mayListUsers) throw new InvalidRequest('users_not_listed')
        const { page, subject, ...rest } = body
        const question = { ...rest, subject: { ...subject, id: '' } }
        const place = findPageOf(page, plainJson(question))
        const found = await searchSubjects(broker, point, question, place)
        const results = found.ids.map((id) => ({ type: subject.type, id }))
        return { status: 200, body: { results, ...presentPage(found, page, plainJson(question)) } }
      },
    }),
    route({
      ...common,
      method: 'post',
      path: '/access/v1/search/resource',
      summary: 'Find the skills on which an action is permitted',
      description:
        'AuthZEN 1.0 Resource Search, among the skills this enforcement point is registered for. Searches are not in the log.',
      body: z.object({ subject: subjectShape, action: actionShape, resource: searchedShape, ...paged }),
      responses: { 200: { description: 'A page of skills.', shape: answerShape(entityShape) } },
      problems: ['invalid_cursor'],
      async handle({ caller, body }) {
        const point = await findPoint(broker, caller)
        const { page, resource, ...rest } = body
        const question = { ...rest, resource: { ...resource, id: '' } }
        const place = findPageOf(page, plainJson(question))
        const found = await searchResources(broker, point, question, place)
        const results = found.ids.map((id) => ({ type: resource.type, id }))
        return { status: 200, body: { results, ...presentPage(found, page, plainJson(question)) } }
      },
    }),
    route({
      ...common,
      method: 'post',
      path: '/access/v1/search/action',
      summary: 'Find the actions that are permitted on a skill',
      description:
        'AuthZEN 1.0 Action Search: the actions an evaluation with this subject, resource and context would be true of. Searches are not in the log.',
      body: z.object({ subject: subjectShape, resource: resourceShape, ...paged }),
      responses: {
        200: {
          description: 'A page of actions.',
          shape: answerShape(z.strictObject({ name: z.string() })),
        },
      },
      problems: ['invalid_cursor'],
      async handle({ caller, body }) {
        const point = await findPoint(broker, caller)
        const { page, ...question } = body
        const place = findPageOf(page, plainJson(question))
        const found = await searchActionNames(broker, point, question, place)
        const results = found.ids.map((name) => ({ name }))
        return { status: 200, body: { results, ...presentPage(found, page, plainJson(question)) } }
      },
    }),
  ]
}
