import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { formToken } from '../../src/pages/csrf.ts'
import {
  answerTerminalLogin,
  beginTerminalLogin,
  pollTerminalLogin,
} from '../../src/people/terminal-login.ts'
import { createPeopleWorld, type Enrolled, type PeopleWorld } from '../support/people-world.ts'
import { createTestApp, type TestApp } from '../support/test-app.ts'

const COOKIE = '__Host-countersign'
const MINUTE_MS = 60_000

let test: TestApp
let world: PeopleWorld
let operator: Enrolled
let user: Enrolled

beforeAll(async () => {
  test = await createTestApp()
  world = await createPeopleWorld({ test })
  operator = await world.firstOperator()
  user = await world.user(operator.person)
})
afterAll(() => test.close())

const RECIPIENT = { label: 'Ma', value: 'ma@example.org' }

function headersFor(cookie: string, about: { site?: string; csrf?: string | null } = {}) {
  const { site = 'same-origin', csrf = formToken(cookie) } = about
  return {
    cookie: `${COOKIE}=${cookie}`,
    'sec-fetch-site': site,
    ...(csrf === null ? {} : { 'countersign-csrf': csrf }),
  }
}

describe('a session cookie on the API', () => {
  it('stands for the person who is signed in, and for nobody else', async () => {
    const me = await test.call('GET', '/v1/me', { headers: headersFor(user.cookie) })
    expect([me.status, me.body.userId]).toEqual([200, user.person.id])
    const other = await test.call('GET', '/v1/me', { headers: headersFor(operator.cookie) })
    expect([other.status, other.body.code]).toEqual([403, 'wrong_caller'])
    const freezes = await test.call('GET', '/v1/operator/freezes', { headers: headersFor(operator.cookie) })
    expect(freezes.status).toBe(200)
  })

  it('is never taken on a route of agents', async () => {
    const headers = { ...headersFor(user.cookie), 'idempotency-key': 'some-key-1' }
    const body = { skill: 'coffee.order', action: 'get_menu', arguments: {}, deployment: 'dep_test' }
    const acted = await test.call('POST', '/v1/actions', { headers, body })
    expect([acted.status, acted.body.code]).toEqual([401, 'token_required'])
  })

  it.each([
    ['from another site', { site: 'cross-site' }],
    ['from a neighbour of our domain', { site: 'same-site' }],
    ['typed into the address bar', { site: 'none' }],
    ['without the header', { csrf: null }],
    ['with the header of another session', { csrf: formToken('A'.repeat(43)) }],
  ] as const)('changes nothing %s', async (_, about) => {
    const headers = headersFor(user.cookie, about)
    const saved = await test.call('POST', '/v1/recipients', { headers, body: RECIPIENT })
    expect([saved.status, saved.body.code]).toEqual([403, 'cross_site'])
  })

  it('is refused from a browser that says neither site nor origin', async () => {
    const headers = { cookie: `${COOKIE}=${user.cookie}` }
    expect((await test.call('GET', '/v1/me', { headers })).body.code).toBe('cross_site')
  })

  it('is refused when it is sent twice, or is of another name', async () => {
    const twice = { ...headersFor(user.cookie), cookie: `${COOKIE}=${user.cookie}; ${COOKIE}=x` }
    expect((await test.call('GET', '/v1/me', { headers: twice })).body.code).toBe('token_required')
    const named = { ...headersFor(user.cookie), cookie: `countersign-dev=${user.cookie}` }
    expect((await test.call('GET', '/v1/me', { headers: named })).body.code).toBe('token_required')
  })

  it('takes a step-up for what widens, and none for looking', async () => {
    const fresh = await world.user(operator.person)
    const save = (cookie: string) =>
      test.call('POST', '/v1/recipients', { headers: headersFor(cookie), body: RECIPIENT })
    test.clock.advance(5 * MINUTE_MS)
    expect((await save(fresh.cookie)).body.code).toBe('step_up_required')
    expect((await test.call('GET', '/v1/recipients', { headers: headersFor(fresh.cookie) })).status).toBe(200)
    const stepped = await world.stepUp(fresh)
    if (stepped.kind !== 'stepped_up') throw new Error(stepped.kind)
    expect((await save(stepped.cookie)).status).toBe(201)
    expect((await save(fresh.cookie)).body.code).toBe('token_invalid')
  })

  it('takes a step-up for every change of an operator', async () => {
    const signedIn = await world.signIn(operator.key)
    if (signedIn.kind !== 'signed_in') throw new Error(signedIn.kind)
    const body = { reason: 'a drill of the whole team' }
    const confirm = () =>
      test.call('POST', '/v1/operator/clock/confirm', { headers: headersFor(signedIn.cookie), body })
    test.clock.advance(5 * MINUTE_MS)
    expect((await confirm()).body.code).toBe('step_up_required')
  })

  it('is worth nothing after signing out', async () => {
    const gone = await world.user(operator.person)
    await test.broker.store.transaction(async (tx) =>
      tx.personSessions.remove(gone.person, gone.person.sessionId),
    )
    const me = await test.call('GET', '/v1/me', { headers: headersFor(gone.cookie) })
    expect([me.status, me.body.code]).toEqual([401, 'token_invalid'])
  })
})

describe('the token of a terminal', () => {
  it('stands for its person without a cookie, and is told from an access token', async () => {
    const signedIn = await world.signIn(operator.key)
    if (signedIn.kind !== 'signed_in') throw new Error(signedIn.kind)
    const login = await beginTerminalLogin(world.deps, { kind: 'operator' })
    const answered = { person: signedIn.person, code: login.userCode, allows: true, address: '192.0.2.1' }
    await answerTerminalLogin(world.deps, answered)
    const polled = await pollTerminalLogin(world.deps, { deviceCode: login.deviceCode, userAgent: '' })
    if (polled.kind !== 'allowed') throw new Error(polled.kind)
    const token = `cst_${polled.token}`
    expect((await test.call('GET', '/v1/operator/freezes', { token })).status).toBe(200)
    expect((await test.call('GET', '/v1/me', { token })).body.code).toBe('wrong_caller')
    const asCookie = await test.call('GET', '/v1/operator/freezes', { headers: headersFor(polled.token) })
    expect(asCookie.body.code).toBe('token_invalid')
    const cookieAsToken = await test.call('GET', '/v1/operator/freezes', { token: `cst_${signedIn.cookie}` })
    expect(cookieAsToken.body.code).toBe('token_invalid')
  })
})
