import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DAY_MS } from '../../src/core/grant/grant-state.ts'
import { signManifest } from '../../src/keys/manifest-signature.ts'
import { generatePublisherKey, publicHalfOf } from '../../src/keys/publisher-key-file.ts'
import { DEPLOYMENT, grantAll } from '../support/granted-agent.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { createTestApp, type TestApp } from '../support/test-app.ts'

let test: TestApp
let userId: string
let user: string
let operator: string
beforeAll(async () => {
  test = await createTestApp()
  userId = test.broker.newId('user')
  user = await test.tokenFor({ kind: 'user', userId })
  operator = await test.tokenFor({ kind: 'operator' })
})
afterAll(() => test.close())

const MODEL = {
  brand: 'Qwen',
  family: 'Qwen3',
  checkpoint: 'Qwen3-30B-A3B-Instruct-2507',
  thinking: 'off',
  path: {
    kind: 'self-hosted',
    runtime: 'vllm',
    repository: 'Qwen/Qwen3-30B-A3B-Instruct-2507',
    revision: 'main',
  },
}

async function ok(method: string, path: string, token: string, body?: unknown) {
  const answer = await test.call(method, path, { token, ...(body === undefined ? {} : { body }) })
  expect([method, path, answer.status, answer.body.code]).toEqual([
    method,
    path,
    expect.toSatisfy((it) => it < 300),
    undefined,
  ])
  return answer.body
}
async function code(method: string, path: string, token: string, body?: unknown) {
  const answer = await test.call(method, path, { token, ...(body === undefined ? {} : { body }) })
  return [answer.status, answer.body.code]
}

describe('a publisher and its skill', () => {
  it('go from the first key to an approved version, and back', async () => {
    const key = await generatePublisherKey()
    const manifest = { ...sampleManifest('coffee.order'), skill: 'tea.order', publisher: 'tea.example' }
    const registered = { publisher: 'tea.example', jwk: publicHalfOf(key), reason: 'proved its domain' }
    await ok('POST', '/v1/operator/publishers', operator, registered)
    expect(await code('POST', '/v1/operator/publishers', operator, registered)).toEqual([
      409,
      'already_registered',
    ])
    const leaked = { ...registered, publisher: 'other.example', jwk: key }
    expect(await code('POST', '/v1/operator/publishers', operator, leaked)).toEqual([422, 'key_refused'])

    const signature = await signManifest(manifest, key)
    const submitted = await test.call('POST', '/v1/manifests', { body: { manifest, signature } })
    expect([submitted.status, submitted.body.status]).toEqual([201, 'submitted'])
    const other = await signManifest({ ...manifest, version: 9 }, key)
    const forged = await test.call('POST', '/v1/manifests', { body: { manifest, signature: other } })
    expect([forged.status, forged.body.code]).toEqual([403, 'signature_refused'])
    const faulty = await test.call('POST', '/v1/manifests', {
      body: { manifest: { ...manifest, spare: 1 }, signature },
    })
    expect([faulty.status, faulty.body.code]).toEqual([422, 'manifest_faults'])
    expect(faulty.body.reasons).toBeInstanceOf(Array)

    const path = `/v1/operator/manifests/${submitted.body.digest}`
    expect((await ok('GET', '/v1/operator/manifests', operator)).items).toEqual([
      expect.objectContaining({ digest: submitted.body.digest, skill: 'tea.order' }),
    ])
    expect((await ok('GET', path, operator)).manifest).toMatchObject({ skill: 'tea.order' })
    expect(await code('POST', `${path}/approve`, operator, { reason: 'ok' })).toEqual([
      422,
      'invalid_request',
    ])
    await ok('POST', `${path}/approve`, operator, { reason: 'looked at every action' })
    expect(await ok('GET', '/v1/skills/tea.order', user)).toMatchObject({
      version: manifest.version,
      signature,
    })
    expect((await ok('GET', '/v1/skills', user)).items).toContainEqual(
      expect.objectContaining({ skill: 'tea.order' }),
    )
    await ok('POST', `${path}/suspend`, operator, { reason: 'a complaint came in' })
    expect(await code('GET', '/v1/skills/tea.order', user)).toEqual([404, 'not_found'])
    await ok('POST', `${path}/resume`, operator, { reason: 'it was a mistake' })
    await ok('POST', `${path}/revoke`, operator, { reason: 'it was none after all' })
    expect(await code('POST', `${path}/resume`, operator, { reason: 'try it again' })).toEqual([
      409,
      'wrong_status',
    ])
    expect((await ok('GET', '/v1/operator/publishers', operator)).items).toHaveLength(1)
  })
})

