import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sessionLookup } from '../../src/open-people.ts'
import { exportPages } from '../../src/pages/export-page.ts'
import { openPages } from '../../src/pages/open-pages.ts'
import { peoplePages } from '../../src/pages/people-pages.ts'
import { createGuessThrottle } from '../../src/people/guess-throttle.ts'
import { createPeopleWorld, type Enrolled, ORIGIN, type PeopleWorld } from '../support/people-world.ts'
import { createTestApp, HOST, type TestApp } from '../support/test-app.ts'

let test: TestApp
let world: PeopleWorld
let user: Enrolled

beforeAll(async () => {
  test = await createTestApp({
    pages: (broker, publisher) =>
      openPages(
        { broker, publisher, cancel: async () => [], nowMs: () => broker.store.now().nowMs },
        sessionLookup(broker),
        [
          ...exportPages({ broker, publisher }),
          ...peoplePages({
            broker,
            settings: { origin: ORIGIN, rpId: HOST, signUp: 'invited' },
            messenger: { tell: async () => {} },
            provider: null,
            throttle: createGuessThrottle(() => broker.store.now().nowMs),
            isSecure: true,
          }),
        ],
      ),
  })
  world = await createPeopleWorld({ test })
  user = await world.user((await world.firstOperator()).person)
})
afterAll(() => test.close())

type Jar = Map<string, string>

/** One request of a browser that keeps its cookies. */
async function visit(jar: Jar, path: string, form?: Record<string, string>, headers = {}) {
  const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
  const response = await test.app.request(`${ORIGIN}${path}`, {
    method: form ? 'POST' : 'GET',
    headers: {
      cookie,
      ...(form
        ? {
            'content-type': 'application/x-www-form-urlencoded',
            'sec-fetch-site': 'same-origin',
            origin: 'null',
          }
        : {}),
      ...headers,
    },
    ...(form ? { body: new URLSearchParams(form).toString() } : {}),
  })
  for (const line of response.headers.getSetCookie()) {
    const [pair = ''] = line.split(';')
    jar.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1))
  }
  return {
    status: response.status,
    location: response.headers.get('location'),
    setCookie: response.headers.getSetCookie(),
    text: await response.text(),
  }
}

const csrfIn = (text: string) => /name="csrf" value="([^"]+)"/.exec(text)?.[1] ?? ''

async function signInTo(jar: Jar, next: string) {
  const csrf = csrfIn((await visit(jar, `/sign-in?next=${encodeURIComponent(next)}`)).text)
  const { options } = JSON.parse((await visit(jar, '/sign-in/options', { csrf })).text)
  return visit(jar, '/sign-in', { csrf, next, answer: user.key.get(options) })
}

describe('/sign-in', () => {
  it('gives a new cookie that scripts and other sites cannot reach', async () => {
    const jar: Jar = new Map([['__Host-countersign', 'A'.repeat(43)]])
    const answer = await signInTo(jar, '/security')
    expect([answer.status, answer.location]).toEqual([303, '/security'])
    const cookie = answer.setCookie.find((line) => line.startsWith('__Host-countersign=')) ?? ''
    expect(cookie).toMatch(/; Path=\/; HttpOnly; SameSite=Lax; Secure; Max-Age=\d+$/)
    expect(cookie).not.toContain('A'.repeat(43))
    expect((await visit(jar, '/security')).status).toBe(200)
  })

  it.each([
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    'javascript:alert(1)',
    '/\t/evil.example',
    '',
  ])('leads to nowhere but here: %j', async (next) => {
    expect((await signInTo(new Map(), next)).location).toBe('/')
  })

  it('takes no form from another site, and none with the token of another browser', async () => {
    const jar: Jar = new Map()
    const csrf = csrfIn((await visit(jar, '/sign-in')).text)
    const forged = await visit(jar, '/sign-in/options', { csrf }, { 'sec-fetch-site': 'cross-site' })
    expect(forged.status).toBe(403)
    const other: Jar = new Map()
    await visit(other, '/sign-in')
    expect((await visit(other, '/sign-in/options', { csrf })).status).toBe(403)
  })

  it('prints nothing of an address as it is', async () => {
    const page = await visit(new Map(), `/sign-in?next=${encodeURIComponent('/"><script>alert(1)</script>')}`)
    expect(page.text).not.toContain('<script>alert')
  })

  it('offers no account to whom nobody invited', async () => {
    const jar: Jar = new Map()
    const csrf = csrfIn((await visit(jar, '/sign-in')).text)
    expect((await visit(jar, '/sign-up/options', { csrf })).status).toBe(404)
  })
})

