import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { approveConsent } from '../../src/broker/answer-consent.ts'
import { createAgentClient } from '../../src/sdk/agent-client.ts'
import { bearerToken } from '../../src/sdk/agent-credential.ts'
import { verifyReceipt } from '../../src/sdk/verify-receipt.ts'
import { type AgentWorld, fetchBoth, noPause, openAgentWorld } from '../support/agent-world.ts'
import { coffeeSkill } from '../support/coffee-test.ts'
import { COFFEE_WISH } from '../support/connected-agent.ts'
import { answered, broken } from '../support/fake-skill.ts'
import { order } from '../support/granted-agent.ts'

const ORDER = {
  skill: 'coffee.order',
  action: 'order_and_pay',
  arguments: order(1800) as Record<string, never>,
}
const MENU = { skill: 'coffee.order', action: 'get_menu', arguments: { store_id: 'HZ-01' } }

let world: AgentWorld
beforeAll(async () => {
  world = await openAgentWorld()
  world.test.skill.replyAlways(coffeeSkill)
})
afterAll(() => world.close())

const orders = () => world.test.skill.calls.filter(({ endpoint }) => endpoint.endsWith('/orders/paid')).length

/** A client whose answers go through `between`, which may lose or replace them. */
async function clientWith(between: (send: () => Promise<Response>, url: string) => Promise<Response>) {
  const { granted } = await world.agent()
  const { userId, agent } = granted
  const token = await world.test.tokenFor({ kind: 'agent', userId, agentId: agent.id })
  const deployment = JSON.parse(agent.deployments)[0].id as string
  const both = fetchBoth(world.test)
  const client = createAgentClient({
    broker: world.test.broker.settings.issuer,
    credential: bearerToken(token),
    fetch: (input, init) => between(() => both(input, init), String(input)),
    pause: noPause,
  })
  return { client, deployment, token }
}

const problem = (status: number, code: string, headers = {}) =>
  new Response(JSON.stringify({ type: `/problems/${code}`, status, code, detail: 'for the test' }), {
    status,
    headers: { 'content-type': 'application/problem+json', ...headers },
  })

describe('an action of an agent client', () => {
  it('is done once although its answers are lost', async () => {
    let lost = 0
    const { client, deployment } = await clientWith(async (send) => {
      const response = await send()
      lost += 1
      if (lost <= 3) throw new TypeError('fetch failed')
      return response
    })
    const before = orders()
    const answer = await client.perform({ ...ORDER, deployment })
    expect(answer).toMatchObject({ ok: true, value: { kind: 'done', isReplayed: true } })
    expect(orders() - before).toBe(1)
  })

  it('is asked for again with the same key where nothing was decided, and never with another', async () => {
    const keys = new Set<string>()
    let tries = 0
    const { deployment, token } = await clientWith((send) => send())
    const both = fetchBoth(world.test)
    const client = createAgentClient({
      broker: world.test.broker.settings.issuer,
      credential: bearerToken(token),
      pause: noPause,
      fetch: async (input, init) => {
        keys.add(new Headers(init?.headers).get('idempotency-key') ?? '')
        tries += 1
        if (tries === 1) return problem(503, 'store_unavailable')
        if (tries === 2) return problem(409, 'idempotency_in_flight', { 'retry-after': '1' })
        return tries === 3 ? problem(429, 'rate_limited', { 'retry-after': '2' }) : both(input, init)
      },
    })
    const answer = await client.perform({ ...ORDER, deployment, key: 'kept-by-the-caller' })
    expect(answer).toMatchObject({ ok: true, key: 'kept-by-the-caller', value: { kind: 'done' } })
    expect([...keys]).toEqual(['kept-by-the-caller'])
  })

  it('that is refused stays refused, and is not asked for again', async () => {
    let sent = 0
    const { client, deployment } = await clientWith((send) => {
      sent += 1
      return send()
    })
    const action = {
      skill: 'coffee.order',
      action: 'order_and_pay',
      arguments: order(2_000_000) as never,
      deployment,
    }
    const answer = await client.perform(action)
    expect(answer).toMatchObject({ ok: true, value: { kind: 'refused', fault: { status: 403 } } })
    const invalid = await client.perform({ ...MENU, deployment, arguments: { store_id: 7 } })
    expect(invalid).toMatchObject({
      ok: false,
      fault: { code: 'invalid_arguments', faults: [{ pointer: '/store_id' }] },
    })
    expect(sent).toBe(2)
  })

  it('whose outcome nobody knows is in doubt, whatever is asked', async () => {
    const { client, deployment } = await clientWith((send) => send())
    world.test.skill.replyNext(broken('timed_out'))
    const first = await client.perform({ ...ORDER, deployment })
    expect(first).toMatchObject({ ok: true, value: { kind: 'in_doubt' } })
    const before = orders()
    const again = await client.perform({ ...ORDER, deployment, key: first.key })
    expect([again.ok && again.value.kind, orders()]).toEqual(['in_doubt', before])
  })

  it('is previewed without being done', async () => {
    const { client, deployment } = await clientWith((send) => send())
    const before = orders()
    expect(await client.preview({ ...ORDER, deployment })).toEqual({
      ok: true,
      value: { decision: 'permit' },
    })
    expect(orders()).toBe(before)
  })

  it('has a receipt that verifies with the broker’s public keys', async () => {
    const { client, deployment } = await clientWith((send) => send())
    const answer = await client.perform({ ...ORDER, deployment })
    const actionId = answer.ok && answer.value.kind === 'done' ? answer.value.action.actionId : ''
    expect(await client.receipt(actionId)).toMatchObject({ ok: false, fault: { code: 'receipt_not_yet' } })
    await world.test.publisher.publishNow()
    const receipt = await client.receipt(actionId)
    if (!receipt.ok) throw new Error(receipt.fault.code)
    const { keys, broker } = world.test
    const vkey = (await world.test.call('GET', '/log/vkey')).text.trim()
    const trust = { keys: keys.jwks().keys, vkey, issuer: broker.settings.issuer }
    expect(verifyReceipt(receipt.value, trust)).toMatchObject({ kind: 'verified' })
  })
})

