import { z } from 'zod'
import type { Answer } from './answer.ts'
import { DOCS_CSP, docsPage, problemPage } from './docs-page.ts'
import { openApiDocument } from './openapi.ts'
import { problem } from './problem.ts'
import { isProblemCode, PROBLEMS } from './problem-codes.ts'
import { type Route, route } from './route.ts'

/** The version of the API, which only gains members while it stays. */
const API_VERSION = '1.0.0'

/** The description of the given routes, for programs and for people. */
export function documentationRoutes(routes: readonly Route[], issuer: string): Route[] {
  const document = openApiDocument(routes, issuer, API_VERSION)
  const page = docsPage(document)
  return [
    route({
      method: 'get',
      path: '/openapi.json',
      callers: [],
      tag: 'Service',
      summary: 'This description',
      isHidden: true,
      responses: { 200: { description: 'OpenAPI 3.1.', shape: z.looseObject({ openapi: z.string() }) } },
      problems: [],
      handle: () => ({ status: 200, body: document }),
    }),
    route({
      method: 'get',
      path: '/docs',
      callers: [],
      tag: 'Service',
      summary: 'The same for people',
      isHidden: true,
      responses: { 200: { description: 'A page.', mediaType: 'text/html; charset=utf-8' } },
      problems: [],
      handle: () => htmlAnswer(page),
    }),
    route({
      method: 'get',
      path: '/problems/{code}',
      callers: [],
      tag: 'Service',
      summary: 'What a problem means',
      isHidden: true,
      params: z.strictObject({ code: z.string() }),
      responses: { 200: { description: 'A page.', mediaType: 'text/html; charset=utf-8' } },
      problems: ['not_found'],
      handle: ({ params }) =>
        isProblemCode(params.code)
          ? htmlAnswer(problemPage(params.code, PROBLEMS[params.code]))
          : problem('not_found'),
    }),
  ]
}

function htmlAnswer(html: string): Answer {
  return {
    status: 200,
    headers: { 'content-security-policy': DOCS_CSP },
    content: { type: 'text/html; charset=utf-8', bytes: html },
  }
}