describe('an agent', () => {
  it('is connected, asks, is allowed less, and is disconnected with all it had', async () => {
    const manifest = sampleManifest('coffee.order')
    await grantAll(test.broker, manifest)
    const publicJwk = publicHalfOf(await generatePublisherKey())
    const registered = await ok('POST', '/v1/agents', user, {
      name: 'Helper',
      publicJwk,
      deployments: [MODEL],
    })
    const { agentId } = registered.agent as { agentId: string }
    const agent = await test.tokenFor({ kind: 'agent', userId, agentId })

    const budgets = [{ measure: 'amount', currency: 'CNY', window: { kind: 'lifetime' }, limit: 9_000 }]
    const wish = { skill: 'coffee.order', actions: [{ name: 'order_and_pay' }], budgets, purpose: 'coffee' }
    const asked = await test.call('POST', '/v1/consent-requests', { token: agent, body: wish })
    expect([asked.status, asked.body.state]).toEqual([201, 'pending'])
    expect((await test.call('POST', '/v1/consent-requests', { token: agent, body: wish })).status).toBe(200)
    const path = `/v1/consent-requests/${asked.body.requestId}`
    expect(await ok('GET', path, agent)).not.toHaveProperty('shown')
    const view = await ok('GET', path, user)
    const terms = view.terms as { expiresAtMs: number }
    const { digest } = view.shown as { digest: string }
    expect((await ok('GET', '/v1/consent-requests', user)).items).toHaveLength(1)

    const wider = { given: { ...terms, sharesBudget: true } }
    expect(await code('POST', `${path}/approve`, user, wider)).toEqual([422, 'not_narrower'])
    expect(await code('POST', `${path}/approve`, user, { shownDigest: 'x' })).toEqual([409, 'shown_differs'])
    const approved = await ok('POST', `${path}/approve`, user, { shownDigest: digest })
    const { grantId } = approved.grant as { grantId: string }
    expect(await code('POST', `${path}/refuse`, user)).toEqual([409, 'already_answered'])

    const grant = `/v1/grants/${grantId}`
    expect(await ok('GET', grant, user)).toMatchObject({ state: 'active', agentName: 'Helper' })
    const narrower = { terms: { ...terms, expiresAtMs: terms.expiresAtMs - DAY_MS } }
    expect(await ok('POST', `${grant}/narrow`, user, narrower)).toMatchObject({ grant: { revision: 2 } })
    expect(await code('POST', `${grant}/narrow`, user, { terms })).toEqual([422, 'not_narrower'])
    await ok('POST', `${grant}/renew`, user, { expiresAtMs: terms.expiresAtMs + DAY_MS })
    expect(await code('POST', `${grant}/renew`, user, { expiresAtMs: 1 })).toEqual([422, 'expiry_passed'])
    await ok('POST', `${grant}/pause`, user)
    await ok('POST', `${grant}/resume`, user)
    expect((await ok('GET', '/v1/grants', user)).items).toHaveLength(1)

    const deployments = { deployments: [{ ...MODEL, thinking: 'on' }] }
    await ok('PUT', `/v1/agents/${agentId}/deployments`, user, deployments)
    const gone = await ok('POST', `/v1/agents/${agentId}/disconnect`, user)
    expect(gone.revocation).toMatchObject({ grants: [grantId] })
    expect(await code('POST', `${grant}/pause`, user)).toEqual([409, 'grant_not_in_state'])
    expect(await code('POST', `${grant}/renew`, user, { expiresAtMs: terms.expiresAtMs })).toEqual([
      409,
      'grant_ended',
    ])
    expect(await code('POST', '/v1/consent-requests', agent, wish)).toEqual([409, 'agent_not_connected'])
    expect((await ok('GET', '/v1/agents', user)).items).toMatchObject([{ agentId, status: 'disconnected' }])
  })
})

describe('a user’s own settings', () => {
  it('are set, listed and taken away', async () => {
    const window = { kind: 'calendar', period: 'day' }
    const budget = { measure: 'amount', currency: 'CNY', window, limit: 5_000 }
    const set = await ok('POST', '/v1/budgets', user, { scope: { kind: 'user' }, budget })
    expect((await ok('GET', '/v1/budgets', user)).items).toHaveLength(1)
    const yen = { scope: { kind: 'user' }, budget: { ...budget, currency: 'ABC' } }
    expect(await code('POST', '/v1/budgets', user, yen)).toEqual([422, 'invalid_request'])
    await ok('DELETE', `/v1/budgets/${set.budgetId}`, user)
    expect(await code('DELETE', `/v1/budgets/${set.budgetId}`, user)).toEqual([404, 'not_found'])

    const saved = await ok('POST', '/v1/recipients', user, { label: 'Lin', value: 'lin@example.org' })
    const again = { label: 'Wei', value: 'lin@example.org' }
    expect(await code('POST', '/v1/recipients', user, again)).toEqual([409, 'already_saved'])
    const hidden = { label: 'Lin\u202e', value: 'x' }
    expect(await code('POST', '/v1/recipients', user, hidden)).toEqual([422, 'invalid_request'])
    expect((await ok('GET', '/v1/recipients', user)).items).toHaveLength(1)
    await ok('DELETE', `/v1/recipients/${saved.recipientId}`, user)

    expect(await ok('GET', '/v1/me', user)).toEqual({ userId, timeZone: 'UTC' })
    await ok('PUT', '/v1/me/time-zone', user, { timeZone: 'Asia/Shanghai' })
    expect(await ok('GET', '/v1/me', user)).toEqual({ userId, timeZone: 'Asia/Shanghai' })
    expect(await code('PUT', '/v1/me/time-zone', user, { timeZone: 'Mars/Base' })).toEqual([
      422,
      'invalid_request',
    ])
  })

  it('revokes everything at once', async () => {
    const granted = await grantAll(test.broker, sampleManifest('coffee.order'))
    const token = await test.tokenFor({ kind: 'user', userId: granted.userId })
    const done = await ok('POST', '/v1/revocations', token, { scope: { kind: 'everything' } })
    expect(done.revocation).toMatchObject({ grants: [granted.grant.id] })
    const theirs = { scope: { kind: 'grant', id: granted.grant.id } }
    expect(await code('POST', '/v1/revocations', user, theirs)).toEqual([404, 'not_found'])
  })
})

