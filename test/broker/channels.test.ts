import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addMailChannel, addPushChannel, verifyMailChannel } from '../../src/broker/add-channel.ts'
import { deliverDue } from '../../src/broker/deliver-messages.ts'
import { listChannels, removeChannel } from '../../src/broker/list-channels.ts'
import { createMessenger } from '../../src/broker/tell.ts'
import { createFakeCarriers, type FakeCarriers } from '../support/fake-carriers.ts'
import { createPushBrowser } from '../support/push-browser.ts'
import { createTestBroker, type TestBroker } from '../support/test-broker.ts'

let test: TestBroker
let carriers: FakeCarriers
let userId: string
const browser = createPushBrowser()

beforeEach(async () => {
  test = await createTestBroker()
  carriers = createFakeCarriers()
  userId = test.broker.newId('user')
})
afterEach(() => test.close())

const addMail = (address = 'alice@example.com', who = userId) =>
  addMailChannel(test.broker, carriers, { userId: who, address, locale: 'en' })
const addPush = (subscription = browser.subscription('https://push.example.com/1')) =>
  addPushChannel(test.broker, carriers, { userId, subscription, locale: 'en' })
const verify = (channelId: string, code: string, who = userId) =>
  verifyMailChannel(test.broker, { userId: who, channelId, code })
const codeNow = () => carriers.codes.at(-1)?.code ?? ''
const list = () => listChannels(test.broker, { userId })
async function mailId(): Promise<string> {
  const added = await addMail()
  if (added.kind !== 'added') throw new Error(added.kind)
  return added.channel.id
}

describe('a mail channel', () => {
  it('is told nothing before its code was said', async () => {
    const id = await mailId()
    await createMessenger(test.broker).tell(userId, { kind: 'incident' })
    expect(await deliverDue(test.broker, carriers)).toBe(0)
    expect(await list()).toMatchObject([{ id, shown: 'alice@example.com', status: 'unverified' }])
    expect(await verify(id, codeNow())).toEqual({ kind: 'verified' })
    await createMessenger(test.broker).tell(userId, { kind: 'incident' })
    await deliverDue(test.broker, carriers)
    expect(carriers.sent.at(-1)).toMatchObject({ by: 'mail', address: 'alice@example.com' })
    expect(await test.lastLeaf('channel')).toMatchObject({ outcome: 'verified' })
  })

  it('keeps address and code unreadable in the database', async () => {
    const id = await mailId()
    const row = await test.broker.store.read(async (tx) => tx.channels.find(id))
    expect(JSON.stringify(row)).not.toContain('alice')
    expect(JSON.stringify(row)).not.toContain(codeNow())
  })

  it('takes five wrong codes, and then not even the right one', async () => {
    const id = await mailId()
    const wrong = codeNow() === '00000000' ? '00000001' : '00000000'
    for (let i = 0; i < 5; i++) expect(await verify(id, wrong)).toEqual({ kind: 'code_refused' })
    expect(await verify(id, codeNow())).toEqual({ kind: 'code_refused' })
    test.clock.advance(60_000)
    await addMail()
    expect(await verify(id, codeNow())).toEqual({ kind: 'verified' })
  })

  it('takes a code for 15 minutes, and of its own user only', async () => {
    const id = await mailId()
    expect(await verify(id, codeNow(), test.broker.newId('user'))).toEqual({ kind: 'not_found' })
    test.clock.advance(900_000)
    expect(await verify(id, codeNow())).toEqual({ kind: 'code_refused' })
  })

  it('is mailed no second code within a minute', async () => {
    await mailId()
    expect(await addMail('ALICE@example.com')).toEqual({ kind: 'already_there' })
    expect(carriers.codes).toHaveLength(1)
  })

  it.each([
    'alice@example.com\r\nBcc: eve@example.com',
    'a@b.example,c@d.example',
    'Alice <a@b.example>',
    'nobody',
    '',
  ])('is refused as %j', async (address) => {
    expect(await addMail(address)).toEqual({ kind: 'address_refused' })
    expect(carriers.codes).toEqual([])
  })
})

describe('a browser', () => {
  it('is added when a first message reached it', async () => {
    expect((await addPush()).kind).toBe('added')
    expect(carriers.greeted).toHaveLength(1)
    expect(await list()).toMatchObject([{ kind: 'push', shown: 'push.example.com', status: 'active' }])
  })

  it('is not added when it cannot be reached, or must not be', async () => {
    carriers.answerNext({ kind: 'gone' })
    expect(await addPush()).toEqual({ kind: 'address_refused' })
    carriers.answerNext({ kind: 'later' })
    expect(await addPush()).toEqual({ kind: 'unavailable' })
    expect(await list()).toEqual([])
  })

  it.each([
    'nonsense',
    '{}',
    JSON.stringify({ endpoint: 'ftp://x', keys: { p256dh: browser.p256dh, auth: browser.auth } }),
    JSON.stringify({ endpoint: 'https://push.example.com', keys: { p256dh: 'AA', auth: browser.auth } }),
    JSON.stringify({ endpoint: 'https://push.example.com', keys: { p256dh: browser.p256dh, auth: 'AA' } }),
  ])('is refused with the subscription %s', async (subscription) => {
    expect(await addPush(subscription)).toEqual({ kind: 'address_refused' })
    expect(carriers.greeted).toEqual([])
  })
})

describe('channels', () => {
  it('tell one another of a change, and are removed by their user only', async () => {
    await addPush()
    await deliverDue(test.broker, carriers)
    carriers.sent.length = 0
    const id = await mailId()
    await verify(id, codeNow())
    await deliverDue(test.broker, carriers)
    expect(carriers.sent.filter(({ by }) => by === 'push')).toMatchObject([
      { delivery: { kind: 'security_changed' } },
    ])
    const stranger = test.broker.newId('user')
    expect(await removeChannel(test.broker, { userId: stranger, channelId: id })).toEqual({
      kind: 'not_found',
    })
    expect(await removeChannel(test.broker, { userId, channelId: id })).toEqual({ kind: 'removed' })
    expect(await removeChannel(test.broker, { userId, channelId: id })).toEqual({ kind: 'not_found' })
    expect(await list()).toHaveLength(1)
  })

  it('are ten at most', async () => {
    for (let i = 0; i < 10; i++) expect((await addMail(`a${i}@example.com`)).kind).toBe('added')
    expect(await addMail()).toEqual({ kind: 'too_many_channels' })
    expect(await addPush()).toEqual({ kind: 'too_many_channels' })
  })
})
