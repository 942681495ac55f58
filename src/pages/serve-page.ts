import type { Answer } from '../http/answer.ts'
import { InvalidRequest } from '../http/problem.ts'
import { PROBLEMS, type ProblemCode } from '../http/problem-codes.ts'
import type { PageSurface, SurfaceRequest, SurfaceRoute } from '../http/surface-route.ts'
import type { Person } from '../people/person.ts'
import { assetRoutes } from './assets.ts'
import { pageHeaders } from './content-policy.ts'
import { readCookies, setCookie, wireName } from './cookies.ts'
import { formToken, isFormSecret, isFormToken, newFormSecret } from './csrf.ts'
import { EMPTY_FORM, type Form, readForm } from './form.ts'
import { layout } from './layout.ts'
import { chooseLocale, type Locale } from './locale.ts'
import type { Page, PageAnswer, PageRequest } from './page.ts'
import { problemBody } from './problem-body.ts'

export type PageSurfaceOptions = {
  readonly pages: readonly Page[]
  /** Our public URL; cookies are `__Host-` ones where it is https. */
  readonly issuer: string
  readonly nowMs: () => number
  findPerson(cookieValue: string, nowMs: number): Promise<Person | null>
  isSteppedUp(person: Person, nowMs: number): boolean
  /** Routes beside the pages that read their own body, such as CSP reports. */
  readonly others?: readonly SurfaceRoute[]
}

type Visit = {
  readonly raw: Pick<SurfaceRequest, 'request' | 'url' | 'requestId'>
  readonly locale: Locale
  readonly cookie: PageRequest['cookie']
  readonly person: Person | null
  readonly csrf: string
  /** The cookie that ties forms to this browser, where it has just been made. */
  readonly newCookies: readonly string[]
}

const USER_AGENT_CHARACTERS_MOST = 300

/**
 * Makes the surface of all pages. One function does for a page all that comes before and after it: who is signed in,
 * origin, form token, step-up, language, headers. So no page can leave a check out.
 */
export function createPageSurface(options: PageSurfaceOptions): PageSurface {
  const isSecure = options.issuer.startsWith('https:')
  const server = { ...options, isSecure, paths: new Set(options.pages.map(methodAndPath)) }
  return {
    routes: [
      ...options.pages.map((page) => ({
        method: page.method,
        path: page.path,
        answer: (raw: SurfaceRequest) => answerPage(server, page, raw),
      })),
      ...assetRoutes(),
      ...(options.others ?? []),
    ],
    // Whoever gets here may be anybody: the page is the same for all, so nobody is looked up.
    async problemAnswer(code, request) {
      const raw = { request, url: new URL(request.url), requestId: 'none' }
      const visit = { ...anonymousVisit(server, raw), newCookies: [] }
      return problemAnswer(server, visit, code, null)
    },
  }
}

type Server = PageSurfaceOptions & { readonly isSecure: boolean; readonly paths: ReadonlySet<string> }

async function answerPage(server: Server, page: Page, raw: SurfaceRequest): Promise<Answer> {
  const { request, url } = raw
  let visit = anonymousVisit(server, raw)
  try {
    visit = await signedInVisit(server, visit)
    const { person } = visit
    const here = `${url.pathname}${url.search}`
    const back = request.method === 'POST' ? url.pathname : here
    if (page.who !== 'anyone') {
      if (!person) return redirect(visit, `/sign-in?next=${encodeURIComponent(back)}`)
      if (page.who !== 'signed_in' && page.who !== person.kind)
        return problemAnswer(server, visit, 'not_found', null)
    }
    const form = request.method === 'POST' ? await readCheckedForm(visit) : EMPTY_FORM
    if (!form) return problemAnswer(server, visit, 'form_stale', againPath(server, page, url))
    const pageRequest = pageRequestOf(raw, visit, form)
    if (page.needsStepUp?.(pageRequest) && !(person && server.isSteppedUp(person, server.nowMs()))) {
      return redirect(visit, `/step-up?next=${encodeURIComponent(back)}`)
    }
    return await toAnswer(server, visit, await page.run(pageRequest), againPath(server, page, url))
  } catch (error) {
    if (!(error instanceof InvalidRequest)) throw error
    return problemAnswer(server, visit, error.code, againPath(server, page, url))
  }
}