describe('an operator', () => {
  it('freezes and lifts, with a reason that is a leaf under their name', async () => {
    const granted = await grantAll(test.broker, sampleManifest('coffee.order'))
    const agent = await test.tokenFor({ kind: 'agent', userId: granted.userId, agentId: granted.agent.id })
    const frozen = await ok('POST', '/v1/operator/freezes', operator, {
      kind: 'action',
      target: 'coffee.order/search_stores',
      reason: 'the shop reports trouble',
    })
    const leaf = await test.lastLeaf('freeze')
    expect(await test.openPart(leaf.eventId, 'subj')).toMatchObject({ operator: 'lin.wei' })
    const act = (key: string) =>
      test.call('POST', '/v1/actions', {
        token: agent,
        headers: { 'idempotency-key': key },
        body: { skill: 'coffee.order', action: 'search_stores', arguments: {}, deployment: DEPLOYMENT },
      })
    const refused = await act('frozen-coffee')
    expect([refused.status, refused.body.code]).toEqual([403, 'frozen'])
    expect(refused.text).not.toContain(String(frozen.freezeId))
    expect((await ok('GET', '/v1/operator/freezes', operator)).items).toHaveLength(1)
    const path = `/v1/operator/freezes/${encodeURIComponent(String(frozen.freezeId))}/lift`
    await ok('POST', path, operator, { reason: 'the shop is well again' })
    expect(await code('POST', path, operator, { reason: 'once more' })).toEqual([404, 'not_frozen'])
    const everything = { kind: 'platform', target: 'all', reason: 'stop the world' }
    expect(await code('POST', '/v1/operator/freezes', operator, everything)).toEqual([422, 'target_refused'])
  })

  it('searches and looks at actions, which is a leaf each time', async () => {
    const count = (await test.leaves()).length
    const found = await ok('GET', '/v1/operator/actions?limit=1', operator)
    expect(found.items).toHaveLength(1)
    const [{ actionId }] = found.items as [{ actionId: string }]
    await ok('POST', `/v1/operator/actions/${actionId}/look`, operator, { reason: 'a user complained' })
    expect((await test.leaves()).slice(count).map((leaf) => leaf.outcome)).toEqual(['searched', 'looked_at'])
    const bad = await code('GET', '/v1/operator/actions?fromMs=yesterday', operator)
    expect(bad).toEqual([400, 'invalid_parameter'])
  })

  it('gets in to confirm a clock that ran ahead', async () => {
    const own = await createTestApp()
    const token = await own.tokenFor({ kind: 'operator' })
    const confirm = (body: object) => own.call('POST', '/v1/operator/clock/confirm', { token, body })
    expect((await confirm({ reason: 'nothing is wrong' })).body.code).toBe('clock_is_trusted')
    own.clock.stepWall(60_000)
    expect((await own.call('GET', '/readyz')).body.checks).toMatchObject({ clock: false })
    expect((await confirm({ reason: 'the server was asleep' })).status).toBe(200)
    expect((await own.call('GET', '/readyz')).body.checks).toMatchObject({ clock: true })
    await own.close()
  })
})

describe('the service', () => {
  it('says that it lives, is ready, and which keys are its own', async () => {
    expect((await test.call('GET', '/healthz')).body).toEqual({ status: 'ok' })
    const { status, body } = await test.call('GET', '/readyz')
    expect([status, body]).toEqual([
      200,
      { status: 'ready', checks: { store: true, register: true, log: true, clock: true } },
    ])
    const jwks = await test.call('GET', '/.well-known/jwks.json')
    expect(jwks.body.keys).toHaveLength(8)
    expect(jwks.text).not.toContain('"d"')
  })
})
