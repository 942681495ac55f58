import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bodyDigest } from '../../src/core/execution/action-token.ts'
import { COFFEE, type CoffeeTest, coffeeTest, expectKind, paid } from '../support/coffee-test.ts'
import { answered } from '../support/fake-skill.ts'
import { grantAll, order, SECRET } from '../support/granted-agent.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { claimsOf } from '../support/skill-key.ts'
import { NOW_MS } from '../support/test-broker.ts'

let t: CoffeeTest
beforeEach(async () => {
  t = await coffeeTest({ retentionDays: { order_history: 30 } })
  t.test.skill.replyAlways(paid(100))
})
afterEach(() => t.test.close())

const payload = (jws: string) =>
  JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString('utf8'))
const header = (jws: string) => JSON.parse(Buffer.from(jws.split('.')[0] ?? '', 'base64url').toString('utf8'))

describe('the token of a call (P9)', () => {
  it('says exactly which call this is, to whom, for how long and by which permit', async () => {
    const { view } = expectKind(await t.perform(t.alice.ask('order_and_pay', order(100))), 'done')
    const [call] = t.test.skill.calls
    if (!call) throw new Error('nothing was called')
    const claims = claimsOf(call)
    const permit = (await t.test.leaves()).find((leaf) => leaf.outcome === 'permit')
    const leaf = await t.test.broker.store.read(async (tx) => tx.log.leafByEvent(permit?.eventId ?? ''))

    expect(claims).toMatchObject({
      iss: 'https://broker.example',
      aud: 'http://127.0.0.1:9101/orders/paid',
      exp: NOW_MS / 1000 + 60,
      kin: 'action',
      skl: 'coffee.order',
      act: 'order_and_pay',
      mfd: t.alice.digest,
      bod: bodyDigest(call.body),
      amt: 100,
      cur: 'CNY',
      key: call.headers['idempotency-key'],
      exe: view.row.id,
      lfh: leaf?.leafHash.toString('base64url'),
      // Thirty days were granted, and nothing for what a payment leaves behind.
      ret: { order_history: NOW_MS / 1000 + 30 * 86_400, payment_token: NOW_MS / 1000 },
    })
    expect(claims.sub).not.toContain(t.alice.userId)
  })

  it('carries a promise that this leaf is included by a time', async () => {
    await t.perform(t.alice.ask('order_and_pay', order(100)))
    const claims = claimsOf(t.test.skill.calls[0] as never)
    expect(header(claims.prm).typ).toBe('countersign-promise+jwt')
    expect(payload(claims.prm)).toMatchObject({
      org: 'broker.example/log',
      lfh: claims.lfh,
      mby: NOW_MS / 1000 + 5,
    })
  })

  it('is signed with the key for actions, and its promise with another', async () => {
    await t.perform(t.alice.ask('order_and_pay', order(100)))
    const [call] = t.test.skill.calls
    const token = call?.headers.authorization?.replace('Bearer ', '') ?? ''
    const claims = claimsOf(call as never)
    expect(header(token).kid).not.toBe(header(claims.prm).kid)
  })

  it('names the user otherwise to every publisher', async () => {
    const pay = await grantAll(
      t.test.broker,
      sampleManifest('pay.transfer'),
      {},
      {
        userId: t.alice.userId,
        agent: t.alice.agent,
      },
    )
    t.test.skill.replyNext(paid(100), answered({ payees: [] }))
    await t.perform(t.alice.ask('order_and_pay', order(100)))
    await t.perform(pay.ask('list_payees', {}))
    const subjects = t.test.skill.calls.map((call) => claimsOf(call).sub)
    expect(new Set(subjects).size).toBe(2)
  })
})

describe('secrets', () => {
  it('reach the skill, and neither log, nor view, nor operational output', async () => {
    const performed = await t.perform(t.alice.ask('order_and_pay', order(100)))
    expect(t.test.skill.bodies()).toMatchObject([{ payment_token: SECRET }])
    const opened = []
    for (const leaf of await t.test.leaves()) {
      for (const part of leaf.parts) opened.push(await t.test.openPart(leaf.eventId, part))
    }
    expect(opened.length).toBeGreaterThan(4)
    expect(JSON.stringify([opened, performed, t.test.logged])).not.toContain(SECRET)
  })

  it('are no argument: an agent that sends one is refused', async () => {
    const performed = await t.perform(
      t.alice.ask('order_and_pay', { ...(order(100) as object), payment_token: 'mine' }),
    )
    expect(expectKind(performed, 'invalid').faults[0]?.pointer).toBe('/payment_token')
  })

  it('that are not configured let nothing be sent, and give the money back', async () => {
    t.test.secrets.clear()
    const { view } = expectKind(await t.perform(t.alice.ask('order_and_pay', order(100))), 'done')
    expect(view.row).toMatchObject({ status: 'failed', reason: 'skill_not_configured', settledBy: 'broker' })
    expect(t.test.skill.calls).toEqual([])
    expect(await t.used()).toEqual({ held: 0, captured: 0 })
  })
})

describe('a result', () => {
  it('is cut to the categories the grant gives, and says what was cut', async () => {
    const bob = await grantAll(t.test.broker, t.key.inManifest(COFFEE), { categories: ['order'] })
    const { view } = expectKind(await t.perform(bob.ask('order_and_pay', order(100))), 'done')
    expect(view.result).toEqual({ order_id: 'O-1' })
    expect(view.cut).toEqual(['/charged_amount', '/currency'])
  })

  it('is cut for a replay too, and whole in the log', async () => {
    const bob = await grantAll(t.test.broker, t.key.inManifest(COFFEE), { categories: [] })
    const asked = bob.ask('order_and_pay', order(100))
    await t.perform(asked)
    const { view } = expectKind(await t.perform(asked), 'done')
    expect(JSON.stringify(view.result)).not.toContain('O-1')
    const { eventId } = await t.test.lastLeaf('outcome')
    expect(await t.test.openPart(eventId, 'body')).toMatchObject({ result: { order_id: 'O-1' } })
  })

  it('keeps a skill’s own words of a refusal out of the open leaf', async () => {
    t.test.skill.replyNext(answered({ code: 'alice_owes_us' }, 409))
    const { view } = expectKind(await t.perform(t.alice.ask('order_and_pay', order(100))), 'done')
    expect(view.row.reason).toBe('alice_owes_us')
    expect((await t.test.lastLeaf('outcome')).reason).toBe('refused_by_skill')
  })
})
