import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cancelInFlight } from '../../src/broker/cancel-in-flight.ts'
import { deliverDueEvents } from '../../src/broker/deliver-events.ts'
import { freeze } from '../../src/broker/freeze.ts'
import { performAction } from '../../src/broker/perform-action.ts'
import { cancelRecorded, resumeCancels } from '../../src/broker/record-revocation.ts'
import { settleByOperator } from '../../src/broker/settle-by-operator.ts'
import { readStatusList } from '../../src/sdk/read-status-list.ts'
import { verifyRevocationReceipt } from '../../src/sdk/verify-revocation-receipt.ts'
import { COFFEE, OPERATOR } from '../support/coffee-test.ts'
import { answered, broken } from '../support/fake-skill.ts'
import { type Granted, grantAll, order, SECRET } from '../support/granted-agent.ts'
import { createTestApp, type TestApp } from '../support/test-app.ts'

let app: TestApp
let alice: Granted
let user: string
let agent: string

beforeEach(async () => {
  app = await createTestApp()
  app.secrets.set('coffee.order /payment_token', SECRET)
  alice = await grantAll(app.broker, { ...COFFEE, events: { path: '/events' } })
  user = await app.tokenFor({ kind: 'user', userId: alice.userId })
  agent = await app.tokenFor({ kind: 'agent', userId: alice.userId, agentId: alice.agent.id })
})
afterEach(() => app.close())

type Shown = {
  told: { kind: string; id: string; state: string; atMs: number | null }[]
  actions: { actionId: string; became: string; isOpen: boolean; cancel: string | null }[]
  grants: { status: { uri: string; idx: number; says: string } }[]
  sessionsOf: string[]
  atMs: number
}

async function revoke(): Promise<string> {
  const done = await app.call('POST', '/v1/revocations', {
    token: user,
    body: { scope: { kind: 'everything' } },
  })
  expect(done.status).toBe(200)
  return String(done.body.revocationId)
}

async function show(id: string): Promise<Shown> {
  const answer = await app.call('GET', `/v1/revocations/${id}`, { token: user })
  expect(answer.status).toBe(200)
  return answer.body as Shown
}

/** An order whose end nobody knows. */
async function orderInDoubt(): Promise<string> {
  app.skill.replyNext(broken('timed_out'))
  await performAction(app.broker, alice.ask('order_and_pay', order(100)))
  const [row] = await app.broker.store.read(async (tx) => tx.actions.unsettled(alice.userId))
  if (!row) throw new Error('nothing is in doubt')
  return row.id
}

