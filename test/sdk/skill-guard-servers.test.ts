import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import express, { type Express } from 'express'
import { Hono } from 'hono'
import { afterEach, describe, expect, it } from 'vitest'
import type { VerifiedCall } from '../../src/core/execution/verify-action-token.ts'
import { createIdempotentCalls } from '../../src/sdk/idempotent-calls.ts'
import type { KeptAnswer, OnceForEachKey } from '../../src/sdk/once-for-each-key.ts'
import { createSkillGuard } from '../../src/sdk/skill-guard.ts'
import { callOf, expressSkillGuard, keepRawBody } from '../../src/sdk/skill-guard-express.ts'
import { fetchSkillGuard } from '../../src/sdk/skill-guard-fetch.ts'
import { honoSkillGuard } from '../../src/sdk/skill-guard-hono.ts'
import { nodeSkillGuard } from '../../src/sdk/skill-guard-node.ts'
import { createTestSigner } from '../support/test-broker-keys.ts'
import { BASE_URL, BODY, ISSUER, mintCall, NOW_MS } from './call-fixture.ts'

const { signer } = createTestSigner()
const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

const newGuard = () =>
  createSkillGuard({ issuer: ISSUER, baseUrl: BASE_URL, keys: signer.jwks(), now: () => NOW_MS })

const BIG = 'a'.repeat(1_001)

/** Handlers that count, so that what is done twice shows. */
function counting() {
  let runs = 0
  return (call: VerifiedCall, got: string) => {
    runs += 1
    if (call.action === 'fail_once' && runs === 1) return { status: 503, body: { runs } }
    return { status: call.action === 'place_order' ? 200 : 422, body: { user: call.userId, got, runs } }
  }
}

function openNode(): Promise<string> {
  const server = createServer(
    nodeSkillGuard(
      newGuard(),
      (call, body, _request, response) => {
        if (call.action === 'explode') throw new Error('secret detail')
        response
          .setHeader('content-type', 'application/json')
          .end(JSON.stringify({ user: call.userId, got: `${body}` }))
      },
      1_000,
    ),
  )
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(track(server))))
}

type Mounting = (app: Express, guard: ReturnType<typeof expressSkillGuard>) => void

function openExpress(mount: Mounting, once?: OnceForEachKey): () => Promise<string> {
  return () => {
    const app = express()
    mount(app, expressSkillGuard(newGuard(), { maxBodyBytes: 1_000, ...(once ? { once } : {}) }))
    const answer = counting()
    app.post('/api/orders', (request, response) => {
      const { status, body } = answer(callOf(request), JSON.stringify(request.body))
      response.status(status).json(body)
    })
    const server = createServer(app)
    return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(track(server))))
  }
}

const GUARD_FIRST: Mounting = (app, guard) => app.use('/api', guard).use(express.json())
const PARSER_FIRST: Mounting = (app, guard) =>
  app.use(express.json({ verify: keepRawBody })).use('/api', guard)

function openFetch(once?: OnceForEachKey): () => Promise<string> {
  return () => {
    const answer = counting()
    const handle = fetchSkillGuard(
      newGuard(),
      async (call, request) => {
        const { status, body } = answer(call, JSON.stringify(await request.json()))
        return Response.json(body, { status })
      },
      { maxBodyBytes: 1_000, ...(once ? { once } : {}) },
    )
    return listen(handle)
  }
}

function openCountingHono(once: OnceForEachKey): () => Promise<string> {
  return () => {
    const answer = counting()
    const app = new Hono<{ Variables: { call: VerifiedCall } }>()
    app.use('/api/*', honoSkillGuard(newGuard(), { once }))
    app.post('/api/orders', async (c) => {
      const { status, body } = answer(c.get('call'), JSON.stringify(await c.req.json()))
      return Response.json(body, { status })
    })
    return listen(app.fetch)
  }
}

function listen(fetch: (request: Request) => Response | Promise<Response>): Promise<string> {
  return new Promise((resolve) => {
    const server = serve({ fetch, port: 0, hostname: '127.0.0.1' }, (info: AddressInfo) =>
      resolve(`http://127.0.0.1:${info.port}/api/orders`),
    )
    closers.push(() => server.close())
  })
}

function openHono(): Promise<string> {
  const app = new Hono<{ Variables: { call: VerifiedCall } }>()
  app.use('/api/*', honoSkillGuard(newGuard()))
  app.all('/api/orders', async (c) =>
    c.json({ user: c.get('call').userId, got: JSON.stringify(await c.req.json()) }),
  )
  return new Promise((resolve) => {
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, (info: AddressInfo) =>
      resolve(`http://127.0.0.1:${info.port}/api/orders`),
    )
    closers.push(() => server.close())
  })
}

function track(server: Server): string {
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening')
  return `http://127.0.0.1:${address.port}/api/orders`
}

function post(url: string, token: string, body = `${BODY}`): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    body,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
  })
}

