import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { GrantTerms } from '../../src/core/grant/terms.ts'
import { answered, broken } from '../support/fake-skill.ts'
import { DEPLOYMENT, type Granted, grantAll, order, SECRET } from '../support/granted-agent.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { claimsOf } from '../support/skill-key.ts'
import { createTestApp, type TestApp } from '../support/test-app.ts'

let test: TestApp
let granted: Granted
let token: string
let userToken: string

beforeEach(async () => {
  test = await createTestApp()
  await start({})
})
afterEach(() => test.close())

async function start(terms: Partial<GrantTerms>) {
  test.secrets.set('coffee.order /payment_token', SECRET)
  // The preview of an order is another action, which this shop does not have.
  test.skill.replyAlways((call) =>
    claimsOf(call).act === 'order_and_pay' ? answered(PAID) : answered({ error: 'not_found' }, 404),
  )
  granted = await grantAll(test.broker, sampleManifest('coffee.order'), terms)
  token = await test.tokenFor({ kind: 'agent', userId: granted.userId, agentId: granted.agent.id })
  userToken = await test.tokenFor({ kind: 'user', userId: granted.userId })
}

const PAID = { order_id: 'O-1', charged_amount: 500, currency: 'CNY' }

function act(key: string | undefined, args = order(500), extra: Record<string, unknown> = {}) {
  return test.call('POST', '/v1/actions', {
    token,
    body: {
      skill: 'coffee.order',
      action: 'order_and_pay',
      arguments: args,
      deployment: DEPLOYMENT,
      ...extra,
    },
    headers: key === undefined ? {} : { 'idempotency-key': key },
  })
}

