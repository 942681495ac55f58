import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { afterEach, describe, expect, it } from 'vitest'
import type { VerifiedCall } from '../../src/core/execution/verify-action-token.ts'
import { createSkillGuard } from '../../src/sdk/skill-guard.ts'
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
])('%s behind the guard', (_, open) => {
  it('hands a permitted call and its body to the skill', async () => {
    const answer = await post(await open(), await mintCall(signer))
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({ user: 'usr_pairwise', got: '{"item":"latte"}' })
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

describe('a node:http server behind the guard', () => {
  it('does not read more than its limit', async () => {
    const answer = await post(await openNode(), await mintCall(signer), 'a'.repeat(1_001))
    expect([answer.status, await answer.json()]).toEqual([413, { error: { code: 'body_too_large' } }])
  })

  it('tells nothing about an error of the skill', async () => {
    const answer = await post(await openNode(), await mintCall(signer, { input: { action: 'explode' } }))
    expect([answer.status, await answer.json()]).toEqual([500, { error: { code: 'internal_error' } }])
  })
})
