import { randomUUID } from 'node:crypto'
import { type Context, Hono } from 'hono'
import type { Broker, Logger } from '../broker/broker.ts'
import { ENFORCEMENT_SECRET_PREFIX, findEnforcementPoint } from '../broker/find-enforcement-point.ts'
import type { RecentRefusals } from '../broker/recent-refusals.ts'
import { hasFamilyEnded } from '../broker/token-family.ts'
import type { JsonValue } from '../core/json-value.ts'
import type { Caller, CallerKind } from '../core/tokens/access-token.ts'
import { StoreUnavailable } from '../ports/store-unavailable.ts'
import { type Answer, toResponse } from './answer.ts'
import { type Authenticate, createAuthenticator } from './authenticate.ts'
import { InvalidRequest, problem } from './problem.ts'
import { isProblemCode, type ProblemCode } from './problem-codes.ts'
import { addressKey, createRateLimit, type RateLimit, type RateLimitOptions } from './rate-limit.ts'
import { readJsonBody } from './read-json-body.ts'
import { isBadInput, type Route } from './route.ts'
import { findSessionCaller, type SessionCaller, type SessionLookup } from './session-caller.ts'
import type { PageSurface, StreamSurface, SurfaceRoute } from './surface-route.ts'
import { wrongCaller } from './wrong-caller.ts'

export type AppOptions = {
  readonly broker: Broker
  readonly routes: readonly Route[]
  /** Pages for people, beside the API. */
  readonly pages?: PageSurface
  /** Surfaces that stream, such as the one of MCP. */
  readonly streams?: readonly StreamSurface[]
  /** `Host` values that are answered, in lower case with their port. */
  readonly allowedHosts: readonly string[]
  readonly allowsDevelopmentTokens: boolean
  /** Sessions of people, as callers beside access tokens; none where nobody can sign in. */
  readonly sessions?: SessionLookup
  readonly rateLimits: {
    readonly address: RateLimitOptions
    readonly agent: RateLimitOptions
    readonly user: RateLimitOptions
    /** That of agents unless given. */
    readonly enforcementPoint?: RateLimitOptions
  }
  /** The clock tokens are held against; the store's unless told otherwise. */
  readonly nowMs?: () => number
  /** A clock that never steps, for rate limits and durations. */
  readonly monotonicMs?: () => number
}

type Env = {
  Bindings: { readonly incoming?: { readonly socket: { readonly remoteAddress?: string | undefined } } }
}
type AppContext = Context<Env>

export type App = {
  fetch: Hono<Env>['fetch']
  request: Hono<Env>['request']
  /** Resolves when nothing is being answered, to clients who hung up included. */
  idle(): Promise<void>
  /** Answers nothing more from now on but what is being answered. */
  stopAccepting(): void
}

type Limited = 'address' | Exclude<CallerKind, 'operator'>

type Server = {
  readonly broker: Broker
  readonly hosts: ReadonlySet<string>
  readonly origins: ReadonlySet<string>
  readonly authenticate: Authenticate
  readonly sessions: SessionLookup | undefined
  readonly nowMs: () => number
  readonly limits: Readonly<Record<Limited, RateLimit>>
  readonly refusals: RecentRefusals
  readonly logger: Logger
  readonly monotonicMs: () => number
  inFlight: number
  whenIdle: (() => void)[]
  isStopping: boolean
}

/** Longest path parameter that is looked at; no id of ours is longer. */
const PARAMETER_CHARACTERS_MOST = 256
const REQUEST_ID = /^[A-Za-z0-9._-]{8,64}$/
/** AuthZEN 1.0: an arbitrary string, and the same one in the response. */
const ANY_REQUEST_ID = /^[\x20-\x7e]{1,256}$/

/**
 * Makes the HTTP surface from its routes. One function does for a route all that comes before and after its
 * handler, so that no route can leave a check out, and nothing runs through a chain of middleware.
 */