describe('POST /v1/actions', () => {
  it('answers 200 with the outcome, once executed and then replayed', async () => {
    const first = await act('coffee-one')
    expect([first.status, first.body.status, first.headers.get('idempotent-replayed')]).toEqual([
      200,
      'succeeded',
      null,
    ])
    const again = await act('coffee-one')
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([200, 'true'])
    expect(again.body).toEqual(first.body)
    expect(test.skill.calls).toHaveLength(1)
    expect(first.text).not.toContain(SECRET)
  })

  it('gives the promises of the log with each answer, and the receipt once a checkpoint covers its leaves', async () => {
    const { body } = await act('coffee-one')
    const claims = (body.promises as string[]).map((promise) =>
      JSON.parse(Buffer.from(promise.split('.')[1] ?? '', 'base64url').toString('utf8')),
    )
    const rows = await test.broker.store.read(async (tx) => tx.log.leaves(0, 1_000))
    const promised = rows.filter((row) => claims.some(({ evt }) => evt === row.eventId))
    expect(claims.map(({ lfh }) => lfh)).toEqual(promised.map((row) => row.leafHash.toString('base64url')))
    expect(claims).toHaveLength(2)
    expect((await test.call('GET', `/v1/actions/${body.actionId}`, { token })).body.promises).toEqual(
      body.promises,
    )

    const receipt = () => test.call('GET', `/v1/actions/${body.actionId}/receipt`, { token })
    const early = await receipt()
    expect([early.status, early.body.code, early.headers.get('retry-after')]).toEqual([
      409,
      'receipt_not_yet',
      '1',
    ])
    await test.publisher.publishNow()
    expect((await receipt()).status).toBe(200)
  })

  it('gives a promise with a refusal too', async () => {
    const refused = await act('coffee-dear', order(2_000_000))
    expect([refused.status, (refused.body.promises as string[]).length]).toEqual([403, 1])
  })

  it('answers 503 while the log is behind, remembers nothing, and goes on under the same key', async () => {
    const { admission } = test.broker
    test.broker.admission = { refusal: () => 'log_behind' }
    const before = (await test.broker.store.treeHead()).treeSize
    const late = await act('coffee-one')
    expect([late.status, late.body.code, late.headers.get('retry-after')]).toEqual([503, 'log_behind', '1'])
    expect((await test.broker.store.treeHead()).treeSize).toBe(before)
    expect(test.skill.calls).toEqual([])
    test.broker.admission = admission
    expect((await act('coffee-one')).status).toBe(200)
  })

  it('needs a key of 8 to 200 visible characters', async () => {
    for (const key of [undefined, 'seven77', 'x'.repeat(201), 'with a space', 'kéy-kéy-kéy']) {
      const answer = await act(key)
      const code = key === undefined ? 'idempotency_key_required' : 'idempotency_key_invalid'
      expect([key, answer.status, answer.body.code]).toEqual([key, 400, code])
    }
    expect((await act('eight888')).status).toBe(200)
    expect((await act('x'.repeat(200))).status).toBe(200)
    expect(test.skill.calls).toHaveLength(2)
  })

  it('refuses a key that was used for something else', async () => {
    await act('coffee-one')
    const other = await act('coffee-one', order(501))
    expect([other.status, other.body.code]).toEqual([422, 'idempotency_conflict'])
    // Equality is that of JSON, not of bytes.
    const reordered = JSON.stringify({
      deployment: DEPLOYMENT,
      arguments: { ...(order(500) as object) },
      action: 'order_and_pay',
      skill: 'coffee.order',
    }).replace('500', '5e2')
    const same = await test.call('POST', '/v1/actions', {
      token,
      raw: reordered,
      headers: { 'idempotency-key': 'coffee-one' },
    })
    expect([same.status, same.headers.get('idempotent-replayed')]).toEqual([200, 'true'])
  })

  it('says 409 while the same key is being carried out, and executes once', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { promise: called, resolve: isCalled } = Promise.withResolvers<void>()
    test.skill.replyAlways(async () => {
      isCalled()
      await promise
      return answered(PAID)
    })
    const first = act('coffee-one')
    await called
    const second = await act('coffee-one')
    expect([second.status, second.body.code, second.headers.get('retry-after')]).toEqual([
      409,
      'idempotency_in_flight',
      '1',
    ])
    resolve()
    expect((await first).status).toBe(200)
    expect(test.skill.calls).toHaveLength(1)
  })

  it('answers a refusal with 403, its code and what would make it pass; the key stays refused', async () => {
    await test.call('POST', `/v1/grants/${granted.grant.id}/revoke`, { token: userToken })
    const refused = await act('coffee-one')
    expect([refused.status, refused.body.code]).toEqual([403, 'consent_required'])
    expect(refused.body.detail).toContain('/v1/consent-requests')
    expect(refused.text).not.toMatch(/revoked|grt_/)
    const again = await act('coffee-one')
    expect([again.status, again.body.code, again.headers.get('idempotent-replayed')]).toEqual([
      403,
      'consent_required',
      'true',
    ])
    expect(again.body.detail).toContain('new key')
  })

  it('tells the number left only where the grant shares it', async () => {
    const budgets: GrantTerms['budgets'] = [
      { measure: 'amount', currency: 'CNY', window: { kind: 'per_action' }, limit: 400 },
    ]
    await start({ budgets })
    const silent = await act('coffee-one')
    expect([silent.body.code, silent.body.availableMinor]).toEqual(['budget_exceeded', undefined])
    await start({ budgets, sharesBudget: true })
    const open = await act('coffee-one')
    expect([open.body.code, open.body.availableMinor]).toEqual(['budget_exceeded', 400])
  })

  it('answers 202 while a person is asked, and goes on under the same key after the yes', async () => {
    await start({ askFirst: [{ kind: 'above_amount', currency: 'CNY', amountMinor: 100 }] })
    const asked = await act('coffee-one')
    expect([asked.status, asked.body.status]).toEqual([202, 'approval_required'])
    const path = `/v1/approvals/${asked.body.approvalId}`
    const view = await test.call('GET', path, { token: userToken })
    expect(JSON.stringify(view.body.shown)).toContain('LK-0571-022')
    expect(await act('coffee-one')).toMatchObject({ status: 202, body: { status: 'approval_required' } })
    expect((await test.call('GET', `${path}/approve`, { token: userToken })).status).toBe(405)
    const yes = await test.call('POST', `${path}/approve`, { token: userToken, body: {} })
    expect([yes.status, yes.body.state]).toEqual([200, 'approved'])
    const done = await act('coffee-one')
    expect([done.status, done.body.status]).toEqual([200, 'succeeded'])
  })

  it('answers 202 for what is in doubt, until an operator settles it', async () => {
    test.skill.replyAlways(broken())
    const doubt = await act('coffee-one')
    expect([doubt.status, doubt.body.status]).toEqual([202, 'in_doubt'])
    expect((await act('coffee-one')).headers.get('idempotent-replayed')).toBe('true')
    const operator = await test.tokenFor({ kind: 'operator' })
    const listed = await test.call('GET', '/v1/operator/in-doubt', { token: operator })
    expect(listed.body.items).toEqual([
      expect.objectContaining({ actionId: doubt.body.actionId, skill: 'coffee.order', status: 'in_doubt' }),
    ])
    const settle = (body: object) =>
      test.call('POST', `/v1/operator/actions/${doubt.body.actionId}/settle`, { token: operator, body })
    const outcome = { kind: 'captured', amountMinor: 500 }
    expect((await settle({ outcome, reason: 'ok' })).status).toBe(422)
    const settled = await settle({ outcome, reason: 'the shop confirmed it by mail' })
    expect([settled.status, settled.body.status]).toEqual([200, 'succeeded'])
    expect((await settle({ outcome, reason: 'once more' })).body.code).toBe('not_in_doubt')
    expect((await act('coffee-one')).status).toBe(200)
  })

  it('decides a dry run without a key, a call, a leaf or a hold', async () => {
    const leaves = (await test.leaves()).length
    const dry = await act(undefined, order(500), { dryRun: true })
    expect([dry.status, dry.body]).toEqual([200, { dryRun: true, decision: 'permit' }])
    await test.call('POST', `/v1/grants/${granted.grant.id}/pause`, { token: userToken })
    const denied = await act(undefined, order(500), { dryRun: true })
    expect([denied.status, denied.body.decision]).toEqual([200, 'deny'])
    expect(denied.body.refusal).toMatchObject({ code: 'consent_required' })
    expect((await test.leaves()).length).toBe(leaves + 1)
    expect(test.skill.calls).toEqual([])
  })

  it('of an agent that belongs to somebody else is refused', async () => {
    const stranger = await test.tokenFor({ kind: 'agent', agentId: granted.agent.id })
    const answer = await test.call('POST', '/v1/actions', {
      token: stranger,
      body: {
        skill: 'coffee.order',
        action: 'order_and_pay',
        arguments: order(500),
        deployment: DEPLOYMENT,
      },
      headers: { 'idempotency-key': 'coffee-one' },
    })
    expect([answer.status, answer.body.code]).toEqual([403, 'consent_required'])
  })
})

