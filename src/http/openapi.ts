import type { z } from 'zod'
import { PROBLEMS, type ProblemCode } from './problem-codes.ts'
import { isBadInput, type Route } from './route.ts'
import { type Schema, SchemaBook } from './schema-book.ts'

/** The part of OpenAPI 3.1 that is written here. */
export type OpenApiDocument = {
  readonly openapi: '3.1.1'
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly servers: readonly { readonly url: string }[]
  readonly tags: readonly { readonly name: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, unknown>>
    readonly securitySchemes: Readonly<Record<string, unknown>>
  }
}

export type Operation = {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary: string
  readonly description?: string
  readonly security: readonly Readonly<Record<string, readonly string[]>>[]
  readonly parameters: readonly Parameter[]
  readonly requestBody?: {
    readonly required: boolean
    readonly content: { readonly 'application/json': { readonly schema: Schema } }
  }
  readonly responses: Readonly<Record<string, ApiResponse>>
  /** Problem codes by status; OpenAPI itself has no place for them. */
  readonly 'x-problems': Readonly<Record<string, readonly ProblemCode[]>>
}

export type Parameter = {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required: boolean
  readonly schema: Schema
  readonly description?: string
}

type ApiResponse = {
  readonly description: string
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>
}

const SECURITY_SCHEMES = {
  agent: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'An access token of an agent (RFC 9068, typ at+jwt), perhaps bound by DPoP (RFC 9449).',
  },
  user: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description:
      'The token countersign login stores (cst_…). Pages of the broker send the session cookie instead, with the header countersign-csrf for a change. No agent holds either.',
  },
  operator: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description:
      'The token countersign login --operator stores (cst_…), or the session cookie as for a user.',
  },
  enforcement_point: {
    type: 'http',
    scheme: 'bearer',
    description:
      'The secret of an enforcement point (cep_…), or a JWT it signs with its registered key (typ countersign-enforcement-point+jwt, 5 minutes at most). No agent’s, user’s or operator’s credential stands in for it.',
  },
}

/** Problems that need no mention by a route: what it declares already says that it can answer them. */
const ANY_ROUTE: readonly ProblemCode[] = [
  'host_not_allowed',
  'origin_not_allowed',
  'rate_limited',
  'stopping',
]
const ANY_CALLER: readonly ProblemCode[] = [
  'token_required',
  'token_invalid',
  'proof_invalid',
  'wrong_caller',
]
/** People may call by session too. */
const ANY_PERSON: readonly ProblemCode[] = ['cross_site', 'step_up_required']
const ANY_BODY: readonly ProblemCode[] = [
  'malformed_json',
  'duplicate_key',
  'lone_surrogate',
  'too_deep',
  'number_not_exact',
  'body_incomplete',
  'body_too_large',
  'unsupported_media_type',
  'invalid_request',
]

/** Writes the document from the routes themselves, so that what is served and what is described are one thing. */
export function openApiDocument(routes: readonly Route[], issuer: string, version: string): OpenApiDocument {
  const shown = routes.filter((route) => route.isHidden !== true)
  const schemas = new SchemaBook()
  const paths: Record<string, Record<string, Operation>> = {}
  for (const route of shown) {
    const path = pathOf(route)
    paths[path] = { ...paths[path], [route.method]: operationOf(route, schemas) }
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Countersign',
      version,
      description:
        'The permission and consent broker between AI agents and third-party skills. Amounts are integer minor units with an ISO 4217 code, times Unix milliseconds, problems RFC 9457.',
    },
    servers: [{ url: issuer }],
    tags: [...new Set(shown.map((route) => route.tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: { Problem: PROBLEM_SCHEMA, ...schemas.named },
      securitySchemes: SECURITY_SCHEMES,
    },
  }
}

/** Every problem a route can answer, its own first. */
export function problemsOf(route: Route): ProblemCode[] {
  return [
    ...new Set([
      ...route.problems,
      ...(route.scope ? (['scope_required'] as const) : []),
      ...(route.query ? (['invalid_parameter'] as const) : []),
      ...(route.body ? ANY_BODY : []),
      ...(route.callers.length > 0 ? ANY_CALLER : []),
      ...(route.callers.some((kind) => kind === 'user' || kind === 'operator') ? ANY_PERSON : []),
      ...ANY_ROUTE,
    ]),
  ]
}

const PROBLEM_SCHEMA: Schema = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'detail', 'request_id'],
  properties: {
    type: { type: 'string', description: 'Path of a page that explains it.' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', enum: Object.keys(PROBLEMS).sort() },
    detail: { type: 'string', description: 'What would make the request pass, as far as you may know.' },
    request_id: { type: 'string' },
    faults: {
      type: 'array',
      items: {
        type: 'object',
        required: ['pointer', 'code', 'message'],
        properties: {
          pointer: { type: 'string', description: 'JSON Pointer of the place.' },
          code: { type: 'string' },
          message: { type: 'string' },
        },
      },
    },
  },
}

