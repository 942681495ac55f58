import type { Person } from '../core/people/person.ts'
import type { Caller } from '../core/tokens/access-token.ts'
import { InvalidRequest } from './problem.ts'

/** How a person's session is looked up; pages and API share one way. */
export type SessionLookup = {
  /** The session cookie's name on the wire. */
  readonly cookieName: string
  findPerson(cookieValue: string, nowMs: number): Promise<Person | null>
  findTerminalPerson(token: string, nowMs: number): Promise<Person | null>
  isSteppedUp(person: Person, nowMs: number): boolean
  /** Whether a token from a form or header belongs to this cookie. */
  isFormToken(token: string | undefined, cookieValue: string): boolean
}

/** A caller by session, and whether they have stepped up; null for a caller by access token. */
export type SessionCaller = { readonly caller: Caller; readonly isSteppedUp: boolean }

/** What a terminal's token begins with, so that it is told from an access token at a glance. */
export const TERMINAL_TOKEN_PREFIX = 'cst_'
export const CSRF_HEADER = 'countersign-csrf'

const TERMINAL_TOKEN = new RegExp(`^bearer ${TERMINAL_TOKEN_PREFIX}([A-Za-z0-9_-]{43})$`, 'i')

/**
 * Says who calls by a session of their own: a browser's cookie, sent by one of our pages, or a terminal's token.
 * Undefined where the request brings neither; then an access token is asked for.
 *
 * @param origins our own, for browsers too old to send `Sec-Fetch-Site`.
 * @throws (rejects) InvalidRequest `token_invalid` for a session that is not (any more), `cross_site` for one that
 *   another site could have sent along.
 */
export async function findSessionCaller(
  sessions: SessionLookup,
  request: Request,
  origins: ReadonlySet<string>,
  nowMs: number,
): Promise<SessionCaller | undefined> {
  const authorization = request.headers.get('authorization')
  const terminal = authorization === null ? undefined : TERMINAL_TOKEN.exec(authorization)?.[1]
  if (terminal !== undefined) {
    return callerFor(sessions, await sessions.findTerminalPerson(terminal, nowMs), nowMs)
  }
  if (authorization !== null) return undefined
  const cookie = cookieOf(request, sessions.cookieName)
  if (cookie === undefined) return undefined
  checkSameOrigin(request, origins)
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    const token = request.headers.get(CSRF_HEADER) ?? undefined
    if (!sessions.isFormToken(token, cookie)) throw new InvalidRequest('cross_site')
  }
  return callerFor(sessions, await sessions.findPerson(cookie, nowMs), nowMs)
}

function callerFor(sessions: SessionLookup, person: Person | null, nowMs: number): SessionCaller {
  if (!person) {
    throw new InvalidRequest('token_invalid', {
      detail: 'The session is over. Sign in again.',
      headers: { 'www-authenticate': 'Bearer realm="countersign", error="invalid_token"' },
    })
  }
  const { kind, id, sessionId } = person
  const common = { sessionId, scopes: [] }
  const caller: Caller =
    kind === 'operator' ? { kind, operatorId: id, ...common } : { kind, userId: id, ...common }
  return { caller, isSteppedUp: sessions.isSteppedUp(person, nowMs) }
}

/** A cookie travels with whatever a browser is made to send, so who made it send this has to be our own page. */
function checkSameOrigin({ headers }: Request, origins: ReadonlySet<string>): void {
  const site = headers.get('sec-fetch-site')
  const origin = headers.get('origin')
  const isOwn = site === null ? origin !== null && origins.has(origin) : site === 'same-origin'
  if (!isOwn) throw new InvalidRequest('cross_site')
}

/** The one value of a cookie; undefined where there is none, or two of which nobody may pick one. */
function cookieOf({ headers }: Request, name: string): string | undefined {
  const values = (headers.get('cookie') ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1))
  return values.length === 1 ? values[0] : undefined
}
