import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CALLER_KINDS } from '../../src/core/tokens/access-token.ts'
import { DEPLOYMENT, grantAll, order, SECRET } from '../support/granted-agent.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { type CallInit, createTestApp, type TestApp } from '../support/test-app.ts'

let test: TestApp
let agentToken: string
let userToken: string
let operatorToken: string

beforeAll(async () => {
  test = await createTestApp()
  test.secrets.set('coffee.order /payment_token', SECRET)
  const { userId, agent } = await grantAll(test.broker, sampleManifest('coffee.order'))
  agentToken = await test.tokenFor({ kind: 'agent', userId, agentId: agent.id })
  userToken = await test.tokenFor({ kind: 'user', userId })
  operatorToken = await test.tokenFor({ kind: 'operator' })
})
afterAll(() => test.close())

const text = (args: string, extra = '') =>
  `{"skill":"coffee.order","action":"order_and_pay","deployment":"${DEPLOYMENT}","arguments":${args}${extra}}`
const paid = (amount: string, currency = '"CNY"') =>
  `{"quote_id":"Q-1","store_id":"LK-0571-022","total_amount":${amount},"currency":${currency},"pickup":"store"}`
const withText = (value: string) =>
  JSON.stringify({ ...(order(500) as object), store_id: value }).replaceAll('"500"', '500')

