import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { performAction } from '../../src/broker/perform-action.ts'
import { settleByOperator } from '../../src/broker/settle-by-operator.ts'
import { takeUpUnsettled } from '../../src/broker/take-up-unsettled.ts'
import { answered, broken, notSent } from '../support/fake-skill.ts'
import { type Granted, grantAll, order, SECRET } from '../support/granted-agent.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { createTestBroker, type TestBroker } from '../support/test-broker.ts'

const COFFEE = sampleManifest('coffee.order')
const PAID = (charged: number) => answered({ order_id: 'O-1', charged_amount: charged, currency: 'CNY' })

let test: TestBroker
let alice: Granted

beforeEach(async () => {
  test = await createTestBroker()
  test.secrets.set('coffee.order /payment_token', SECRET)
  alice = await grantAll(test.broker, COFFEE)
})
afterEach(() => test.close())

async function used(): Promise<{ held: number; captured: number }[]> {
  const rows = await test.broker.store.read(async (tx) => tx.counters.list(alice.userId))
  return rows.map(({ held, captured }) => ({ held, captured }))
}

describe('performAction', () => {
  it('reserves, calls the skill once with exactly what was decided, and captures what it charged', async () => {
    test.skill.replyNext(PAID(1690))
    const done = await performAction(test.broker, alice.ask('order_and_pay', order(2000)))

    expect(done).toMatchObject({ kind: 'done', replayed: false })
    if (done.kind !== 'done') return
    expect(done.view.result).toEqual({ order_id: 'O-1', charged_amount: 1690, currency: 'CNY' })
    expect(done.view.row).toMatchObject({ status: 'succeeded', capturedMinor: 1690, heldMinor: 0 })
    expect(test.skill.bodies()).toEqual([
      { ...(order(2000) as object), payment_token: SECRET, idempotency_key: done.view.row.brokerKey },
    ])
    expect(await used()).toEqual([{ held: 0, captured: 1690 }])
    expect((await test.leaves()).map(({ type, outcome }) => [type, outcome])).toEqual([
      ['decision', 'permit'],
      ['outcome', 'succeeded'],
    ])
  })

  it('has the permit leaf durable before the first byte leaves (P1)', async () => {
    let leavesAtCall: string[] = []
    test.skill.replyNext(async () => {
      leavesAtCall = (await test.leaves()).map((leaf) => leaf.outcome)
      return PAID(100)
    })
    await performAction(test.broker, alice.ask('order_and_pay', order(100)))
    expect(leavesAtCall).toEqual(['permit'])
  })

  it('answers the same key with the earlier outcome and never calls twice (P4)', async () => {
    test.skill.replyAlways(PAID(100))
    const asked = alice.ask('order_and_pay', order(100))
    await performAction(test.broker, asked)
    const again = await performAction(test.broker, asked)
    expect(again).toMatchObject({ kind: 'done', replayed: true })
    expect(test.skill.calls).toHaveLength(1)
  })

  it('lets one of many concurrent calls under one key through (P4)', async () => {
    test.skill.replyAlways(PAID(100))
    const asked = alice.ask('order_and_pay', order(100))
    const kinds = (
      await Promise.all(Array.from({ length: 16 }, () => performAction(test.broker, asked)))
    ).map((performed) => performed.kind)
    expect(test.skill.calls).toHaveLength(1)
    expect(kinds.filter((kind) => kind === 'done').length).toBeGreaterThanOrEqual(1)
    expect(kinds.every((kind) => kind === 'done' || kind === 'in_flight')).toBe(true)
  })

  it('refuses the same key with other arguments', async () => {
    test.skill.replyAlways(PAID(100))
    const asked = alice.ask('order_and_pay', order(100))
    await performAction(test.broker, asked)
    expect(await performAction(test.broker, { ...asked, arguments: order(101) })).toEqual({
      kind: 'key_conflict',
      promises: [],
    })
  })

  it('releases the money when the request never left', async () => {
    test.skill.replyNext(notSent())
    const done = await performAction(test.broker, alice.ask('order_and_pay', order(100)))
    expect(done).toMatchObject({
      kind: 'done',
      view: { row: { status: 'failed', reason: 'connect_failed' } },
    })
    expect(await used()).toEqual([{ held: 0, captured: 0 }])
  })

  it.each([
    ['no answer in time', broken('timed_out')],
    ['an answer cut off', broken('cut')],
    ['a redirect', broken('redirect')],
    ['a server error', answered({ error: 'oops' }, 500)],
    ['a client error nobody declared', answered({ error: 'oops' }, 418)],
    ['a result of another shape', answered({ ok: true })],
    ['an accepted call', answered({}, 202)],
  ])('keeps the money held after %s (P11)', async (_, reply) => {
    test.skill.replyNext(reply)
    const done = await performAction(test.broker, alice.ask('order_and_pay', order(100)))
    expect(done).toMatchObject({ kind: 'in_doubt' })
    expect(await used()).toEqual([{ held: 100, captured: 0 }])
  })

  it('settles by an operator what is in doubt, once', async () => {
    test.skill.replyNext(broken('cut'))
    const done = await performAction(test.broker, alice.ask('order_and_pay', order(100)))
    if (done.kind !== 'in_doubt') throw new Error(done.kind)
    const settlement = { actionId: done.row.id, operatorId: 'op_1', reason: 'the bank says so' }
    const released = { ...settlement, outcome: { kind: 'released' } } as const
    expect(await settleByOperator(test.broker, released)).toMatchObject({ kind: 'settled' })
    expect(await settleByOperator(test.broker, released)).toMatchObject({ kind: 'not_in_doubt' })
    expect(await used()).toEqual([{ held: 0, captured: 0 }])
  })

  it('captures all of the reservation and stops spending when a skill took more', async () => {
    test.skill.replyNext(PAID(130))
    await performAction(test.broker, alice.ask('order_and_pay', order(100)))
    expect(await used()).toEqual([{ held: 0, captured: 100 }])
    const next = await performAction(test.broker, alice.ask('order_and_pay', order(1)))
    expect(next).toMatchObject({ kind: 'denied', refusal: { code: 'spending_stopped' } })
    expect((await test.lastLeaf('incident')).reason).toBe('overrun')
  })

  it('suspends a version whose result names money in an action that spends none', async () => {
    test.skill.replyAlways(answered({ stores: [], charged_amount: 1500 }))
    const ask = () =>
      performAction(test.broker, alice.ask('search_stores', { lat_e3: 30_250, lng_e3: 120_160 }))
    await Promise.all([ask(), ask()])
    expect(
      (await test.leaves()).filter(({ type }) => type === 'incident').map(({ reason }) => reason),
    ).toEqual(['amount_without_spend'])
    expect(await ask()).toMatchObject({ kind: 'denied', refusal: { code: 'skill_suspended' } })
  })

  it('takes a result of another shape for what it is when it names no money', async () => {
    test.skill.replyNext(answered({ stores: [], note: 'hello' }))
    await performAction(test.broker, alice.ask('search_stores', { lat_e3: 30_250, lng_e3: 120_160 }))
    test.skill.replyNext(answered({ stores: [] }))
    const next = await performAction(
      test.broker,
      alice.ask('search_stores', { lat_e3: 30_250, lng_e3: 120_160 }),
    )
    expect(next).toMatchObject({ kind: 'done', view: { row: { status: 'succeeded' } } })
  })

  it('takes up after a restart what was permitted and not settled', async () => {
    let release: () => void = () => undefined
    test.skill.replyNext(async () => {
      await new Promise<void>((resolve) => {
        release = resolve
      })
      return PAID(100)
    })
    const running = performAction(test.broker, alice.ask('order_and_pay', order(100)))
    while (test.skill.calls.length === 0) await new Promise((resolve) => setImmediate(resolve))
    const other = { ...test.broker, inFlight: new (await import('../../src/broker/in-flight.ts')).InFlight() }
    expect(await takeUpUnsettled(other)).toBe(1)
    expect(await used()).toEqual([{ held: 100, captured: 0 }])
    release()
    await running
  })

  it('never permits beyond a budget, however many ask at once (P2)', async () => {
    test.skill.replyAlways(PAID(300))
    const bob = await grantAll(test.broker, COFFEE, {
      budgets: [
        { measure: 'amount', currency: 'CNY', window: { kind: 'rolling', ms: 3_600_000 }, limit: 1000 },
      ],
    })
    const performed = await Promise.all(
      Array.from({ length: 20 }, () => performAction(test.broker, bob.ask('order_and_pay', order(300)))),
    )
    expect(performed.filter((one) => one.kind === 'done')).toHaveLength(3)
    expect(performed.filter((one) => one.kind === 'denied')).toHaveLength(17)
  })

  it('tells what is wrong with arguments, and writes nothing', async () => {
    const performed = await performAction(
      test.broker,
      alice.ask('order_and_pay', { ...(order(100) as object), total_amount: -5, extra: 1 }),
    )
    expect(performed).toMatchObject({ kind: 'invalid' })
    expect(await test.leaves()).toEqual([])
    expect(await used()).toEqual([])
  })
})
