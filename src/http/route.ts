import { z } from 'zod'
import type { JsonValue } from '../core/json-value.ts'
import type { Caller, CallerKind, Scope } from '../core/tokens/access-token.ts'
import type { Answer } from './answer.ts'
import { InvalidRequest } from './problem.ts'
import type { ProblemCode } from './problem-codes.ts'
import { BODY_BYTES_MOST } from './read-json-body.ts'
import { shapeFaults } from './shape-faults.ts'
import { wrongCaller } from './wrong-caller.ts'

export type Method = 'get' | 'post' | 'put' | 'delete'

/** One answer of a route as the documentation tells it. */
export type DocumentedAnswer = {
  readonly description: string
  readonly shape?: z.ZodType
  /** Where the answer is no JSON. */
  readonly mediaType?: string
}

/** A request header a route reads, for the documentation. */
export type DocumentedHeader = {
  readonly name: string
  readonly required: boolean
  readonly description: string
}

/** What every route says of itself; server, documentation and tests all read this. */
type Described = {
  readonly method: Method
  /** As OpenAPI spells it, with `{name}` for a parameter. */
  readonly path: string
  readonly tag: string
  readonly summary: string
  readonly description?: string
  /** What the token must carry besides; operators need none. */
  readonly scope?: Scope
  readonly headers?: readonly DocumentedHeader[]
  readonly responses: Readonly<Record<number, DocumentedAnswer>>
  /** Problems of its own; those any route of its kind can answer are added. */
  readonly problems: readonly ProblemCode[]
  /** Bytes of the body at most. */
  readonly bodyBytesMost?: number
  /** Not listed in the documentation. */
  readonly isHidden?: boolean
  /** Its decision looks by itself at whether an agent's tokens have ended, so that nobody looks twice. */
  readonly isDecided?: boolean
  /** Answers as AuthZEN 1.0 wants it: whatever is wrong with a request is a 400, and X-Request-ID comes back as it is. */
  readonly isAuthzen?: boolean
}

/** Statuses that say what exactly is wrong with a request. */
export function isBadInput(status: number): boolean {
  return status === 413 || status === 415 || status === 422
}

/** What of the request a handler may look at besides its parsed parts. */
export type RequestFacts = {
  readonly requestId: string
  header(name: string): string | undefined
}

type CallerOf<Kind extends CallerKind> = [Kind] extends [never] ? null : Extract<Caller, { kind: Kind }>

type Input<Kind extends CallerKind, Params, Query, Body> = {
  readonly caller: CallerOf<Kind>
  readonly params: Params
  readonly query: Query
  readonly body: Body
  readonly request: RequestFacts
}

type RouteSpec<Kind extends CallerKind, Params, Query, Body> = Described & {
  /** Kinds of caller that may call; empty for anybody, without a token. */
  readonly callers: readonly Kind[]
  readonly params?: z.ZodType<Params>
  readonly query?: z.ZodType<Query>
  /** Its presence means that the route reads a JSON body. */
  readonly body?: z.ZodType<Body>
  /**
   * Whether a person who calls by session must have used a passkey a short while ago. Every change by an operator
   * takes it anyway.
   */
  needsStepUp?(input: Input<Kind, Params, Query, Body>): Promise<boolean> | boolean
  handle(input: Input<Kind, Params, Query, Body>): Promise<Answer> | Answer
}

/** What the server hands to a route: authenticated, but nothing parsed beyond JSON. */
export type RawInput = {
  readonly caller: Caller | null
  /** False for a session that has not stepped up. */
  readonly mayChange: boolean
  readonly params: Readonly<Record<string, string>>
  /** Only what was given; a name given twice is refused before. */
  readonly query: Readonly<Record<string, string>>
  readonly body: JsonValue | undefined
  readonly request: RequestFacts
}

export type Route = Described & {
  readonly callers: readonly CallerKind[]
  readonly params: z.ZodType | undefined
  readonly query: z.ZodType | undefined
  readonly body: z.ZodType | undefined
  /** Every member of the body may be left out, so the body may be too. */
  readonly isBodyOptional: boolean
  readonly bodyBytesMost: number
  run(raw: RawInput): Promise<Answer> | Answer
}

const NOTHING = z.strictObject({})

/**
 * Makes a route from its description. The handler gets what the shapes say and nothing else: parameters, query and
 * body are parsed before it runs, and a caller of another kind never gets there.
 *
 * @throws (when run) InvalidRequest for what the shapes refuse; a path parameter of the wrong form names nothing.
 */
export function route<
  const Kind extends CallerKind = never,
  Params = unknown,
  Query = unknown,
  Body = undefined,
>(spec: RouteSpec<Kind, Params, Query, Body>): Route {
  const { handle, needsStepUp, params, query, body, ...described } = spec
  const { callers, bodyBytesMost = BODY_BYTES_MOST } = spec
  const queryShape = query ?? NOTHING
  return {
    ...described,
    params,
    query,
    body,
    // AuthZEN has a question with every request (sections 6 and 7): none is no empty one.
    isBodyOptional: spec.isAuthzen !== true && body?.safeParse({}).success === true,
    bodyBytesMost,
    async run({ caller, request, mayChange, ...raw }) {
      if (!isOneOf(caller, callers)) throw wrongCaller(callers)
      const parsedParams = params?.safeParse(raw.params)
      // An id of the wrong form names nothing; telling it apart from an unknown one would only help to guess.
      if (parsedParams && !parsedParams.success) throw new InvalidRequest('not_found')
      const parsedQuery = queryShape.safeParse(raw.query)
      if (!parsedQuery.success) {
        throw new InvalidRequest('invalid_parameter', { faults: shapeFaults(parsedQuery.error, raw.query) })
      }
      const parsedBody = body?.safeParse(raw.body)
      if (parsedBody && !parsedBody.success) {
        throw new InvalidRequest('invalid_request', { faults: shapeFaults(parsedBody.error, raw.body) })
      }
      const input = {
        caller,
        params: parsedParams?.data as Params,
        query: parsedQuery.data as Query,
        body: parsedBody?.data as Body,
        request,
      }
      if (!mayChange && (isOperatorWrite(caller, spec.method) || (await needsStepUp?.(input)))) {
        throw new InvalidRequest('step_up_required')
      }
      return handle(input)
    },
  }
}

function isOperatorWrite(caller: Caller | null, method: Method): boolean {
  return caller?.kind === 'operator' && method !== 'get'
}

function isOneOf<Kind extends CallerKind>(
  caller: Caller | null,
  kinds: readonly Kind[],
): caller is CallerOf<Kind> {
  return caller === null ? kinds.length === 0 : kinds.some((kind) => kind === caller.kind)
}