const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`

describe('an action that is no request', () => {
  it.each([
    ['malformed JSON', '{"skill":', 400, 'malformed_json'],
    ['nothing at all', '', 400, 'malformed_json'],
    ['something behind the value', `${text(paid('500'))} 1`, 400, 'malformed_json'],
    ['a byte order mark', `\ufeff${text(paid('500'))}`, 400, 'malformed_json'],
    ['a duplicate key', text(paid('500'), ',"skill":"pay.transfer"'), 400, 'duplicate_key'],
    ['a duplicate key in the arguments', text('{"total_amount":1,"total_amount":2}'), 400, 'duplicate_key'],
    ['a lone surrogate', text('{"quote_id":"\\ud800"}'), 400, 'lone_surrogate'],
    ['a deep body', text(`{"a":${deep(100)}}`), 400, 'too_deep'],
    ['a very deep body', text(deep(30_000)), 400, 'too_deep'],
    ['a huge body', text(`{"quote_id":"${'x'.repeat(70_000)}"}`), 413, 'body_too_large'],
    ['an unknown field', text(paid('500'), ',"force":true'), 422, 'invalid_request'],
    ['a wrong type', text(paid('500')).replace('"coffee.order"', '7'), 422, 'invalid_request'],
    ['no object', '[]', 422, 'invalid_request'],
    ['a missing field', '{"skill":"coffee.order"}', 422, 'invalid_request'],
    ['an unknown argument', text(paid('500').replace('{', '{"tip":1,')), 422, 'invalid_arguments'],
    [
      'a secret the agent sends',
      text(paid('500').replace('{', '{"payment_token":"t",')),
      422,
      'invalid_arguments',
    ],
    ['a negative amount', text(paid('-500')), 422, 'invalid_arguments'],
    ['a fractional amount', text(paid('500.5')), 422, 'invalid_arguments'],
    ['an amount beyond 2^53-1', text(paid('9007199254740993')), 400, 'number_not_exact'],
    ['an amount of 2^53', text(paid('9007199254740992')), 422, 'invalid_arguments'],
    ['a number its double does not print back', text(paid('0.1000000000000000055')), 400, 'number_not_exact'],
    ['a number beyond all doubles', text(paid('1e999')), 400, 'number_not_exact'],
    ['an unknown currency', text(paid('500', '"XXX"')), 422, 'invalid_arguments'],
    ['a currency in small letters', text(paid('500', '"cny"')), 422, 'invalid_arguments'],
    ['text that is not NFC', text(withText('LK-e\u0301')), 422, 'invalid_arguments'],
    ['a bidi character', text(withText('LK-\u202e1')), 422, 'invalid_arguments'],
    ['an invisible character', text(withText('LK-\u200b1')), 422, 'invalid_arguments'],
    ['a control character', text(withText('LK-\u0007')), 422, 'invalid_arguments'],
    ['a skill that is no name', text(paid('500')).replace('coffee.order', '../etc'), 422, 'invalid_request'],
  ])('is told so: %s', async (_, raw, status, code) => {
    const leaves = (await test.leaves()).length
    const answer = await test.call('POST', '/v1/actions', {
      token: agentToken,
      raw,
      headers: { 'idempotency-key': 'bad-input-key' },
    })
    expect([answer.status, answer.body.code]).toEqual([status, code])
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect((await test.leaves()).length).toBe(leaves)
    expect(test.skill.calls).toEqual([])
    expect(await everything('actions')).toBe(0)
  })

  it('is told where it is wrong', async () => {
    const answer = await test.call('POST', '/v1/actions', {
      token: agentToken,
      raw: text(paid('-1').replace('{', '{"tip":1,')),
      headers: { 'idempotency-key': 'bad-input-key' },
    })
    expect(answer.body.faults).toEqual(
      expect.arrayContaining([expect.objectContaining({ pointer: expect.stringContaining('tip') })]),
    )
  })

  it('is refused when it is not declared as JSON in UTF-8', async () => {
    for (const headers of [
      { 'content-type': 'text/plain' },
      { 'content-type': 'application/json; charset=utf-16' },
      { 'content-type': 'application/jsonp' },
      { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    ]) {
      const answer = await test.call('POST', '/v1/actions', { token: agentToken, raw: '{}', headers })
      expect([answer.status, answer.body.code]).toEqual([415, 'unsupported_media_type'])
    }
    const bytes = await test.call('POST', '/v1/actions', {
      token: agentToken,
      raw: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]),
    })
    expect(bytes.body.code).toBe('malformed_json')
  })

  it('takes a charset that says UTF-8', async () => {
    const answer = await test.call('POST', '/v1/actions', {
      token: agentToken,
      raw: '{}',
      headers: { 'content-type': 'application/json; charset=UTF-8' },
    })
    expect(answer.body.code).toBe('invalid_request')
  })
})

describe('parameters', () => {
  it.each([
    ['/v1/actions?limit=0', 'invalid_parameter'],
    ['/v1/actions?limit=101', 'invalid_parameter'],
    ['/v1/actions?limit=1e1', 'invalid_parameter'],
    ['/v1/actions?limit=1&limit=2', 'invalid_parameter'],
    ['/v1/actions?sort=asc', 'invalid_parameter'],
    ['/v1/actions?__proto__=1', 'invalid_parameter'],
    ['/v1/actions?status=done', 'invalid_parameter'],
    ['/v1/actions?cursor=zzz', 'invalid_cursor'],
    ['/v1/actions?cursor=MS4xLg', 'invalid_cursor'],
    [`/v1/actions?cursor=${Buffer.from('2.1.act_1').toString('base64url')}`, 'invalid_cursor'],
    [`/v1/actions?cursor=${Buffer.from("1.1.a' or 1=1").toString('base64url')}`, 'invalid_cursor'],
    [`/v1/actions?cursor=${Buffer.from('1.9007199254740993.act_1').toString('base64url')}`, 'invalid_cursor'],
  ])('that nobody understands are a 400: %s', async (path, code) => {
    const answer = await test.call('GET', path, { token: userToken })
    expect([answer.status, answer.body.code]).toEqual([400, code])
  })

  it('of the wrong form name nothing', async () => {
    for (const id of ['%00', '%E0%A4%A', 'x'.repeat(300), "act_' or 1=1", '%2e%2e', '%F0%9F%98%80']) {
      const answer = await test.call('GET', `/v1/actions/${id}`, { token: userToken })
      expect([id, answer.status, answer.body.code]).toEqual([id, 404, 'not_found'])
    }
  })

  it('of a method that is not there list those that are', async () => {
    const answer = await test.call('DELETE', '/v1/grants/grt_1', { token: userToken })
    expect([answer.status, answer.body.code, answer.headers.get('allow')]).toEqual([
      405,
      'method_not_allowed',
      'GET',
    ])
    const preflight = await test.call('OPTIONS', '/v1/actions')
    expect(preflight.status).toBe(405)
    expect([...preflight.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
  })
})

describe('whatever is sent', () => {
  const token = fc.constantFrom('agent', 'user', 'operator')
  const piece = fc.oneof(fc.string(), fc.constantFrom('..', '%', '%2f', '\u0000', '*', 'act_1', '𐍈'))
  const init = fc.record({
    raw: fc.oneof(
      fc.json(),
      fc.string(),
      fc.constant('{}'),
      fc.jsonValue().map((value) => JSON.stringify({ reason: 'because', value })),
    ),
    key: fc.string({ minLength: 0, maxLength: 20 }),
  })

  it('is never answered with a 5xx, nor with anything from inside', async () => {
    const paths = test.routes.filter((route) => !route.path.includes('/keys/{purpose}'))
    await fc.assert(
      fc.asyncProperty(
        fc.nat(paths.length - 1),
        token,
        piece,
        piece,
        init,
        async (index, kind, a, b, sent) => {
          const route = paths[index]
          if (!route) return
          const pieces = [a, b]
          const path = route.path.replace(
            /\{\w+\*?\}/g,
            () => encodeURIComponent((pieces.shift() ?? 'x').toWellFormed()) || 'x',
          )
          const request: CallInit = {
            token: { agent: agentToken, user: userToken, operator: operatorToken }[kind] ?? '',
            headers: { 'idempotency-key': encodeURIComponent(sent.key.toWellFormed()) || 'k' },
            ...(route.method === 'get' ? {} : { raw: sent.raw }),
          }
          const query =
            route.method === 'get'
              ? `?${encodeURIComponent(a.toWellFormed())}=${encodeURIComponent(b.toWellFormed())}`
              : ''
          const answer = await test.call(route.method.toUpperCase(), `${path}${query}`, request)
          expect(answer.status).toBeLessThan(500)
          if (answer.status >= 400) {
            expect(answer.text).not.toMatch(
              /\bat .*\.ts|SQLITE|select |insert |node_modules|tok_of_the_platform/i,
            )
          }
        },
      ),
      { seed: 1, numRuns: 600 },
    )
    expect(CALLER_KINDS.length).toBe(4)
  })

  it('that breaks inside is a bare 500 with nothing but the request id', async () => {
    const route = test.routes.find((it) => it.path === '/v1/me' && it.method === 'get')
    const failing = await createTestApp()
    await failing.broker.store.close()
    const answer = await failing.call('GET', '/v1/me', {
      token: await failing.tokenFor({ kind: 'user' }),
      headers: { 'x-request-id': 'look-for-this' },
    })
    expect([route?.path, answer.status, answer.body]).toEqual([
      '/v1/me',
      500,
      {
        type: '/problems/internal',
        title: 'Something went wrong on our side',
        status: 500,
        code: 'internal',
        detail: 'The request id helps the operators to find out what.',
        request_id: 'look-for-this',
      },
    ])
    expect(failing.logged.find((line) => line.event === 'request_failed')?.facts.requestId).toBe(
      'look-for-this',
    )
    await failing.broker.cells.close()
  })
})

async function everything(what: 'actions'): Promise<number> {
  const search = { userId: null, agentId: null, skillId: null, status: null, fromMs: null, toMs: null }
  const rows = await test.broker.store.read(async (tx) => tx[what].list(search, { limit: 100, before: null }))
  return rows.length
}