describe('faults of an agent client', () => {
  it.each([
    ['nothing answers', async () => Promise.reject(new TypeError('fetch failed')), 'unreachable'],
    ['a proxy answers in HTML', async () => new Response('<html>', { status: 200 }), 'unexpected_answer'],
    ['an answer has another form', async () => Response.json({ status: 'ok' }), 'unexpected_answer'],
    [
      'an answer has no end in sight',
      async () => new Response(new Uint8Array(9_000_000)),
      'unexpected_answer',
    ],
    ['the token is refused', async () => problem(401, 'token_invalid'), 'token_invalid'],
  ])('are values: %s', async (_, answer, code) => {
    const { client, deployment, token } = await clientWith(answer as () => Promise<Response>)
    const told = await client.perform({ ...ORDER, deployment })
    expect(told).toMatchObject({ ok: false, fault: { code } })
    expect(JSON.stringify(told)).not.toContain(token)
    expect(JSON.stringify(told)).not.toContain('LK-0571-022')
  })

  it('name the caller’s own end', async () => {
    const { client, deployment } = await clientWith((send) => send())
    const answer = await client.perform({ ...ORDER, deployment }, { signal: AbortSignal.abort() })
    expect(answer).toMatchObject({ ok: false, fault: { code: 'aborted' } })
  })

  it('end a broker that asks for patience for ever', async () => {
    let nowMs = 0
    const client = createAgentClient({
      broker: 'https://broker.example',
      credential: bearerToken('t'),
      fetch: async () => problem(429, 'rate_limited', { 'retry-after': '10' }),
      now: () => nowMs,
      pause: async (ms) => {
        nowMs += ms
      },
    })
    const answer = await client.authority({ patienceMs: 25_000 })
    expect([answer.ok, nowMs]).toEqual([false, 20_000])
  })

  it('follow no redirect with a token', async () => {
    const seen: string[] = []
    const client = createAgentClient({
      broker: 'https://broker.example',
      credential: bearerToken('t'),
      pause: noPause,
      fetch: async (_input, init) => {
        seen.push(String(init?.redirect))
        throw new TypeError('unexpected redirect')
      },
    })
    await client.authority()
    expect(new Set(seen)).toEqual(new Set(['error']))
  })

  it('refuse an address that is no origin', () => {
    for (const broker of [
      'https://broker.example/api',
      'ftp://broker.example',
      'https://user@broker.example',
    ]) {
      expect(() => createAgentClient({ broker, credential: bearerToken('t') })).toThrow(TypeError)
    }
  })
})

