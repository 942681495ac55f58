import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { pauseGrant, resumeGrant } from '../../src/broker/change-grant.ts'
import { deliverDueEvents } from '../../src/broker/deliver-events.ts'
import { freeze, unfreeze } from '../../src/broker/freeze.ts'
import { revokeAuthority } from '../../src/broker/revoke-authority.ts'
import { statusReferenceOf } from '../../src/broker/status-place.ts'
import type { AuthorityEvent } from '../../src/core/http-signature/authority-event.ts'
import type { EventDeliveryRow } from '../../src/ports/revocation-rows.ts'
import type { SkillCall, SkillReply } from '../../src/ports/skill-caller.ts'
import { createWebhookVerifier } from '../../src/sdk/verify-webhook.ts'
import { COFFEE, OPERATOR } from '../support/coffee-test.ts'
import { answered, broken, notSent } from '../support/fake-skill.ts'
import { type Granted, grantAll, order, SECRET } from '../support/granted-agent.ts'
import { receivedFrom } from '../support/recorded-request.ts'
import { createTestBroker, type TestBroker } from '../support/test-broker.ts'

const EVENTS = { ...COFFEE, events: { path: '/events' } }
const CALLBACK = 'https://agent.example/hooks/1'
const NOBODY = async () => []

let test: TestBroker
let alice: Granted
let skillUrl: string

beforeEach(async () => {
  test = await createTestBroker()
  test.secrets.set('coffee.order /payment_token', SECRET)
  alice = await grantAll(test.broker, EVENTS)
  skillUrl = `${(COFFEE.endpoint as { baseUrl: string }).baseUrl.replace(/\/$/, '')}/events`
  test.skill.replyAlways(confirming)
})
afterEach(() => test.close())

function confirming(call: SkillCall): SkillReply {
  return answered({ confirmed: JSON.parse(call.body.toString()).id })
}

async function listenAsAgent(): Promise<void> {
  const { userId, agent } = alice
  await test.broker.store.transaction(async (tx) =>
    tx.agentCallbacks.save({ agentId: agent.id, userId, url: CALLBACK, setAtMs: 0 }),
  )
}

async function revoke(): Promise<string> {
  const input = { userId: alice.userId, scope: { kind: 'everything' as const } }
  const done = await revokeAuthority(test.broker, input, NOBODY)
  if (done.kind !== 'revoked') throw new Error(done.kind)
  return done.revocationId
}

function told(revocationId: string): Promise<EventDeliveryRow[]> {
  return test.broker.store.read(async (tx) => tx.eventDeliveries.ofRevocation(revocationId, alice.userId))
}

const sentTo = (url: string) => test.skill.calls.filter((call) => call.endpoint === url)
const eventIn = (call: SkillCall | undefined): AuthorityEvent => JSON.parse(call?.body.toString() ?? 'null')

