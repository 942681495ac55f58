import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { refuseAction } from '../../src/broker/answer-approval.ts'
import { deliverDue, startDelivery } from '../../src/broker/deliver-messages.ts'
import { performAction } from '../../src/broker/perform-action.ts'
import { requestConsent } from '../../src/broker/request-consent.ts'
import { openText, sealText } from '../../src/broker/seal-text.ts'
import { createMessenger, tellInTx } from '../../src/broker/tell.ts'
import type { ChannelRow } from '../../src/ports/reach-rows.ts'
import { COFFEE_WISH, connectAgent } from '../support/connected-agent.ts'
import { createFakeCarriers, type FakeCarriers } from '../support/fake-carriers.ts'
import { type Granted, grantAll, order, SECRET } from '../support/granted-agent.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { createTestBroker, type TestBroker } from '../support/test-broker.ts'

let test: TestBroker
let carriers: FakeCarriers
let alice: Granted

async function addChannel(userId: string, about: Partial<ChannelRow> = {}): Promise<ChannelRow> {
  const row: ChannelRow = {
    id: test.broker.newId('channel'),
    userId,
    kind: 'mail',
    address: await sealText(test.broker, { userId, skillId: '' }, 'alice@example.com'),
    addressTag: test.broker.newId('event'),
    locale: 'zh',
    status: 'active',
    codeHash: null,
    codeExpiresAtMs: null,
    codeTriesLeft: 0,
    failures: 0,
    createdAtMs: test.clock.nowMs(),
    verifiedAtMs: test.clock.nowMs(),
    ...about,
  }
  await test.broker.store.transaction(async (tx) => tx.channels.insert(row))
  return row
}

async function askOnce(total = 2000): Promise<string> {
  const asked = await performAction(test.broker, alice.ask('order_and_pay', order(total)))
  if (asked.kind !== 'ask') throw new Error(asked.kind)
  return asked.approval.id
}

const deliver = () => deliverDue(test.broker, carriers)
const tell = (userId: string, id: string) =>
  createMessenger(test.broker).tell(userId, { kind: 'incident', id })

async function start(settings = {}): Promise<void> {
  test = await createTestBroker({ settings })
  test.secrets.set('coffee.order /payment_token', SECRET)
  carriers = createFakeCarriers()
  alice = await grantAll(test.broker, sampleManifest('coffee.order'), { askFirst: [{ kind: 'always' }] })
}

