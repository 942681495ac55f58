import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { turnEpoch } from '../../src/broker/key-epoch.ts'
import { runErasures } from '../../src/broker/run-erasures.ts'
import { ERASURE_AFTER_MS } from '../../src/core/erasure/erasure-steps.ts'
import { createErasable, type ErasablePerson } from '../support/erasable-person.ts'
import { createPeopleWorld } from '../support/people-world.ts'
import { createTestApp, type TestApp } from '../support/test-app.ts'

let test: TestApp
let alice: ErasablePerson
let bob: ErasablePerson

beforeAll(async () => {
  test = await createTestApp()
  alice = await createErasable(test)
  bob = await createErasable(test)
})
afterAll(() => test.close())

const tokenOf = (userId: string) => test.tokenFor({ kind: 'user', userId })

async function exportOf(userId: string): Promise<{ text: string; parts: unknown[] }> {
  const token = await tokenOf(userId)
  const parts: unknown[] = []
  let text = ''
  for (let cursor: unknown = ''; cursor !== null; ) {
    const query = cursor === '' ? '' : `?cursor=${String(cursor)}`
    const page = await test.call('GET', `/v1/me/export${query}`, { token })
    expect(page.status).toBe(200)
    parts.push(page.body.part)
    text += page.text
    cursor = page.body.nextCursor
  }
  return { text, parts }
}

describe('an export', () => {
  it('holds all that is kept about a person, opened, and nothing of anybody else', async () => {
    const { text, parts } = await exportOf(alice.userId)
    expect([...new Set(parts)]).toEqual(['person', 'memory', 'actions', 'events'])
    for (const word of alice.planted) expect(text, word).toContain(word)
    for (const word of [...bob.planted, bob.userId, bob.grant.id]) expect(text, word).not.toContain(word)
    for (const line of alice.sealed) expect(text).not.toContain(line)
  })

  it('goes on only where a cursor of ours says', async () => {
    const token = await tokenOf(alice.userId)
    for (const cursor of ['x', 'actions.1', 'events.../etc', 'actions.1.a.b', 'events.%00']) {
      const page = await test.call('GET', `/v1/me/export?cursor=${cursor}`, { token })
      expect([page.status, page.body.code], cursor).toEqual([400, 'invalid_cursor'])
    }
  })
})

describe('who may have somebody erased', () => {
  it.each([
    ['GET', '/v1/me/export'],
    ['GET', '/v1/me/erasure'],
    ['POST', '/v1/me/erasure'],
    ['DELETE', '/v1/me/erasure'],
    ['GET', '/v1/me/part-erasures'],
    ['POST', '/v1/me/part-erasures'],
  ])('%s %s is no agent’s and no operator’s', async (method, path) => {
    const { userId, agent } = alice
    const scope = path.includes('part') ? { scope: 'agent', id: agent.id } : { scope: 'everything' }
    const body = method === 'POST' ? { body: scope } : {}
    for (const who of [
      { kind: 'agent', userId, agentId: agent.id },
      { kind: 'operator', operatorId: 'lin.wei' },
    ] as const) {
      const token = await test.tokenFor(who)
      expect((await test.call(method, path, { token, ...body })).body.code).toBe('wrong_caller')
    }
    expect((await test.call(method, path, body)).status).toBe(401)
  })

  it('is the person alone, with a passkey used a short while ago', async () => {
    const world = await createPeopleWorld({ test })
    const user = await world.user((await world.firstOperator()).person)
    test.clock.advance(6 * 60_000)
    const signedIn = await world.signIn(user.key)
    if (signedIn.kind !== 'signed_in') throw new Error(signedIn.kind)
    test.clock.advance(6 * 60_000)
    const headers = { cookie: `__Host-countersign=${signedIn.cookie}`, 'sec-fetch-site': 'same-origin' }
    expect((await test.call('GET', '/v1/me/export', { headers })).body.code).toBe('step_up_required')
    expect((await test.call('GET', '/v1/me/erasure', { headers })).body.code).toBe('not_found')
  })
})