describe('events about authority', () => {
  it('reach skill and agent once, and are shown as confirmed when they say so', async () => {
    await listenAsAgent()
    const id = await revoke()
    await deliverDueEvents(test.broker)
    expect((await told(id)).map(({ receiverKind, status }) => [receiverKind, status])).toEqual([
      ['skill', 'confirmed'],
      ['agent', 'confirmed'],
    ])
    test.clock.advance(86_400_000)
    expect(await deliverDueEvents(test.broker)).toBe(0)
    expect(test.skill.calls).toHaveLength(2)
  })

  it('verify with nothing but the published keys, for the address they went to alone', async () => {
    await revoke()
    await deliverDueEvents(test.broker)
    const [call] = sentTo(skillUrl)
    if (!call) throw new Error('nothing was sent')
    const trust = { issuer: 'https://broker.example', keys: test.signer.jwks(), now: test.clock.nowMs }
    expect(await createWebhookVerifier({ ...trust, url: skillUrl })(receivedFrom(call))).toMatchObject({
      ok: true,
      event: { type: 'authority.revoked', skill: 'coffee.order', everything: true },
    })
    const other = createWebhookVerifier({ ...trust, url: 'https://other.example/events' })
    expect(await other(receivedFrom(call))).toMatchObject({ code: 'bad_signature' })
  })

  it('name nobody: a skill gets its pairwise id and a place in a list, an agent its own ids', async () => {
    await listenAsAgent()
    await revoke()
    await deliverDueEvents(test.broker)
    const [toSkill, toAgent] = [eventIn(sentTo(skillUrl)[0]), eventIn(sentTo(CALLBACK)[0])]
    const status = await statusReferenceOf(test.broker, alice.grant.id)
    expect(toSkill.user).toBe(test.broker.pseudonyms.pairwiseUser(alice.userId, EVENTS.publisher))
    expect(toSkill.grants).toEqual([{ status }])
    expect(toAgent.grants).toEqual([{ id: alice.grant.id, status }])
    const toSkillText = JSON.stringify(toSkill)
    for (const secret of [alice.userId, alice.agent.id, alice.grant.id])
      expect(toSkillText).not.toContain(secret)
    expect(JSON.stringify(toAgent)).not.toContain(alice.userId)
  })

  it('tell of what was permitted before and is not settled', async () => {
    test.skill.replyNext(broken('timed_out'))
    const { performAction } = await import('../../src/broker/perform-action.ts')
    await performAction(test.broker, alice.ask('order_and_pay', order(100)))
    const [row] = await test.broker.store.read(async (tx) => tx.actions.unsettled(alice.userId))
    await revoke()
    await deliverDueEvents(test.broker)
    expect(eventIn(sentTo(skillUrl)[0]).executions).toEqual([row?.id])
  })

  it('tell of a pause and of its end', async () => {
    const which = { userId: alice.userId, grantId: alice.grant.id }
    await pauseGrant(test.broker, which)
    await resumeGrant(test.broker, which)
    await deliverDueEvents(test.broker)
    const types = sentTo(skillUrl).map((call) => eventIn(call).type)
    expect(types.sort()).toEqual(['authority.restored', 'authority.suspended'])
  })

  it.each(['user', 'agent', 'skill', 'publisher'] as const)('tell of a freeze of a %s once', async (kind) => {
    const target = {
      user: alice.userId,
      agent: alice.agent.id,
      skill: 'coffee.order',
      publisher: EVENTS.publisher,
    }[kind]
    const what = { ...OPERATOR, kind, target, includesCleanUp: false }
    await freeze(test.broker, NOBODY, what)
    await freeze(test.broker, NOBODY, what)
    await deliverDueEvents(test.broker)
    expect(sentTo(skillUrl).map((call) => eventIn(call).type)).toEqual(['authority.suspended'])
    await unfreeze(test.broker, { ...OPERATOR, freezeId: `${kind}:${target}` })
    await deliverDueEvents(test.broker)
    expect(
      sentTo(skillUrl)
        .map((call) => eventIn(call).type)
        .at(-1),
    ).toBe('authority.restored')
  })

  it('are not told where the revocation was not kept', async () => {
    await test.broker.store
      .transaction(async (tx) => {
        const { queueAuthorityEvents } = await import('../../src/broker/queue-authority-events.ts')
        await queueAuthorityEvents(test.broker, tx, {
          userId: alice.userId,
          type: 'authority.revoked',
          grants: [alice.grant],
          executions: [],
          revocationId: 'rvk_1',
        })
        throw new Error('power cut')
      })
      .catch(() => undefined)
    expect(await deliverDueEvents(test.broker)).toBe(0)
  })
})