describe.each([
  ['a node:http server', openNode],
  ['a Hono app', openHono],
  ['an Express app', openExpress(GUARD_FIRST)],
  ['an Express app whose body parser comes first and keeps the bytes', openExpress(PARSER_FIRST)],
  ['a fetch-style server', openFetch()],
])('%s behind the guard', (_, open) => {
  it('hands a permitted call and its body to the skill', async () => {
    const answer = await post(await open(), await mintCall(signer))
    expect(answer.status).toBe(200)
    expect(await answer.json()).toMatchObject({ user: 'usr_pairwise', got: '{"item":"latte"}' })
  })

  it.each([
    ['a replay', true, `${BODY}`, 'replayed'],
    ['changed bytes', false, '{"item":"gold"}', 'body_changed'],
  ])('answers %s with 401 and a code', async (_name, isReplay, body, code) => {
    const url = await open()
    const token = await mintCall(signer)
    if (isReplay) await post(url, token)
    const answer = await post(url, token, body)
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"')
    expect(await answer.json()).toEqual({ error: { code } })
  })

  it('answers a GET with 405', async () => {
    const answer = await fetch(await open())
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST'])
  })
})

describe.each([
  ['a node:http server', openNode],
  ['an Express app', openExpress(GUARD_FIRST)],
  ['a fetch-style server', openFetch()],
])('%s behind the guard', (_, open) => {
  it('does not read more than its limit', async () => {
    const answer = await post(await open(), await mintCall(signer), BIG)
    expect([answer.status, await answer.json()]).toEqual([413, { error: { code: 'body_too_large' } }])
  })
})

describe('an Express app whose parser swallowed the bytes', () => {
  it('lets nothing through, because nobody can tell what was signed', async () => {
    const open = openExpress((app, guard) => app.use(express.json()).use('/api', guard))
    const answer = await post(await open(), await mintCall(signer))
    expect([answer.status, await answer.json()]).toEqual([500, { error: { code: 'body_already_read' } }])
  })

  it('hands the handler what was verified and not what the parser made of it', async () => {
    const open = openExpress((app, guard) => {
      app.use(express.json({ verify: keepRawBody }))
      app.use((request, _response, next) => {
        request.body = { item: 'gold' }
        next()
      })
      app.use('/api', guard)
    })
    const answer = await post(await open(), await mintCall(signer))
    expect(await answer.json()).toMatchObject({ got: '{"item":"latte"}' })
  })

  it('is looked at under the path it is mounted at', async () => {
    const url = (await openExpress(GUARD_FIRST)()).replace('/api/orders', '/api/refunds')
    const answer = await post(url, await mintCall(signer))
    expect([answer.status, await answer.json()]).toEqual([401, { error: { code: 'wrong_audience' } }])
  })
})

describe.each([
  ['an Express app', (once: OnceForEachKey) => openExpress(GUARD_FIRST, once)],
  ['a Hono app', (once: OnceForEachKey) => openCountingHono(once)],
  ['a fetch-style server', (once: OnceForEachKey) => openFetch(once)],
])('%s that does each key once', (_, openWith) => {
  const open = () => openWith(createIdempotentCalls<KeptAnswer>({ now: () => NOW_MS }))()
  const call = async (url: string, action: string, brokerKey: string, body = BODY) =>
    post(url, await mintCall(signer, { input: { action, brokerKey, body } }), `${body}`)

  it('answers a repeat, under a token of its own, with the first answer', async () => {
    const url = await open()
    const first = await call(url, 'place_order', 'key_a')
    const second = await call(url, 'place_order', 'key_a')
    expect([first.status, second.status]).toEqual([200, 200])
    expect(second.headers.get('content-type')).toContain('application/json')
    expect([await first.json(), await second.json()]).toMatchObject([{ runs: 1 }, { runs: 1 }])
    expect(await (await call(url, 'place_order', 'key_b')).json()).toMatchObject({ runs: 2 })
  })

  it('does parallel repeats once', async () => {
    const url = await open()
    const answers = await Promise.all([1, 2, 3].map(() => call(url, 'place_order', 'key_a')))
    for (const answer of answers) expect(await answer.json()).toMatchObject({ runs: 1 })
  })

  it('keeps a refusal, and not a fault of its own', async () => {
    const url = await open()
    expect((await call(url, 'refuse', 'key_a')).status).toBe(422)
    expect(await (await call(url, 'refuse', 'key_a')).json()).toMatchObject({ runs: 1 })
    const other = await open()
    expect((await call(other, 'fail_once', 'key_c')).status).toBe(503)
    expect(await (await call(other, 'fail_once', 'key_c')).json()).toMatchObject({ runs: 2 })
  })

  it('refuses the same key with other bytes', async () => {
    const url = await open()
    await call(url, 'place_order', 'key_a')
    const answer = await call(url, 'place_order', 'key_a', Buffer.from('{"item":"gold"}'))
    expect([answer.status, await answer.json()]).toEqual([409, { error: { code: 'key_reused' } }])
  })
})

describe('a node:http server behind the guard', () => {
  it('tells nothing about an error of the skill', async () => {
    const answer = await post(await openNode(), await mintCall(signer, { input: { action: 'explode' } }))
    expect([answer.status, await answer.json()]).toEqual([500, { error: { code: 'internal_error' } }])
  })
})
