import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { approveConsent, refuseConsent } from '../../src/broker/answer-consent.ts'
import { type ConsentWish, consentRequestShape } from '../../src/broker/consent-wish.ts'
import { disconnectAgent } from '../../src/broker/disconnect-agent.ts'
import { type ConsentRequested, requestConsent } from '../../src/broker/request-consent.ts'
import {
  checkConsentRequest,
  listConsentRequests,
  showConsentRequest,
} from '../../src/broker/show-consent-request.ts'
import type { AgentRow } from '../../src/ports/rows.ts'
import { COFFEE_WISH, connectAgent, giveConsent } from '../support/connected-agent.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { createTestBroker, registerSkill, suspendSkill, type TestBroker } from '../support/test-broker.ts'

let test: TestBroker
let agent: AgentRow

beforeEach(async () => {
  test = await createTestBroker()
  await registerSkill(test.broker, sampleManifest('coffee.order'))
  agent = await connectAgent(test.broker, 'usr_a')
})
afterEach(() => test.close())

function ask(wish: Partial<ConsentWish> = {}, who = agent): Promise<ConsentRequested> {
  return requestConsent(test.broker, { ...COFFEE_WISH, ...wish, userId: who.userId, agentId: who.id })
}

async function pending(wish: Partial<ConsentWish> = {}) {
  const asked = await ask(wish)
  if (asked.kind !== 'pending') throw new Error(JSON.stringify(asked))
  return asked
}

const leafCount = async () => (await test.leaves()).length

describe('asking for consent', () => {
  it('puts a question before the user and logs it, its words in the part that goes first', async () => {
    const { request, isNew } = await pending()
    expect(isNew).toBe(true)
    expect(request).toMatchObject({ status: 'pending', grantId: null, userId: 'usr_a' })
    expect(request.expiresAtMs).toBe(request.createdAtMs + test.broker.settings.consentWithinMs)
    const leaf = await test.lastLeaf('consent_request')
    expect(await test.openPart(leaf.eventId, 'body')).toMatchObject({ purpose: 'Your morning coffee' })
    expect(JSON.stringify(await test.openPart(leaf.eventId, 'core'))).not.toContain('morning')
  })

  it('fills in what was left out as narrowly as makes sense', async () => {
    const { request } = await pending({ categories: undefined, retentionDays: undefined })
    expect(JSON.parse(request.terms)).toMatchObject({
      categories: [],
      retentionDays: {},
      oneTime: false,
      sharesBudget: false,
      unasked: [],
    })
  })

  it('is the same question when it is asked again while open, later and in other words too', async () => {
    const { request } = await pending()
    const leaves = await leafCount()
    test.clock.advance(60_000)
    const again = await pending({ purpose: 'Really, it is urgent' })
    expect(again).toMatchObject({ isNew: false, request: { id: request.id } })
    expect(await leafCount()).toBe(leaves)
  })

  it('asks anew once the question has expired', async () => {
    const { request } = await pending()
    test.clock.advance(test.broker.settings.consentWithinMs - 1)
    expect((await pending()).request.id).toBe(request.id)
    test.clock.advance(1)
    expect((await pending()).request.id).not.toBe(request.id)
  })

  it('has only so many open questions of one agent for one skill', async () => {
    for (const max of [1, 2, 3]) await pending({ sharesBudget: false, retentionDays: { order_history: max } })
    expect(await ask({ retentionDays: { order_history: 4 } })).toEqual({ kind: 'too_many_open' })
    const other = await connectAgent(test.broker, 'usr_a')
    expect((await ask({}, other)).kind).toBe('pending')
  })

  it('waits after a no, whatever is asked for at this skill, and asks again to the millisecond', async () => {
    const { request } = await pending()
    test.clock.advance(1000)
    await refuseConsent(test.broker, { userId: 'usr_a', requestId: request.id })
    const untilMs = test.clock.nowMs() + test.broker.settings.coolDownMs
    expect(await ask()).toEqual({ kind: 'cooling_down', untilMs })
    expect(await ask({ actions: [{ name: 'get_menu' }], budgets: [], purpose: 'other words' })).toEqual({
      kind: 'cooling_down',
      untilMs,
    })
    test.clock.advance(test.broker.settings.coolDownMs - 1)
    expect((await ask()).kind).toBe('cooling_down')
    test.clock.advance(1)
    expect((await ask()).kind).toBe('pending')
  })

  it('waits the full time even when the no came as late as it could', async () => {
    const { request } = await pending()
    test.clock.advance(test.broker.settings.consentWithinMs - 1)
    await refuseConsent(test.broker, { userId: 'usr_a', requestId: request.id })
    test.clock.advance(test.broker.settings.coolDownMs - 1)
    expect((await ask()).kind).toBe('cooling_down')
  })

  it('lists every fault of terms that the manifest cannot give, and writes nothing', async () => {
    const leaves = await leafCount()
    const asked = await ask({
      actions: [{ name: 'order_and_pay' }, { name: 'brew_tea' }],
      budgets: [],
      categories: ['astrology'],
      retentionDays: { order_history: 181 },
      deployments: { kind: 'only', ids: ['dep_unknown'] },
    })
    expect(asked.kind === 'invalid' && asked.faults.map(({ code }) => code).sort()).toEqual([
      'action_unknown',
      'budget_missing',
      'category_unknown',
      'deployment_unknown',
      'retention_too_long',
    ])
    expect(await leafCount()).toBe(leaves)
    expect(test.broker.recentRefusals.take()).toEqual({ 'consent_request:invalid': 1 })
    expect(
      await listConsentRequests(test.broker, { userId: 'usr_a', page: { limit: 9, before: null } }),
    ).toEqual([])
  })

  it('is refused to another user’s agent, a disconnected one and an unknown one alike', async () => {
    const refusal = { kind: 'agent_not_connected' }
    const asking = (agentId: string, userId = 'usr_a') =>
      requestConsent(test.broker, { ...COFFEE_WISH, userId, agentId })
    expect(await asking(agent.id, 'usr_b')).toEqual(refusal)
    expect(await asking(test.broker.newId('agent'))).toEqual(refusal)
    await disconnectAgent(test.broker, { userId: 'usr_a', agentId: agent.id }, async () => [])
    expect(await asking(agent.id)).toEqual(refusal)
  })

  it('tells a skill that nobody registered from one that is suspended', async () => {
    expect(await ask({ skill: 'tea.order' })).toEqual({ kind: 'skill_unknown' })
    await suspendSkill(test.broker, 'coffee.order')
    expect(await ask()).toEqual({ kind: 'skill_suspended' })
  })

  it.each(['user:usr_a', 'skill:coffee.order', 'publisher:coffee.example', 'platform:*'])(
    'asks nobody while %s is frozen',
    async (id) => {
      const [kind = '', target = ''] = id.split(':')
      await test.broker.store.transaction(async (tx) =>
        tx.freezes.insert({
          id,
          kind,
          target,
          includesCleanUp: false,
          reason: 'test',
          operatorId: 'op_a',
          createdAtMs: tx.nowMs,
        }),
      )
      expect(await ask()).toEqual({ kind: 'frozen' })
    },
  )

  it.each([
    ['a purpose of several lines', { purpose: 'one\ntwo' }],
    ['a purpose with a direction override', { purpose: 'pay \u202e nothing' }],
    ['a purpose that is too long', { purpose: 'x'.repeat(301) }],
    ['neither actions nor a grant to renew', { actions: undefined }],
    [
      'a constraint of a kind nobody knows',
      { actions: [{ name: 'get_menu', constraints: [{ kind: 'any' }] }] },
    ],
    [
      'a value that two spellings have',
      { actions: [{ name: 'get_menu', constraints: [{ kind: 'equals', pointer: '/a', value: 'e\u0301' }] }] },
    ],
    ['a field nobody knows', { approved: true }],
    ['a fractional limit', { budgets: [{ ...COFFEE_WISH.budgets?.[0], limit: 0.5 }] }],
  ])('does not parse %s', (_, change) => {
    expect(consentRequestShape.safeParse({ ...COFFEE_WISH, ...change }).success).toBe(false)
  })

  it('asks once when the same question comes many times at once', async () => {
    const asked = await Promise.all(Array.from({ length: 8 }, () => pending()))
    expect(new Set(asked.map(({ request }) => request.id)).size).toBe(1)
    expect(asked.filter(({ isNew }) => isNew)).toHaveLength(1)
  })
})