export function createApp(options: AppOptions): App {
  const { broker, routes } = options
  const { issuer } = broker.settings
  const tokens = {
    issuer,
    signer: broker.signer,
    allowsDevelopmentTokens: options.allowsDevelopmentTokens,
    nowMs: options.nowMs ?? (() => broker.store.now().nowMs),
  }
  const server: Server = {
    broker,
    hosts: new Set(options.allowedHosts),
    origins: new Set([
      new URL(issuer).origin,
      ...options.allowedHosts.flatMap((host) => [`http://${host}`, `https://${host}`]),
    ]),
    authenticate: createAuthenticator(tokens),
    sessions: options.sessions,
    nowMs: options.nowMs ?? (() => broker.store.now().nowMs),
    limits: {
      address: createRateLimit(options.rateLimits.address),
      agent: createRateLimit(options.rateLimits.agent),
      user: createRateLimit(options.rateLimits.user),
      enforcement_point: createRateLimit(options.rateLimits.enforcementPoint ?? options.rateLimits.agent),
    },
    refusals: broker.recentRefusals,
    logger: broker.logger,
    monotonicMs: options.monotonicMs ?? (() => performance.now()),
    inFlight: 0,
    whenIdle: [],
    isStopping: false,
  }

  const { streams = [] } = options
  const hono = new Hono<Env>()
  for (const surface of streams) {
    const { resource } = surface
    const route = { ...surface, authenticate: createAuthenticator({ ...tokens, resource }) }
    hono.all(surface.path, (c) => serve(server, c, route))
  }
  for (const route of routes) {
    hono.on(route.method.toUpperCase(), honoPath(route.path), (c) => serve(server, c, route))
  }
  const { pages } = options
  for (const route of pages?.routes ?? []) {
    hono.on(route.method.toUpperCase(), honoPath(route.path), (c) => serve(server, c, route, pages))
  }
  const everywhere = [...routes, ...(pages?.routes ?? [])]
  hono.notFound((c) =>
    serve(server, c, elsewhere(everywhere, c.req.path), wantsPage(c.req.raw) ? pages : undefined),
  )
  return {
    fetch: hono.fetch,
    request: hono.request,
    async idle() {
      await Promise.all(streams.map((surface) => surface.idle()))
      if (server.inFlight > 0) await new Promise<void>((resolve) => server.whenIdle.push(resolve))
    },
    stopAccepting() {
      server.isStopping = true
      for (const surface of streams) surface.stop()
    },
  }
}

/** What answers where no route does: 405 for a known path, 404 otherwise, after the same checks as any route. */
type Elsewhere = Pick<Route, 'path' | 'callers' | 'body' | 'isBodyOptional' | 'bodyBytesMost' | 'run'> & {
  scope?: undefined
  isDecided?: undefined
  isAuthzen?: undefined
}

/** A surface that streams says by itself who may call, by an authenticator for its own resource. */
type StreamRoute = StreamSurface & { readonly authenticate: Authenticate }

function elsewhere(routes: readonly (Route | SurfaceRoute)[], path: string): Elsewhere {
  const here = routes.filter((route) => pathPattern(route.path).test(path))
  const allow = [...new Set(here.map((route) => route.method.toUpperCase()))].sort().join(', ')
  return {
    path: here[0]?.path ?? '(none)',
    callers: [],
    body: undefined,
    isBodyOptional: false,
    bodyBytesMost: 0,
    run: () => (allow === '' ? problem('not_found') : problem('method_not_allowed', { headers: { allow } })),
  }
}

/** Browsers ask for a page where they go; programs, which ask for anything, are answered with a problem. */
function wantsPage(request: Request): boolean {
  return request.headers.get('accept')?.includes('text/html') === true
}

async function serve(
  server: Server,
  c: AppContext,
  route: Route | SurfaceRoute | StreamRoute | Elsewhere,
  pages?: PageSurface,
): Promise<Response> {
  const startedMs = server.monotonicMs()
  const given = c.req.raw.headers.get('x-request-id')
  const isAuthzen = 'isAuthzen' in route && route.isAuthzen === true
  const pattern = isAuthzen ? ANY_REQUEST_ID : REQUEST_ID
  const requestId = given !== null && pattern.test(given) ? given : randomUUID()
  server.inFlight += 1
  let answer: Answer
  try {
    answer = await answerTo(server, c, route, requestId, startedMs)
  } catch (error) {
    answer = failed(server, error, requestId)
  } finally {
    server.inFlight -= 1
    if (server.inFlight === 0 && server.whenIdle.length > 0) {
      for (const resolve of server.whenIdle.splice(0)) resolve()
    }
  }
  if (isAuthzen) answer = asBadRequest(answer)
  server.logger.info('request', {
    requestId,
    method: c.req.method,
    route: route.path,
    status: answer.status,
    ms: Math.round((server.monotonicMs() - startedMs) * 10) / 10,
  })
  const code = problemCodeOf(answer)
  if (pages && code && code !== 'host_not_allowed') {
    const page = await pages.problemAnswer(code, c.req.raw)
    return toResponse({ ...page, headers: { ...answer.headers, ...page.headers } }, requestId)
  }
  if (answer.status >= 400 && answer.body) return toResponse(withRequestId(answer, requestId), requestId)
  return toResponse(answer, requestId)
}

