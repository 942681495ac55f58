import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CALLER_KINDS, type CallerKind } from '../../src/core/tokens/access-token.ts'
import { answered } from '../support/fake-skill.ts'
import { grantAll, order, SECRET } from '../support/granted-agent.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { createTestApp, type TestApp } from '../support/test-app.ts'

let test: TestApp
const tokens = new Map<CallerKind, string>()

beforeAll(async () => {
  test = await createTestApp()
  const userId = test.broker.newId('user')
  for (const kind of CALLER_KINDS) {
    tokens.set(kind, await test.tokenFor(kind === 'operator' ? { kind } : { kind, userId }))
  }
})
afterAll(() => test.close())

/** A path with something in place of its parameters. */
function concrete(path: string): string {
  return path.replace(/\{\w+\*\}/g, '000').replace(/\{\w+\}/g, 'something')
}

describe('an agent whose action waits for a yes', () => {
  it('cannot say yes to itself, nor to its own consent request', async () => {
    const { broker, call, tokenFor, skill, secrets } = test
    secrets.set('coffee.order /payment_token', SECRET)
    skill.replyAlways(answered({ error: 'not_found' }, 404))
    const granted = await grantAll(broker, sampleManifest('coffee.order'), {
      askFirst: [{ kind: 'above_amount', currency: 'CNY', amountMinor: 100 }],
    })
    const { userId, agent } = granted
    const token = await tokenFor({ kind: 'agent', userId, agentId: agent.id })
    const asked = await call('POST', '/v1/actions', {
      token,
      headers: { 'idempotency-key': 'first-coffee' },
      body: { skill: 'coffee.order', action: 'order_and_pay', arguments: order(500), deployment: 'dep_test' },
    })
    expect([asked.status, asked.body.status]).toEqual([202, 'approval_required'])

    const path = `/v1/approvals/${asked.body.approvalId}/approve`
    const own = await call('POST', path, { token, body: {} })
    expect([own.status, own.body.code]).toEqual([403, 'wrong_caller'])
    const read = await call('GET', `/v1/approvals/${asked.body.approvalId}`, {
      token: await tokenFor({ kind: 'user', userId }),
    })
    expect(read.body.state).toBe('waiting')
    const request = await call('POST', '/v1/consent-requests/crq_1/approve', { token, body: {} })
    expect([request.status, request.body.code]).toEqual([403, 'wrong_caller'])
  })
})

describe('every route', () => {
  it('is in the table the tests walk', () => {
    expect(test.routes.length).toBeGreaterThan(55)
    expect(new Set(test.routes.map((route) => `${route.method} ${route.path}`)).size).toBe(test.routes.length)
  })

  it('for enforcement points takes nobody else, and no other takes one', () => {
    for (const route of test.routes) {
      const isTheirs = route.path.startsWith('/access/v1/')
      const isTaken = route.callers.includes('enforcement_point')
      expect([route.path, isTaken]).toEqual([route.path, isTheirs])
      if (isTheirs) expect([route.path, route.callers]).toEqual([route.path, ['enforcement_point']])
    }
  })

  it('that changes what a person decides takes a user and nobody else', () => {
    const decides = /\/(approve|refuse|narrow|renew|pause|resume|revoke|disconnect|deployments|time-zone)$/
    const own = test.routes.filter((route) => decides.test(route.path) && route.method !== 'get')
    for (const route of own.filter((it) => !/operator|publishers/.test(it.path))) {
      expect([route.path, route.callers]).toEqual([route.path, ['user']])
    }
    for (const route of test.routes.filter((it) => it.path.startsWith('/v1/operator/'))) {
      expect([route.path, route.callers]).toEqual([route.path, ['operator']])
    }
  })

  it('refuses each wrong kind of caller before it reads anything', async () => {
    const before = (await test.leaves()).length
    for (const route of test.routes.filter((it) => it.callers.length > 0)) {
      for (const kind of CALLER_KINDS.filter((it) => !route.callers.includes(it))) {
        const answer = await test.call(route.method.toUpperCase(), concrete(route.path), {
          token: tokens.get(kind) ?? '',
        })
        const seen = [route.method, route.path, kind, answer.status, answer.body.code]
        expect(seen).toEqual([route.method, route.path, kind, 403, 'wrong_caller'])
      }
    }
    expect((await test.leaves()).length).toBe(before)
  })

  it('tells a wrong kind of caller whose credential it takes', async () => {
    for (const route of test.routes.filter((it) => it.callers.length > 0)) {
      const kind = CALLER_KINDS.find((it) => !route.callers.includes(it))
      if (!kind) continue
      const { body } = await test.call(route.method.toUpperCase(), concrete(route.path), {
        token: tokens.get(kind) ?? '',
      })
      expect([route.path, body.callers]).toEqual([route.path, route.callers])
      const isForPeople = route.callers.join() === 'user'
      expect([route.path, String(body.detail).includes('person')]).toEqual([route.path, isForPeople])
      if (!isForPeople) for (const own of route.callers) expect(body.detail).toContain(own.replace('_', ' '))
    }
  })

  it('refuses a caller without a token, and says how to send one', async () => {
    for (const route of test.routes.filter((it) => it.callers.length > 0)) {
      const answer = await test.call(route.method.toUpperCase(), concrete(route.path))
      expect([route.path, answer.status, answer.body.code]).toEqual([route.path, 401, 'token_required'])
      expect(answer.headers.get('www-authenticate')).toContain('Bearer')
    }
  })

  it('refuses a token with a broken signature', async () => {
    for (const route of test.routes.filter((it) => it.callers.length > 0)) {
      const [kind = 'user'] = route.callers
      const token = tokens.get(kind) ?? ''
      const broken = `${token.slice(0, -6)}${token.endsWith('AAAAAA') ? 'BBBBBB' : 'AAAAAA'}`
      const answer = await test.call(route.method.toUpperCase(), concrete(route.path), { token: broken })
      expect([route.path, answer.status, answer.body.code]).toEqual([route.path, 401, 'token_invalid'])
    }
  })

  it('answers what is not there, and what is somebody else’s, alike', async () => {
    const { broker, call, tokenFor } = test
    const granted = await grantAll(broker, sampleManifest('coffee.order'))
    const theirs = granted.grant.id
    const token = await tokenFor({ kind: 'user' })
    const unknown = broker.newId('grant')
    for (const [method, suffix, body] of [
      ['GET', '', undefined],
      ['POST', '/pause', undefined],
      ['POST', '/resume', undefined],
      ['POST', '/revoke', undefined],
      ['POST', '/renew', { expiresAtMs: 1 }],
    ] as const) {
      const answers = []
      for (const id of [theirs, unknown]) {
        const init = { token, ...(body ? { body } : {}), headers: { 'x-request-id': 'same-request' } }
        const answer = await call(method, `/v1/grants/${id}${suffix}`, init)
        answers.push([answer.status, answer.text])
      }
      expect(answers[0]?.[0]).toBe(404)
      expect(answers[0]).toEqual(answers[1])
    }
  })
})
