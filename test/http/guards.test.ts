import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addressKey, createRateLimit } from '../../src/http/rate-limit.ts'
import { createTestApp, HOST, type TestApp } from '../support/test-app.ts'

let test: TestApp
beforeAll(async () => {
  test = await createTestApp()
})
afterAll(() => test.close())

describe('every answer', () => {
  it('carries its headers and no permission for other origins', async () => {
    const paths = ['/healthz', '/v1/me', '/nowhere', '/docs', '/openapi.json', '/log/vkey']
    for (const path of paths) {
      const { headers } = await test.call('GET', path)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('content-security-policy')).toContain("default-src 'none'")
      expect(headers.get('referrer-policy')).toBe('no-referrer')
      expect(headers.get('x-request-id')).toMatch(/^[\w-]{8,64}$/)
      expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
    }
  })

  it('takes a request id that is one, and makes its own otherwise', async () => {
    const idFor = async (given: string) =>
      (await test.call('GET', '/healthz', { headers: { 'x-request-id': given } })).headers.get('x-request-id')
    expect(await idFor('trace-0123456789')).toBe('trace-0123456789')
    for (const odd of [
      'short',
      'x'.repeat(65),
      'has space in it',
      '{"log":"line"}',
      '<script>alert(1)</script>',
    ]) {
      expect(await idFor(odd)).not.toBe(odd)
    }
  })

  it('is a log line without personal data', async () => {
    const userId = test.broker.newId('user')
    const token = await test.tokenFor({ kind: 'user', userId })
    await test.call('GET', '/v1/grants/grt_of_somebody?cursor=private', { token, address: '192.0.2.77' })
    const lines = JSON.stringify(test.logged.filter((line) => line.event === 'request'))
    expect(lines).toContain('/v1/grants/{id}')
    for (const secret of [userId, token, 'grt_of_somebody', '192.0.2.77', 'private']) {
      expect(lines).not.toContain(secret)
    }
  })
})

describe('a Host', () => {
  it.each([
    [HOST, 200],
    [HOST.toUpperCase(), 200],
    ['evil.example', 421],
    [`${HOST}:8080`, 421],
    [`${HOST}.evil.example`, 421],
    [`evil.example@${HOST}`, 421],
    ['127.0.0.1:8787', 421],
    ['', 421],
  ])('%s is answered with %d', async (host, status) => {
    const answer = await test.call('GET', '/healthz', { headers: { host } })
    expect(answer.status).toBe(status)
  })
})

describe('an Origin', () => {
  it.each([
    [`https://${HOST}`, 200],
    ['https://evil.example', 403],
    [`https://${HOST}.evil.example`, 403],
    [`https://${HOST}:444`, 403],
    ['null', 403],
    ['', 403],
  ])('%s is answered with %d', async (origin, status) => {
    const answer = await test.call('GET', '/healthz', { headers: { origin } })
    expect(answer.status).toBe(status)
  })
})

describe('a rate limit', () => {
  const LOOSE = { perMinute: 6_000_000, burst: 100_000, keysMost: 100 }

  it('counts an address before anybody is authenticated, and each one by itself', async () => {
    const address = { perMinute: 60, burst: 2, keysMost: 100 }
    const own = await createTestApp({ app: { rateLimits: { address, agent: LOOSE, user: LOOSE } } })
    const get = (from: string) => own.call('GET', '/v1/me', { address: from, token: 'nonsense' })
    expect([(await get('192.0.2.1')).status, (await get('192.0.2.1')).status]).toEqual([401, 401])
    const limited = await get('192.0.2.1')
    expect([limited.status, limited.body.code, limited.headers.get('retry-after')]).toEqual([
      429,
      'rate_limited',
      '1',
    ])
    expect((await get('192.0.2.2')).status).toBe(401)
    own.clock.advance(1_000)
    expect((await get('192.0.2.1')).status).toBe(401)
    expect(own.broker.recentRefusals.take()).toMatchObject({
      'bad_request:rate_limited': 1,
      'bad_request:token_invalid': 4,
    })
    await own.close()
  })

  it('counts an agent and a user after it, wherever they call from', async () => {
    const tight = { perMinute: 60, burst: 1, keysMost: 100 }
    const own = await createTestApp({ app: { rateLimits: { address: LOOSE, agent: tight, user: tight } } })
    const userId = own.broker.newId('user')
    const agentId = own.broker.newId('agent')
    const agent = () => own.tokenFor({ kind: 'agent', userId, agentId })
    const first = await own.call('GET', '/v1/actions', { token: await agent(), address: '192.0.2.1' })
    const second = await own.call('GET', '/v1/actions', { token: await agent(), address: '192.0.2.2' })
    expect([first.status, second.status]).toEqual([200, 429])
    // The user is not shut out by the agent.
    const user = await own.call('GET', '/v1/actions', { token: await own.tokenFor({ kind: 'user', userId }) })
    expect(user.status).toBe(200)
    await own.close()
  })

  it('fills up again steadily, up to its burst', () => {
    const limit = createRateLimit({ perMinute: 60, burst: 3, keysMost: 10 })
    const taken = (atMs: number) => limit.take('a', atMs)
    expect([taken(0), taken(0), taken(0), taken(0)]).toEqual([0, 0, 0, 1])
    expect([taken(999), taken(1_000)]).toEqual([1, 0])
    expect([taken(60_000), taken(60_000), taken(60_000), taken(60_000)]).toEqual([0, 0, 0, 1])
  })

  it('counts an IPv6 network as one caller', () => {
    expect(addressKey('2001:db8:1:2:3:4:5:6')).toBe(addressKey('2001:db8:1:2::9'))
    expect(addressKey('2001:db8:1:2::9')).not.toBe(addressKey('2001:db8:1:3::9'))
    expect(addressKey('::1')).toBe('0:0:0:0')
    expect(addressKey('::ffff:192.0.2.7')).toBe('192.0.2.7')
  })
})
