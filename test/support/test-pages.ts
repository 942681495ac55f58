import type { Broker } from '../../src/broker/broker.ts'
import { formToken } from '../../src/pages/csrf.ts'
import { openPages } from '../../src/pages/open-pages.ts'
import type { Page } from '../../src/pages/page.ts'
import type { PageDeps } from '../../src/pages/pages.ts'
import type { Person } from '../../src/people/person.ts'
import { createTestApp, HOST, type TestApp, type TestAppOptions } from './test-app.ts'
import { NOW_MS } from './test-broker.ts'

export type VisitInit = {
  /** Fields to post; without them it is a GET. An array is a field sent several times. */
  readonly form?: Readonly<Record<string, string | readonly string[]>>
  /** The session's cookie value, as `signIn` returned it. */
  readonly as?: string
  readonly cookies?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  /** In place of the token of the session, or null for none at all. */
  readonly csrf?: string | null
}

export type Visited = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly location: string | null
}

export type TestPages = TestApp & {
  /** Opens a session for somebody and returns its cookie value. */
  signIn(person: Partial<Person> & Pick<Person, 'id'>): string
  /** Loads a page or posts a form as a browser would, with the form's token. */
  visit(path: string, init?: VisitInit): Promise<Visited>
}

const STEP_UP_MS = 300_000

/** Every page over a test broker, with sessions of its own making. */
export async function createTestPages(
  options: TestAppOptions & {
    readonly cancel?: PageDeps['cancel']
    readonly more?: (broker: Broker) => Page[]
  } = {},
): Promise<TestPages> {
  const sessions = new Map<string, Person>()
  const { cancel = async () => [], more = () => [], ...rest } = options
  const test: TestApp = await createTestApp({
    ...rest,
    pages: (broker, publisher) =>
      openPages(
        { broker, publisher, cancel, nowMs: () => broker.store.now().nowMs },
        {
          findPerson: async (value) => sessions.get(value) ?? null,
          isSteppedUp: ({ steppedUpAtMs }, nowMs) =>
            steppedUpAtMs !== null && nowMs - steppedUpAtMs < STEP_UP_MS,
        },
        more(broker),
      ),
  })

  async function visit(path: string, init: VisitInit = {}): Promise<Visited> {
    const cookies = { ...(init.as === undefined ? {} : { '__Host-countersign': init.as }), ...init.cookies }
    const cookie = Object.entries(cookies)
      .map(([name, value]) => `${name}=${value}`)
      .join('; ')
    const headers: Record<string, string> = { ...(cookie === '' ? {} : { cookie }), ...init.headers }
    let body: string | undefined
    if (init.form) {
      const token = init.csrf === undefined && init.as !== undefined ? formToken(init.as) : init.csrf
      const fields = new URLSearchParams(token === null || token === undefined ? {} : { csrf: token })
      for (const [name, value] of Object.entries(init.form)) {
        for (const one of typeof value === 'string' ? [value] : value) fields.append(name, one)
      }
      body = fields.toString()
      headers['content-type'] ??= 'application/x-www-form-urlencoded'
      headers['sec-fetch-site'] ??= 'same-origin'
      headers.origin ??= 'null'
    }
    const response = await test.app.request(
      `https://${HOST}${path}`,
      { method: body === undefined ? 'GET' : 'POST', headers, ...(body === undefined ? {} : { body }) },
      { incoming: { socket: { remoteAddress: '192.0.2.1' } } },
    )
    return {
      status: response.status,
      headers: response.headers,
      text: await response.text(),
      location: response.headers.get('location'),
    }
  }

  let count = 0
  return {
    ...test,
    visit,
    signIn(person) {
      count += 1
      const value = `session-${String(count).padStart(35, '0')}`
      sessions.set(value, {
        kind: 'user',
        sessionId: `ses_${count}`,
        signedInAtMs: NOW_MS,
        steppedUpAtMs: null,
        viaProvider: false,
        channel: 'browser',
        ...person,
      })
      return value
    },
  }
}