describe('an erasure over the API', () => {
  it('is asked for, shown, cancelled, held by operators and done', async () => {
    const token = await tokenOf(alice.userId)
    const operator = await test.tokenFor({ kind: 'operator', operatorId: 'lin.wei' })
    const body = { scope: 'everything' }
    const asked = await test.call('POST', '/v1/me/erasure', { token, body })
    expect(asked.body).toMatchObject({ status: 'waiting', waitsFor: null })
    const cancelled = await test.call('DELETE', '/v1/me/erasure', { token })
    expect(cancelled.body).toEqual({ agents: [alice.agent.id], grants: [alice.grant.id], heldBack: false })
    await test.call('POST', '/v1/me/erasure', { token, body })

    const hold = `/v1/operator/users/${alice.userId}`
    const reason = { reason: 'a dispute about an order' }
    await test.call('POST', `${hold}/legal-hold`, { token: operator, body: reason })
    test.clock.advance(ERASURE_AFTER_MS)
    await runErasures(test.broker, async () => [])
    const fresh = await test.tokenFor({ kind: 'operator', operatorId: 'lin.wei' })
    const waiting = await test.call('GET', '/v1/operator/erasures', { token: fresh })
    expect(waiting.body.items).toMatchObject([{ userId: alice.userId, waitsFor: 'legal_hold' }])
    expect((await test.call('POST', `${hold}/lift-legal-hold`, { token: fresh, body: reason })).status).toBe(
      204,
    )
    test.clock.advance(30_000)
    await runErasures(test.broker, async () => [])
    const late = await tokenOf(alice.userId)
    const again = await test.call('DELETE', '/v1/me/erasure', { token: late })
    expect(again.body.code).toBe('erasure_under_way')
    const left = await exportOf(alice.userId)
    for (const word of alice.planted.filter((word) => !word.includes('@')))
      expect(left.text).not.toContain(word)
    const theirs = await exportOf(bob.userId)
    for (const word of bob.planted) expect(theirs.text).toContain(word)
  })
})

describe('an erasure of one agent’s data over the API', () => {
  it('is asked for, shown with its progress, and done', async () => {
    const carol = await createErasable(test)
    const token = await tokenOf(carol.userId)
    const path = '/v1/me/part-erasures'
    const body = { scope: 'agent', id: carol.agent.id }
    const asked = await test.call('POST', path, { token, body })
    expect(asked.body).toMatchObject({ status: 'waiting', scope: 'agent', scopeId: carol.agent.id })
    expect((await test.call('POST', path, { token, body })).body.erasureId).toBe(asked.body.erasureId)
    const other = { scope: 'agent', id: bob.agent.id }
    expect((await test.call('POST', path, { token, body: other })).body.code).toBe('not_found')
    const odd = { scope: 'everything', id: '' }
    expect((await test.call('POST', path, { token, body: odd })).status).toBe(422)
    await runErasures(test.broker, async () => [])
    expect((await test.call('GET', path, { token })).body.items).toMatchObject([{ waitsFor: 'writers' }])
    test.clock.advance(60_000)
    await runErasures(test.broker, async () => [])
    const late = await tokenOf(carol.userId)
    const { items } = (await test.call('GET', path, { token: late })).body
    expect(items).toMatchObject([{ status: 'done', step: null }])
    const [, , label = '', quote = ''] = carol.planted
    const { text } = await exportOf(carol.userId)
    expect(text).not.toContain(quote)
    expect(text).toContain(label)
  })
})

describe('the key epoch over the API', () => {
  it('is the operators’ to see and to turn, with a reason', async () => {
    const token = await test.tokenFor({ kind: 'operator', operatorId: 'lin.wei' })
    const path = '/v1/operator/key-epoch'
    expect((await test.call('GET', path, { token })).body).toMatchObject({ epoch: 1, standing: 'settled' })
    expect((await test.call('POST', `${path}/turn`, { token, body: { reason: '' } })).status).toBe(422)
    const reason = { reason: 'a copy of the key file got out' }
    expect((await test.call('POST', `${path}/turn`, { token, body: reason })).body.standing).toBe('asked')
    await turnEpoch(test.broker)
    expect((await test.call('GET', path, { token })).body).toMatchObject({
      epoch: 2,
      older: [],
      remaining: 0,
    })
    const user = await tokenOf(bob.userId)
    expect((await test.call('GET', path, { token: user })).body.code).toBe('wrong_caller')
  })
})