describe('telling people', () => {
  beforeEach(() => start())
  afterEach(() => test.close())

  it('tells of a question on every channel, with its id and no argument of it', async () => {
    await addChannel(alice.userId)
    await addChannel(alice.userId, { kind: 'push' })
    const approvalId = await askOnce()
    await deliver()
    expect(carriers.sent.map(({ by }) => by).sort()).toEqual(['mail', 'push'])
    expect(carriers.sent[0]).toMatchObject({
      address: 'alice@example.com',
      delivery: {
        kind: 'approval_waiting',
        subjects: [approvalId],
        openUrl: `https://broker.example/approvals/${approvalId}`,
        locale: 'zh',
      },
    })
    expect(JSON.stringify(carriers.sent)).not.toMatch(/2000|CNY|coffee|order_and_pay|LK-0571/)
  })

  it('keeps the message in the transaction of the question: without the one there is no other', async () => {
    await addChannel(alice.userId)
    const crashed = test.broker.store.transaction(async (tx) => {
      await tellInTx(test.broker, tx, alice.userId, { kind: 'incident', id: 'inc_1' })
      throw new Error('crash before the commit')
    })
    await expect(crashed).rejects.toThrow('crash')
    expect(await deliver()).toBe(0)
    await askOnce()
    expect(await deliver()).toBe(1)
  })

  it('tells nobody on a channel that was not proven', async () => {
    await addChannel(alice.userId, { status: 'unverified' })
    await askOnce()
    expect(await deliver()).toBe(0)
  })

  it('tells a consent request, and no other user of it', async () => {
    await addChannel(alice.userId)
    await addChannel(test.broker.newId('user'))
    const agent = await connectAgent(test.broker, alice.userId)
    const asked = await requestConsent(test.broker, {
      userId: alice.userId,
      agentId: agent.id,
      ...COFFEE_WISH,
    })
    if (asked.kind !== 'pending') throw new Error(asked.kind)
    await deliver()
    expect(carriers.sent).toHaveLength(1)
    expect(carriers.sent[0]?.delivery).toMatchObject({
      kind: 'consent_waiting',
      subjects: [asked.request.id],
      userId: alice.userId,
    })
  })

  it('tells several open questions of one agent and skill in one message', async () => {
    await addChannel(alice.userId)
    const ids = [await askOnce(), await askOnce()]
    await deliver()
    expect(carriers.sent).toHaveLength(1)
    expect(carriers.sent[0]?.delivery).toMatchObject({
      subjects: ids,
      openUrl: 'https://broker.example/inbox',
    })
  })

  it('lets what follows at once wait for a minute, and tells it then', async () => {
    await addChannel(alice.userId)
    await askOnce()
    await deliver()
    const second = await askOnce()
    expect(await deliver()).toBe(0)
    test.clock.advance(60_000)
    await deliver()
    expect(carriers.sent.map(({ delivery }) => delivery.subjects)).toEqual([expect.any(Array), [second]])
  })

  it('tells again what was added while a message was on its way', async () => {
    await addChannel(alice.userId)
    const first = await askOnce()
    let second = ''
    carriers.answerNext(async () => {
      second = await askOnce()
      return { kind: 'delivered' }
    })
    await deliver()
    test.clock.advance(60_000)
    await deliver()
    expect(carriers.sent.map(({ delivery }) => delivery.subjects)).toEqual([[first], [first, second]])
  })

  it('says nothing of a question that was answered or ran out meanwhile', async () => {
    await addChannel(alice.userId)
    const approvalId = await askOnce()
    await refuseAction(test.broker, { userId: alice.userId, approvalId })
    await deliver()
    expect(carriers.sent).toEqual([])
    expect(await deliver()).toBe(0)
  })

  it('gives a message up when its question expires', async () => {
    await addChannel(alice.userId)
    await askOnce()
    carriers.answerNext({ kind: 'later' })
    await deliver()
    test.clock.advance(15 * 60_000)
    await deliver()
    expect(carriers.sent).toHaveLength(1)
    expect(await test.broker.store.read(async (tx) => tx.outbox.nextDueMs())).toBeUndefined()
  })

  it('tries again later and later, with the same id', async () => {
    await addChannel(alice.userId)
    await tell(alice.userId, 'inc_1')
    const waits: number[] = []
    carriers.answerNext({ kind: 'later' }, { kind: 'later' }, { kind: 'later' })
    for (let i = 0; i < 3; i++) {
      await deliver()
      const due = (await test.broker.store.read(async (tx) => tx.outbox.nextDueMs())) ?? 0
      waits.push(due - test.clock.nowMs())
      test.clock.advance(due - test.clock.nowMs())
    }
    await deliver()
    expect(waits).toEqual([5_000, 10_000, 20_000])
    expect(new Set(carriers.sent.map(({ delivery }) => delivery.messageId)).size).toBe(1)
    expect(await deliver()).toBe(0)
  })

  it('waits as long as the other side asks', async () => {
    await addChannel(alice.userId)
    await tell(alice.userId, 'inc_1')
    carriers.answerNext({ kind: 'later', afterMs: test.clock.nowMs() + 120_000 })
    await deliver()
    test.clock.advance(119_999)
    expect(await deliver()).toBe(0)
    test.clock.advance(1)
    expect(await deliver()).toBe(1)
  })

  it('sends the same id again after a crash between sending and noting it', async () => {
    await addChannel(alice.userId)
    await tell(alice.userId, 'inc_1')
    // What a crash leaves: claimed, sent, and not marked.
    const [row] = await test.broker.store.read(async (tx) => tx.outbox.due(tx.nowMs, 1))
    await test.broker.store.transaction(async (tx) =>
      tx.outbox.claim(row?.id ?? '', row?.nextAtMs ?? 0, tx.nowMs + 60_000),
    )
    const restarted = await test.reopen()
    expect(await deliverDue(restarted.broker, carriers)).toBe(0)
    test.clock.advance(60_000)
    carriers = createFakeCarriers()
    expect(await deliverDue(restarted.broker, carriers)).toBe(1)
    expect(carriers.sent[0]?.delivery.messageId).toBe(row?.id)
    test = restarted
  })

  it('lets one of two nodes send a message', async () => {
    await addChannel(alice.userId)
    await tell(alice.userId, 'inc_1')
    await Promise.all([deliver(), deliver()])
    expect(carriers.sent).toHaveLength(1)
  })

  it('forgets a channel that is gone, its address too', async () => {
    const channel = await addChannel(alice.userId)
    await tell(alice.userId, 'inc_1')
    await tell(alice.userId, 'inc_2')
    carriers.answerNext({ kind: 'gone' })
    await deliver()
    const left = await test.broker.store.read(async (tx) => ({
      channels: await tx.channels.list(alice.userId),
      due: await tx.outbox.nextDueMs(),
    }))
    expect(left).toEqual({ channels: [], due: undefined })
    expect(await openText(test.broker, channel.address)).toBeUndefined()
  })

  it('counts failures of a channel until one gets through', async () => {
    const { id } = await addChannel(alice.userId)
    const failures = async () => (await test.broker.store.read(async (tx) => tx.channels.find(id)))?.failures
    for (const incident of ['inc_1', 'inc_2']) {
      await tell(alice.userId, incident)
      carriers.answerNext({ kind: 'refused' })
      await deliver()
    }
    expect(await failures()).toBe(2)
    await tell(alice.userId, 'inc_3')
    await deliver()
    expect(await failures()).toBe(0)
  })

  it('delivers at once when woken, and stops', async () => {
    await addChannel(alice.userId)
    const loop = startDelivery(test.broker, carriers)
    const told = new Promise<void>((resolve) => {
      carriers.answerNext(async () => {
        resolve()
        return { kind: 'delivered' }
      })
    })
    await askOnce()
    await told
    await loop.stop()
    expect(carriers.sent).toHaveLength(1)
  })
})

describe('the platform’s own app', () => {
  beforeEach(() => start({ platformWebhook: true }))
  afterEach(() => test.close())

  it('is told of every user, without a channel of theirs', async () => {
    const approvalId = await askOnce()
    await deliver()
    expect(carriers.sent).toMatchObject([
      { by: 'platform', delivery: { userId: alice.userId, subjects: [approvalId] } },
    ])
  })
})