describe('a consent request of an agent client', () => {
  it('is one question however often it is asked, and waited for', async () => {
    const { client, granted } = await world.agent(null)
    const wish = { ...COFFEE_WISH, skill: 'coffee.order' }
    const first = await client.askConsent(wish as Parameters<typeof client.askConsent>[0])
    const again = await client.askConsent(wish as Parameters<typeof client.askConsent>[0])
    if (!first.ok || !again.ok) throw new Error('not asked')
    expect(again.value.requestId).toBe(first.value.requestId)

    const question = { kind: 'consent', id: first.value.requestId } as const
    const waiting = client.awaitAnswer(question, { withinMs: 5_000 })
    await approveConsent(world.test.broker, { userId: granted.userId, requestId: question.id })
    expect(await waiting).toEqual({ ok: true, value: 'approved' })
    const authority = await client.authority()
    expect(authority).toMatchObject({
      ok: true,
      value: { grants: [{ skill: 'coffee.order', state: 'active' }] },
    })
    const tools = await client.tools()
    expect(tools.ok && tools.value.filter(({ granted: is }) => is).length).toBe(COFFEE_WISH.actions?.length)
  })

  it('that nobody answers in time is still waiting', async () => {
    const { client } = await world.agent(null)
    const asked = await client.askConsent(COFFEE_WISH as Parameters<typeof client.askConsent>[0])
    const id = asked.ok ? asked.value.requestId : ''
    expect(await client.awaitAnswer({ kind: 'consent', id }, { withinMs: 0 })).toEqual({
      ok: true,
      value: 'waiting',
    })
    const stranger = await world.agent(null)
    const theirs = await stranger.client.awaitAnswer({ kind: 'consent', id }, { withinMs: 0 })
    expect(theirs).toMatchObject({ ok: false, fault: { code: 'not_found' } })
  })
})

describe('what the skill refuses', () => {
  it('is an outcome with its own word', async () => {
    const { client, deployment } = await clientWith((send) => send())
    world.test.skill.replyNext(answered({ error: 'sold_out' }, 409))
    const answer = await client.perform({ ...MENU, deployment })
    expect(answer.ok && answer.value.kind).toBe('done')
  })
})

describe('the memory of an agent client', () => {
  it('is kept once although an answer is lost, recalled, and forgotten', async () => {
    let calls = 0
    const { granted } = await world.agent({ retentionDays: { order_history: 30 } })
    const { userId, agent } = granted
    const deployment = JSON.parse(agent.deployments)[0].id as string
    const both = fetchBoth(world.test)
    const client = createAgentClient({
      broker: world.test.broker.settings.issuer,
      credential: bearerToken(await world.test.tokenFor({ kind: 'agent', userId, agentId: agent.id })),
      async fetch(input, init) {
        const response = await both(input, init)
        calls += 1
        if (calls === 1) throw new TypeError('fetch failed')
        return response
      },
      pause: noPause,
    })
    const item = { skill: 'coffee.order', class: 'order_history', category: 'order', purpose: 'the usual' }
    const kept = await client.remember({ ...item, content: 'Oat latte', deployment })
    expect(kept).toMatchObject({ ok: true, value: { limitedBy: 'grant' } })
    const found = await client.recall({ words: 'oat', deployment })
    expect(found).toMatchObject({ ok: true, value: { items: [{ content: 'Oat latte', key: null }] } })
    await client.remember({ ...item, key: 'tea', content: 'Green tea', deployment })
    expect(await client.forget({ skill: 'coffee.order', key: 'tea' })).toEqual({ ok: true, value: 1 })
    expect(await client.forget({ skill: 'coffee.order', key: 'tea' })).toMatchObject({
      ok: false,
      fault: { code: 'not_found' },
    })
  })
})