describe('looking at a question', () => {
  it('shows its user sentences in both languages with one digest, the same each time', async () => {
    const { request } = await pending()
    const input = { userId: 'usr_a', requestId: request.id }
    const [first, second] = [
      await showConsentRequest(test.broker, input),
      await showConsentRequest(test.broker, input),
    ]
    if (first.kind !== 'found' || second.kind !== 'found') throw new Error('not found')
    expect(first.request).toMatchObject({ state: 'pending', manifestChanged: false })
    expect(first.request.shown.en.questions).toHaveLength(6)
    expect(first.request.shown.zh.title).not.toBe(first.request.shown.en.title)
    expect(first.request.shown.difference).toBeNull()
    expect(second.request.shown.digest).toBe(first.request.shown.digest)
  })

  it('tells the agent how it stands and no more, and another agent nothing', async () => {
    const { request } = await pending()
    const input = { userId: 'usr_a', agentId: agent.id, requestId: request.id }
    expect(await checkConsentRequest(test.broker, input)).toEqual({
      kind: 'found',
      requestId: request.id,
      state: 'pending',
      grantId: null,
      expiresAtMs: request.expiresAtMs,
    })
    const other = await connectAgent(test.broker, 'usr_a')
    expect(await checkConsentRequest(test.broker, { ...input, agentId: other.id })).toEqual({
      kind: 'not_found',
    })
    expect(await checkConsentRequest(test.broker, { ...input, userId: 'usr_b' })).toEqual({
      kind: 'not_found',
    })
    await approveConsent(test.broker, input)
    expect(await checkConsentRequest(test.broker, input)).toMatchObject({ state: 'approved' })
  })

  it('is not found by another user, whether it exists or not', async () => {
    const { request } = await pending()
    for (const requestId of [request.id, test.broker.newId('consentRequest')]) {
      expect(await showConsentRequest(test.broker, { userId: 'usr_b', requestId })).toEqual({
        kind: 'not_found',
      })
    }
  })

  it('has pages, newest first', async () => {
    await giveConsent(test.broker, agent)
    test.clock.advance(1)
    const { request } = await pending({ retentionDays: {} })
    const first = await listConsentRequests(test.broker, {
      userId: 'usr_a',
      page: { limit: 1, before: null },
    })
    expect(first.map(({ requestId, state }) => [requestId, state])).toEqual([[request.id, 'pending']])
    const before = { atMs: first[0]?.createdAtMs ?? 0, id: first[0]?.requestId ?? '' }
    const next = await listConsentRequests(test.broker, { userId: 'usr_a', page: { limit: 9, before } })
    expect(next.map(({ state }) => state)).toEqual(['approved'])
  })
})