describe('the receipt of a revocation', () => {
  it('says who was told and who confirmed, as it turns out', async () => {
    await app.call('PUT', '/v1/agent/callback', { token: agent, body: { url: 'https://agent.example/hook' } })
    const id = await revoke()
    expect((await show(id)).told.map(({ kind, state }) => [kind, state])).toEqual([
      ['skill', 'waiting'],
      ['agent', 'waiting'],
    ])
    app.skill.replyAlways((call) =>
      call.endpoint.startsWith('https://agent.example/')
        ? broken('timed_out')
        : answered({ confirmed: JSON.parse(call.body.toString()).id }),
    )
    await deliverDueEvents(app.broker)
    const shown = await show(id)
    expect(shown.told).toMatchObject([
      { kind: 'skill', id: 'coffee.order', state: 'confirmed', atMs: app.clock.nowMs() },
      { kind: 'agent', id: alice.agent.id, state: 'waiting', atMs: null },
    ])
    expect(shown.sessionsOf).toEqual([alice.agent.id])
  })

  it('names the place in the public list, where anybody reads that it is over', async () => {
    const [grant] = (await show(await revoke())).grants
    if (!grant) throw new Error('no grant')
    expect(grant.status.says).toBe('invalid')
    const path = new URL(grant.status.uri).pathname
    const list = await app.call('GET', path)
    expect(list.headers.get('content-type')).toBe('application/statuslist+jwt')
    const keys = (await app.call('GET', '/.well-known/jwks.json')).body.keys as unknown[]
    const read = readStatusList(list.text, { keys, uri: grant.status.uri, now: app.clock.nowMs })
    if (read.kind !== 'verified') throw new Error(read.code)
    expect(read.statusOf(grant.status.idx)).toBe('invalid')
    expect(read.statusOf((grant.status.idx + 1) % 32_768)).toBe('valid')
    expect((await app.call('GET', '/status-lists')).body).toEqual({ status_lists: [grant.status.uri] })
    const moved = readStatusList(list.text, { keys, uri: `${grant.status.uri}0`, now: app.clock.nowMs })
    expect(moved).toMatchObject({ kind: 'refused', code: 'other_list' })
    const late = readStatusList(list.text, {
      keys,
      uri: grant.status.uri,
      now: () => app.clock.nowMs() + 601_000,
    })
    expect(late).toMatchObject({ kind: 'refused', code: 'expired' })
  })

  it('follows what was under way until its end is known', async () => {
    const actionId = await orderInDoubt()
    app.skill.replyNext(answered({}, 500))
    const id = await revoke()
    expect((await show(id)).actions).toMatchObject([
      { actionId, became: 'unknown', isOpen: true, cancel: 'unclear' },
    ])
    await settleByOperator(app.broker, {
      ...OPERATOR,
      actionId,
      outcome: { kind: 'captured', amountMinor: 100 },
    })
    expect((await show(id)).actions).toMatchObject([{ actionId, became: 'finished', isOpen: false }])
  })

  it.each([
    ['took the cancellation', answered({ state: 'cancelled' }), 'being_undone', 'cancelled'],
    ['refused it', answered({ code: 'too_late' }, 409), 'unknown', 'refused'],
    ['said nothing', broken('timed_out'), 'unknown', 'unclear'],
  ])('says what became of an action whose skill %s', async (_, reply, became, cancel) => {
    const actionId = await orderInDoubt()
    app.skill.replyNext(reply)
    expect((await show(await revoke())).actions).toMatchObject([{ actionId, became, cancel }])
  })

  it('is signed, proven in the log and verified by the SDK; a changed one is refused', async () => {
    const id = await revoke()
    const path = `/v1/revocations/${id}/receipt`
    expect((await app.call('GET', path, { token: user })).body.code).toBe('receipt_not_yet')
    await app.publisher.publishNow()
    const receipt = await app.call('GET', path, { token: user })
    const trust = {
      keys: app.keys.jwks().keys,
      vkey: (await app.call('GET', '/log/vkey')).text.trim(),
      issuer: app.broker.settings.issuer,
    }
    const verdict = verifyRevocationReceipt(receipt.body, trust)
    if (verdict.kind !== 'verified') throw new Error(verdict.code)
    expect(verdict.claims).toMatchObject({
      rvk: id,
      scp: 'everything',
      tld: [{ kind: 'skill' }, { kind: 'agent' }],
    })
    expect(verdict.leaf).toMatchObject({ t: 'grant', d: 'revoked' })

    const other = await app.tokenFor({ kind: 'user' })
    expect((await app.call('GET', path, { token: other })).status).toBe(404)
    const { receipt: jws, leaf } = receipt.body as { receipt: string; leaf: { leaf: string } }
    const [header, payload = '', signature] = jws.split('.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
    claims.tld[0].state = 'confirmed'
    const forged = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`
    expect(verifyRevocationReceipt({ ...receipt.body, receipt: forged }, trust)).toMatchObject({
      code: 'bad_signature',
    })
    const flipped = Buffer.from(leaf.leaf, 'base64')
    flipped[10] = (flipped[10] ?? 0) ^ 1
    const swapped = { ...leaf, leaf: flipped.toString('base64') }
    expect(verifyRevocationReceipt({ ...receipt.body, leaf: swapped }, trust).kind).toBe('refused')
  })

  it('is kept for an operator’s freeze too, for each user with something under way', async () => {
    const actionId = await orderInDoubt()
    const cancel = (ids: readonly string[]) => cancelInFlight(app.broker, ids)
    app.skill.replyNext(answered({ state: 'cancelled' }))
    await freeze(app.broker, cancel, {
      ...OPERATOR,
      kind: 'skill',
      target: 'coffee.order',
      includesCleanUp: false,
    })
    const list = await app.call('GET', '/v1/revocations', { token: user })
    const [listed] = list.body.items as { revocationId: string; scope: unknown }[]
    expect(listed?.scope).toEqual({ kind: 'freeze', id: 'skill:coffee.order' })
    expect((await show(listed?.revocationId ?? '')).actions).toMatchObject([
      { actionId, became: 'being_undone', cancel: 'cancelled' },
    ])
  })

  it('says so when a freeze of clean-up calls kept it from being cancelled', async () => {
    await orderInDoubt()
    const calls = app.skill.calls.length
    const cancel = (ids: readonly string[]) => cancelInFlight(app.broker, ids)
    await freeze(app.broker, cancel, { ...OPERATOR, kind: 'platform', target: '*', includesCleanUp: true })
    expect(app.skill.calls).toHaveLength(calls)
    const list = await app.call('GET', '/v1/revocations', { token: user })
    const [listed] = list.body.items as { revocationId: string }[]
    expect((await show(listed?.revocationId ?? '')).actions).toMatchObject([
      { became: 'unknown', cancel: 'frozen' },
    ])
  })

  it('is caught up on after a crash between the commit and the cancellation', async () => {
    const actionId = await orderInDoubt()
    const { revokeAuthority } = await import('../../src/broker/revoke-authority.ts')
    const scope = { kind: 'everything' } as const
    await revokeAuthority(app.broker, { userId: alice.userId, scope }, async () => {
      throw new Error('the process ends here')
    }).catch(() => undefined)
    const cancel = (ids: readonly string[]) => cancelInFlight(app.broker, ids)
    expect(await resumeCancels(app.broker, cancel)).toBe(0)
    app.clock.advance(180_000)
    app.skill.replyNext(answered({ state: 'cancelled' }))
    expect(await resumeCancels(app.broker, cancel)).toBe(1)
    expect(await resumeCancels(app.broker, cancel)).toBe(0)
    const list = await app.call('GET', '/v1/revocations', { token: user })
    const [listed] = list.body.items as { revocationId: string }[]
    expect((await show(listed?.revocationId ?? '')).actions).toMatchObject([
      { actionId, became: 'being_undone', cancel: 'cancelled' },
    ])
  })

  it('does not grow by cancelling nothing', async () => {
    expect(await cancelRecorded(app.broker, alice.userId, 'rvk_x', [], async () => [])).toEqual([])
  })

  it('is nobody else’s to see', async () => {
    const id = await revoke()
    const other = await app.tokenFor({ kind: 'user' })
    expect((await app.call('GET', `/v1/revocations/${id}`, { token: other })).status).toBe(404)
    expect((await app.call('GET', '/v1/revocations/rvk_unknown', { token: user })).status).toBe(404)
  })
})

describe('the callback of an agent', () => {
  const put = (url: unknown, token = agent) => app.call('PUT', '/v1/agent/callback', { token, body: { url } })

  it('is its own to set, see and take back', async () => {
    expect((await put('https://agent.example/hook')).body).toEqual({ url: 'https://agent.example/hook' })
    const got = await app.call('GET', '/v1/agent/callback', { token: agent })
    expect(got.body).toEqual({ url: 'https://agent.example/hook' })
    expect((await put(null)).body).toEqual({ url: null })
    const leaves = (await app.leaves()).filter(({ type }) => type === 'agent').map(({ outcome }) => outcome)
    expect(leaves).toEqual(['callback_set', 'callback_removed'])
  })

  it.each([
    'http://agent.example/hook',
    'https://user:password@agent.example/hook',
    'https://agent.example/hook#x',
    'ftp://agent.example/',
    'javascript:alert(1)',
    '/hook',
  ])('is refused as %s', async (url) => {
    expect((await put(url)).body.code).toBe('callback_refused')
  })

  it('is no longer taken from an agent that was disconnected', async () => {
    await app.broker.store.transaction(async (tx) => tx.agents.setStatus(alice.agent.id, 'disconnected'))
    expect((await put('https://agent.example/hook')).status).toBeGreaterThanOrEqual(400)
  })
})