async function answerTo(
  server: Server,
  c: AppContext,
  route: Route | SurfaceRoute | StreamRoute | Elsewhere,
  requestId: string,
  atMs: number,
): Promise<Answer> {
  const { headers } = c.req.raw
  checkHostAndOrigin(server, c, 'answer' in route)
  const peer = c.env?.incoming?.socket.remoteAddress
  const address = peer === undefined ? 'unknown' : addressKey(peer)
  takeOne(server, 'address', address, atMs)
  if (server.isStopping) return problem('stopping', { headers: { connection: 'close', 'retry-after': '5' } })

  if ('answer' in route || 'respond' in route) {
    const url = new URL(c.req.url)
    const raw = { request: c.req.raw, params: paramsOf(c), url, address, requestId }
    if ('answer' in route) return route.answer(raw)
    const authenticate = () => callerOf(server, c, route, atMs)
    const response = await route.respond({ ...raw, authenticate })
    return { status: response.status, response }
  }
  const session = route.callers.length > 0 ? await sessionOf(server, c, route, atMs) : undefined
  const caller =
    session?.caller ??
    (route.callers.length > 0
      ? ((await pointOf(server, c, route, atMs)) ?? callerOf(server, c, route, atMs))
      : null)
  if (caller?.kind === 'agent' && !route.isDecided) await checkFamily(server, caller)
  const body: JsonValue | undefined = route.body
    ? await readJsonBody(c.req.raw, { maxBytes: route.bodyBytesMost, isOptional: route.isBodyOptional })
    : undefined
  return route.run({
    caller,
    mayChange: session?.isSteppedUp ?? true,
    params: paramsOf(c),
    query: queryOf(c.req.url),
    body,
    request: { requestId, header: (name) => headers.get(name) ?? undefined },
  })
}

/** A caller by session, checked like any other; agents have none, so a route of theirs alone looks for none. */
async function sessionOf(
  server: Server,
  c: AppContext,
  route: Route | Elsewhere,
  atMs: number,
): Promise<SessionCaller | undefined> {
  if (!server.sessions || !route.callers.some((kind) => kind !== 'agent')) return undefined
  const { headers } = c.req.raw
  // The path of nearly every action: an access token, which is looked at without waiting for anything.
  if (!headers.has('cookie') && !headers.get('authorization')?.includes('cst_')) return undefined
  const found = await findSessionCaller(server.sessions, c.req.raw, server.origins, server.nowMs())
  if (found) checkCaller(server, found.caller, route, atMs)
  return found
}

/** An enforcement point, by its secret wherever it sends it, or by what it signs where it is asked for. */
async function pointOf(
  server: Server,
  c: AppContext,
  route: Route | Elsewhere,
  atMs: number,
): Promise<Caller | undefined> {
  const authorization = c.req.raw.headers.get('authorization')
  if (authorization === null) return undefined
  if (!route.callers.includes('enforcement_point') && !authorization.includes(ENFORCEMENT_SECRET_PREFIX)) {
    return undefined
  }
  const token = BEARER.exec(authorization)?.[1]
  const found =
    token === undefined ? undefined : await findEnforcementPoint(server.broker, token, server.nowMs())
  if (found === undefined || found.kind === 'other') return undefined
  if (found.kind === 'refused') {
    throw new InvalidRequest('token_invalid', {
      detail: 'This credential of an enforcement point is not good, or not any more.',
      headers: { 'www-authenticate': 'Bearer realm="countersign", error="invalid_token"' },
    })
  }
  const caller: Caller = { kind: 'enforcement_point', pointId: found.point.id }
  checkCaller(server, caller, route, atMs)
  return caller
}

const BEARER = /^bearer ([A-Za-z0-9._-]{1,8192})$/i

function callerOf(
  server: Server,
  c: AppContext,
  route: Route | Elsewhere | StreamRoute,
  atMs: number,
): Caller {
  const { headers } = c.req.raw
  const authenticate = 'respond' in route ? route.authenticate : server.authenticate
  const caller = authenticate({
    authorization: headers.get('authorization'),
    proof: headers.get('dpop'),
    method: c.req.method,
    url: c.req.url,
  })
  checkCaller(server, caller, route, atMs)
  return caller
}

/** A form on one of our pages is sent with `Origin: null`, for its referrer policy: pages look at more than that. */
function checkHostAndOrigin(server: Server, c: AppContext, isPage: boolean): void {
  const { headers } = c.req.raw
  const host = headers.get('host') ?? new URL(c.req.url).host
  if (!isAllowed(server, host) || !isAllowed(server, hostIn(c.req.url))) {
    throw new InvalidRequest('host_not_allowed')
  }
  const origin = headers.get('origin')
  if (isPage && origin === 'null') return
  if (origin !== null && !server.origins.has(origin)) throw new InvalidRequest('origin_not_allowed')
}

function isAllowed(server: Server, host: string): boolean {
  return server.hosts.has(host) || server.hosts.has(host.toLowerCase())
}

/** The host a request line names by itself wins over the header (RFC 9112 section 3.2.2), so it is held to the same list. */
function hostIn(url: string): string {
  const at = url.indexOf('://') + 3
  const end = url.indexOf('/', at)
  return end === -1 ? url.slice(at) : url.slice(at, end)
}