describe('/security', () => {
  it('changes nothing without a fresh step-up, and says where to go', async () => {
    const jar: Jar = new Map()
    await signInTo(jar, '/security')
    test.clock.advance(5 * 60_000)
    const csrf = csrfIn((await visit(jar, '/security')).text)
    for (const path of ['/security/passkeys/remove', '/security/recovery-codes', '/security/threshold']) {
      const answer = await visit(jar, path, { csrf, currency: 'CNY', amount: '5', passkey: 'x' })
      expect([answer.status, answer.location]).toEqual([303, '/step-up?next=%2Fsecurity'])
    }
  })

  it('has everything erased after a step-up and a tick, shows when, stops it, and gives a file', async () => {
    const jar: Jar = new Map()
    await signInTo(jar, '/security')
    const csrf = csrfIn((await visit(jar, '/security')).text)
    expect((await visit(jar, '/security/erasure/part', { csrf, part: 'skill coffee.order' })).status).toBe(
      409,
    )
    const stranger = { csrf, part: 'agent agt_of_somebody_else', sure_part: 'yes' }
    expect((await visit(jar, '/security/erasure/part', stranger)).status).toBe(404)
    expect((await visit(jar, '/security/erasure', { csrf })).status).toBe(409)
    expect((await visit(jar, '/security/erasure', { csrf, sure: 'yes' })).location).toBe('/security')
    expect((await visit(jar, '/security')).text).toContain('Stop the erasure')
    const chinese = await visit(jar, '/security', undefined, { 'accept-language': 'zh-CN' })
    expect(chinese.text).toContain('停止删除')
    expect((await visit(jar, '/security/erasure/cancel', { csrf })).location).toBe('/security')
    expect((await visit(jar, '/security')).text).toContain('Have everything erased')
    const file = await visit(jar, '/security/export')
    const { next, pages } = JSON.parse(file.text) as { next: unknown; pages: { part: string }[] }
    expect(next).toBeNull()
    expect(pages.map(({ part }) => part)).toEqual(expect.arrayContaining(['person', 'actions', 'events']))
    test.clock.advance(5 * 60_000)
    const stale = await visit(jar, '/security/export')
    expect(stale.location).toBe('/step-up?next=%2Fsecurity%2Fexport')
    const late = await visit(jar, '/security/erasure', { csrf, sure: 'yes' })
    expect(late.location).toBe('/step-up?next=%2Fsecurity')
  })

  it('ends a session by its cookie everywhere, a copy of it included', async () => {
    const jar: Jar = new Map()
    await signInTo(jar, '/security')
    const stolen: Jar = new Map(jar)
    const csrf = csrfIn((await visit(jar, '/security')).text)
    await visit(jar, '/sign-out', { csrf })
    expect((await visit(stolen, '/security')).location).toBe('/sign-in?next=%2Fsecurity')
  })

  it('of operators is not for users', async () => {
    const jar: Jar = new Map()
    await signInTo(jar, '/security')
    expect((await visit(jar, '/operator/people')).status).toBe(404)
  })
})

describe('a link that is void', () => {
  it.each(['x', 'A'.repeat(43), encodeURIComponent('<script>')])('/enrol/%s is not found', async (token) => {
    expect((await visit(new Map(), `/enrol/${token}`)).status).toBe(404)
  })
})