describe('a receiver', () => {
  it.each<[string, SkillReply, string, string | null]>([
    ['says nothing', broken('timed_out'), 'waiting', 'timed_out'],
    ['cannot be reached', notSent('connect_failed'), 'waiting', 'connect_failed'],
    ['is on a private address', notSent('blocked_address'), 'waiting', 'blocked_address'],
    ['sends us elsewhere', broken('redirect'), 'waiting', 'redirect'],
    ['answers without end', broken('oversize'), 'waiting', 'oversize'],
    ['fails', answered({}, 503), 'waiting', 'status_503'],
    ['refuses the signature', answered({}, 401), 'waiting', 'status_401'],
    ['is gone for good', answered({}, 410), 'given_up', 'status_410'],
    ['says yes to everything', answered({ ok: true }), 'answered', 'no_confirmation'],
    ['confirms another event', answered({ confirmed: 'evd_other' }), 'answered', 'no_confirmation'],
    [
      'answers with something else',
      { ...(answered(null) as object), body: Buffer.from('<html>') } as SkillReply,
      'answered',
      'no_confirmation',
    ],
  ])('that %s has not confirmed', async (_, reply, status, fault) => {
    test.skill.replyAlways(reply)
    const id = await revoke()
    await deliverDueEvents(test.broker)
    const [toSkill] = await told(id)
    expect(toSkill).toMatchObject({ status, fault, attempts: 1 })
    expect(toSkill?.answeredAtMs === null).toBe(status !== 'answered')
  })

  it('that comes back is told, under the same id and a signature of its own', async () => {
    test.skill.replyNext(answered({}, 503), broken('timed_out'))
    const id = await revoke()
    await deliverDueEvents(test.broker)
    expect(await deliverDueEvents(test.broker)).toBe(0)
    test.clock.advance(2_000)
    await deliverDueEvents(test.broker)
    test.clock.advance(4_000)
    await deliverDueEvents(test.broker)
    const calls = sentTo(skillUrl)
    expect(calls).toHaveLength(3)
    expect(new Set(calls.map((call) => eventIn(call).id)).size).toBe(1)
    expect(new Set(calls.map((call) => call.headers['signature-input'])).size).toBe(3)
    expect(await told(id)).toMatchObject([{ status: 'confirmed', attempts: 3 }, { receiverKind: 'agent' }])
  })

  it('that stays away is given up after three days, and never shown as confirmed', async () => {
    test.skill.replyAlways(broken('timed_out'))
    const id = await revoke()
    for (let hour = 0; hour < 80; hour++) {
      await deliverDueEvents(test.broker)
      test.clock.advance(3_600_000)
    }
    expect((await told(id))[0]).toMatchObject({ status: 'given_up', answeredAtMs: null, fault: 'timed_out' })
    const { length } = test.skill.calls
    test.clock.advance(86_400_000)
    await deliverDueEvents(test.broker)
    expect(test.skill.calls).toHaveLength(length)
  })

  it('without an address is listed as not told', async () => {
    const id = await revoke()
    expect(await told(id)).toMatchObject([
      { receiverKind: 'skill' },
      { receiverKind: 'agent', status: 'no_address' },
    ])
  })
})

describe('a crash during a delivery', () => {
  it('before the request leaves nothing lost: another node sends it when the lease ends', async () => {
    const id = await revoke()
    const [row] = await test.broker.store.read(async (tx) => tx.eventDeliveries.due(tx.nowMs, 1))
    await test.broker.store.transaction(async (tx) => row && tx.eventDeliveries.claim(row, tx.nowMs + 60_000))
    expect(await deliverDueEvents(test.broker)).toBe(0)
    test.clock.advance(60_000)
    await deliverDueEvents(test.broker)
    expect((await told(id))[0]?.status).toBe('confirmed')
  })

  it('after the request sends it again under the same id', async () => {
    const id = await revoke()
    test.skill.replyNext(() => {
      throw new Error('the process ends here')
    })
    await deliverDueEvents(test.broker)
    test.clock.advance(60_000)
    await deliverDueEvents(test.broker)
    expect(sentTo(skillUrl).map((call) => eventIn(call).id)).toHaveLength(2)
    expect(new Set(sentTo(skillUrl).map((call) => eventIn(call).id)).size).toBe(1)
    expect((await told(id))[0]?.status).toBe('confirmed')
  })

  it('over a restart finds what was waiting', async () => {
    const id = await revoke()
    const again = await test.reopen()
    again.skill.replyAlways(confirming)
    try {
      await deliverDueEvents(again.broker)
      expect(again.skill.calls).toHaveLength(1)
      const rows = await again.broker.store.read(async (tx) =>
        tx.eventDeliveries.ofRevocation(id, alice.userId),
      )
      expect(rows[0]?.status).toBe('confirmed')
    } finally {
      test = again
    }
  })

  it('of one of two nodes that take it up together sends it once', async () => {
    await revoke()
    await Promise.all([deliverDueEvents(test.broker), deliverDueEvents(test.broker)])
    expect(sentTo(skillUrl)).toHaveLength(1)
  })
})