function checkCaller(
  server: Server,
  caller: Caller,
  route: Route | Elsewhere | StreamRoute,
  atMs: number,
): void {
  if (caller.kind !== 'operator') {
    takeOne(server, caller.kind, limitedBy(caller), atMs)
  }
  if ('respond' in route) return
  if (!route.callers.includes(caller.kind)) throw wrongCaller(route.callers)
  const scopes = 'scopes' in caller ? caller.scopes : []
  if (route.scope && caller.kind !== 'operator' && !scopes.includes(route.scope)) {
    throw new InvalidRequest('scope_required', { members: { scope: route.scope } })
  }
}

function limitedBy(caller: Exclude<Caller, { kind: 'operator' }>): string {
  switch (caller.kind) {
    case 'agent':
      return caller.agentId
    case 'user':
      return caller.userId
    case 'enforcement_point':
      return caller.pointId
  }
}

/** An access token lives on for minutes; what was revoked, paused or disconnected answers nothing from then on. */
async function checkFamily({ broker }: Server, caller: Extract<Caller, { kind: 'agent' }>): Promise<void> {
  if (!(await hasFamilyEnded(broker, caller))) return
  throw new InvalidRequest('token_invalid', {
    detail: 'The tokens of this connection have ended.',
    headers: { 'www-authenticate': 'Bearer realm="countersign", error="invalid_token"' },
  })
}

function takeOne(server: Server, by: Limited, key: string, atMs: number): void {
  const waitSeconds = server.limits[by].take(key, atMs)
  if (waitSeconds > 0) {
    throw new InvalidRequest('rate_limited', { headers: { 'retry-after': String(waitSeconds) } })
  }
}

/** Bad input is counted and told; anything else is ours: logged once, and not told. */
function failed(server: Server, error: unknown, requestId: string): Answer {
  if (error instanceof InvalidRequest) {
    server.refusals.count(`bad_request:${error.code}`)
    return problem(error.code, error.facts)
  }
  if (error instanceof StoreUnavailable) {
    const headers = { 'retry-after': '1' }
    // Told for as long as it lasts by what watches the log, not by every request.
    if (error.reason === 'log_behind') return problem('log_behind', { headers })
    if (error.reason === 'node_lapsed') return problem('not_ready', { headers })
    server.logger.error('store_unavailable', { requestId, reason: error.reason, error: error.cause })
    return problem(error.reason === 'not_drained' ? 'not_confirmed' : 'store_unavailable', { headers })
  }
  server.logger.error('request_failed', { requestId, error })
  return problem('internal')
}

/** AuthZEN knows one status for everything that is wrong with a request. */
function asBadRequest(answer: Answer): Answer {
  const { status, body } = answer
  if (!isBadInput(status) || typeof body !== 'object') return answer
  return { ...answer, status: 400, body: { ...body, status: 400 } }
}

function problemCodeOf({ status, body }: Answer): ProblemCode | undefined {
  if (status < 400 || typeof body !== 'object' || body === null || !('code' in body)) return undefined
  const { code } = body
  return typeof code === 'string' && isProblemCode(code) ? code : undefined
}

function withRequestId(answer: Answer, requestId: string): Answer {
  return typeof answer.body === 'object'
    ? { ...answer, body: { ...answer.body, request_id: requestId } }
    : answer
}

const NO_PARAMETERS: Readonly<Record<string, string>> = {}

function paramsOf(c: AppContext): Readonly<Record<string, string>> {
  const params = c.req.param()
  for (const name in params) {
    if ((params[name as never] as string).length > PARAMETER_CHARACTERS_MOST)
      throw new InvalidRequest('not_found')
  }
  return params
}

/** @throws InvalidRequest for a name given twice, of which different readers take different ones. */
function queryOf(url: string): Readonly<Record<string, string>> {
  const at = url.indexOf('?')
  if (at < 0) return NO_PARAMETERS
  const query: Record<string, string> = Object.create(null)
  for (const [name, value] of new URLSearchParams(url.slice(at + 1))) {
    if (name in query) {
      const fault = { pointer: `/${name}`, code: 'duplicate_parameter', message: 'This was given twice.' }
      throw new InvalidRequest('invalid_parameter', { faults: [fault] })
    }
    query[name] = value
  }
  return { ...query }
}

function honoPath(path: string): string {
  return path.replace(/\{(\w+)\*\}/g, ':$1{.+}').replace(/\{(\w+)\}/g, ':$1')
}

function pathPattern(path: string): RegExp {
  const escaped = path.replace(/[.+?^$()|[\]\\]/g, '\\$&')
  return new RegExp(`^${escaped.replace(/\{\w+\*\}/g, '.+').replace(/\{\w+\}/g, '[^/]+')}$`)
}