function pathOf(route: Route): string {
  return route.path.replaceAll('*}', '}')
}

function operationOf(route: Route, schemas: SchemaBook): Operation {
  const { tag, summary, description, body } = route
  return {
    operationId: operationIdOf(route),
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    security: route.callers.map((kind) => ({ [kind]: route.scope ? [route.scope] : [] })),
    parameters: [
      ...parametersIn('path', route.params, schemas),
      ...parametersIn('query', route.query, schemas),
      ...(route.headers ?? []).map((header) => ({
        ...header,
        in: 'header' as const,
        schema: { type: 'string' },
      })),
    ],
    ...(body
      ? {
          requestBody: {
            required: !route.isBodyOptional,
            content: { 'application/json': { schema: schemas.write(body, 'input') } },
          },
        }
      : {}),
    responses: { ...answersOf(route, schemas), ...problemAnswersOf(route) },
    'x-problems': codesByStatus(route),
  }
}

function answersOf(route: Route, schemas: SchemaBook): Record<string, ApiResponse> {
  return Object.fromEntries(
    Object.entries(route.responses).map(([status, { description, shape, mediaType }]) => {
      if (shape) return [status, { description, content: jsonContent(schemas.write(shape, 'output')) }]
      return [status, mediaType ? { description, content: { [mediaType]: {} } } : { description }]
    }),
  )
}

function jsonContent(schema: Schema): NonNullable<ApiResponse['content']> {
  return { 'application/json': { schema } }
}

function problemAnswersOf(route: Route): Record<string, ApiResponse> {
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } }
  return Object.fromEntries(
    Object.entries(codesByStatus(route)).map(([status, codes]) => [
      status,
      { description: codes.map((code) => `${code}: ${PROBLEMS[code].title}.`).join(' '), content },
    ]),
  )
}

function codesByStatus(route: Route): Record<string, ProblemCode[]> {
  const codes: Record<string, ProblemCode[]> = {}
  for (const code of problemsOf(route)) {
    const own = PROBLEMS[code].status
    const status = String(route.isAuthzen && isBadInput(own) ? 400 : own)
    codes[status] = [...(codes[status] ?? []), code]
  }
  return codes
}

function parametersIn(
  place: 'path' | 'query',
  shape: z.ZodType | undefined,
  schemas: SchemaBook,
): Parameter[] {
  if (!shape) return []
  const schema = schemas.write(shape, 'input')
  const required = Array.isArray(schema.required) ? schema.required : []
  return Object.entries((schema.properties ?? {}) as Record<string, Schema>).map(([name, own]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(typeof own.description === 'string' ? { description: own.description } : {}),
    schema: own,
  }))
}

/** `postGrantsPause` for POST /v1/grants/{id}/pause. */
function operationIdOf({ method, path }: Route): string {
  const words = path.replace(/^\/(v1\/)?/, '').split(/[^A-Za-z0-9]+/)
  return [method, ...words.filter((word) => word !== '')]
    .map((word, index) => (index === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1)))
    .join('')
}