describe('what was done', () => {
  it('is listed page by page, to its user and its agent alone', async () => {
    for (let index = 0; index < 5; index += 1) {
      await act(`coffee-no-${index}`)
      test.clock.advance(index % 2)
    }
    const seen: unknown[] = []
    let cursor = ''
    do {
      const page = await test.call('GET', `/v1/actions?limit=2${cursor}`, { token })
      const items = page.body.items as { actionId: string }[]
      seen.push(...items.map((item) => item.actionId))
      cursor = page.body.nextCursor === null ? '' : `&cursor=${page.body.nextCursor}`
    } while (cursor !== '')
    expect(new Set(seen).size).toBe(5)
    const all = await test.call('GET', '/v1/actions?limit=100', { token: userToken })
    expect((all.body.items as { actionId: string }[]).map((item) => item.actionId)).toEqual(seen)
    const stranger = await test.tokenFor({ kind: 'user' })
    expect((await test.call('GET', '/v1/actions', { token: stranger })).body.items).toEqual([])
    const [id] = seen
    expect((await test.call('GET', `/v1/actions/${id}`, { token: stranger })).status).toBe(404)
    const own = await test.call('GET', `/v1/actions/${id}`, { token: userToken })
    expect(own.body.result).toMatchObject({ order_id: 'O-1' })
  })

  it('has a receipt once the log is published that far', async () => {
    const done = await act('coffee-one')
    const path = `/v1/actions/${done.body.actionId}/receipt`
    const early = await test.call('GET', path, { token })
    expect([early.status, early.body.code, early.headers.get('retry-after')]).toEqual([
      409,
      'receipt_not_yet',
      '1',
    ])
    await test.publisher.publishNow()
    for (const who of [token, userToken, await test.tokenFor({ kind: 'operator' })]) {
      const receipt = await test.call('GET', path, { token: who })
      expect([receipt.status, typeof receipt.body.receipt]).toEqual([200, 'string'])
    }
    const stranger = await test.tokenFor({ kind: 'user' })
    expect((await test.call('GET', path, { token: stranger })).status).toBe(404)
  })
})