function anonymousVisit(server: Server, raw: Visit['raw']): Visit {
  const { headers } = raw.request
  const cookies = readCookies(headers.get('cookie'))
  const cookie: Visit['cookie'] = (name) => cookies.get(wireName(name, server.isSecure))
  const known = cookie('countersign-form')
  const secret = isFormSecret(known) ? known : newFormSecret()
  return {
    raw,
    cookie,
    locale: chooseLocale(cookie('lang'), headers.get('accept-language')),
    person: null,
    csrf: formToken(secret),
    newCookies: secret === known ? [] : [setCookie('countersign-form', secret, server)],
  }
}

/** Whoever is signed in has forms tied to their session, so that a form opened before signing in is void after it. */
async function signedInVisit(server: Server, visit: Visit): Promise<Visit> {
  const session = visit.cookie('countersign')
  if (!isFormSecret(session)) return visit
  const person = await server.findPerson(session, server.nowMs())
  // What a terminal was given is for the API: a cookie made of it is no session of a browser.
  return person?.channel === 'browser'
    ? { ...visit, person, csrf: formToken(session), newCookies: [] }
    : visit
}

/** @returns null where the form was not sent from one of our pages in this browser. */
async function readCheckedForm(visit: Visit): Promise<Form | null> {
  const { request } = visit.raw
  // Browsers send `Origin: null` from a page with our referrer policy, so it is Sec-Fetch-Site that tells.
  const site = request.headers.get('sec-fetch-site')
  const origin = request.headers.get('origin')
  if (site !== null ? site !== 'same-origin' : origin === null || origin === 'null') return null
  const form = await readForm(request)
  const secret = visit.person ? visit.cookie('countersign') : visit.cookie('countersign-form')
  if (!isFormSecret(secret) || !isFormToken(form.get('csrf'), secret)) return null
  return form
}

function pageRequestOf(raw: SurfaceRequest, visit: Visit, form: Form): PageRequest {
  const query: Record<string, string> = {}
  for (const [name, value] of raw.url.searchParams) {
    if (Object.hasOwn(query, name)) throw new InvalidRequest('invalid_parameter')
    query[name] = value
  }
  return {
    person: visit.person,
    locale: visit.locale,
    params: raw.params,
    query,
    form,
    csrf: visit.csrf,
    address: raw.address,
    cookie: visit.cookie,
    requestId: raw.requestId,
    url: raw.url,
    userAgent: (raw.request.headers.get('user-agent') ?? '').slice(0, USER_AGENT_CHARACTERS_MOST),
  }
}

async function toAnswer(
  server: Server,
  visit: Visit,
  answer: PageAnswer,
  again: string | null,
): Promise<Answer> {
  switch (answer.kind) {
    case 'redirect':
      return redirect(visit, answer.location, answer.cookies)
    case 'json':
      return {
        status: answer.status ?? 200,
        headers: pageHeaders([], server.isSecure),
        cookies: [...visit.newCookies, ...(answer.cookies ?? [])],
        content: { type: 'application/json', bytes: JSON.stringify(answer.body) },
      }
    case 'not_found':
      return problemAnswer(server, visit, 'not_found', null)
    case 'html': {
      const { request, url } = visit.raw
      const page = await layout({
        locale: visit.locale,
        title: answer.title,
        body: answer.body,
        person: visit.person,
        csrf: visit.csrf,
        here: request.method === 'POST' ? (again ?? '/') : `${url.pathname}${url.search}`,
        scripts: answer.scripts ?? [],
        isPlain: answer.isPlain ?? false,
      })
      return {
        status: answer.status ?? 200,
        headers: pageHeaders(answer.formActions ?? [], server.isSecure),
        cookies: [...visit.newCookies, ...(answer.cookies ?? [])],
        content: { type: 'text/html; charset=utf-8', bytes: page },
      }
    }
  }
}

/** 303, so that what was posted is never posted again (RFC 9110 section 15.4.4). */
function redirect(visit: Visit, location: string, cookies: readonly string[] = []): Answer {
  return { status: 303, headers: { location }, cookies: [...visit.newCookies, ...cookies] }
}

function problemAnswer(
  server: Server,
  visit: Visit,
  code: ProblemCode | 'form_stale',
  again: string | null,
): Promise<Answer> {
  const status = code === 'form_stale' ? 403 : PROBLEMS[code].status
  const { title, body } = problemBody(code, visit.locale, again, visit.raw.requestId)
  return toAnswer(server, visit, { kind: 'html', status, title, body }, again)
}

/** Where the page a form was sent from can be opened again. */
function againPath(server: Server, page: Page, url: URL): string | null {
  return server.paths.has(`get ${page.path}`) ? url.pathname : null
}

function methodAndPath({ method, path }: Page): string {
  return `${method} ${path}`
}
