import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { approveAction } from '../../src/broker/answer-approval.ts'
import type { ActionRequest } from '../../src/broker/authorize-action.ts'
import { cancelInFlight } from '../../src/broker/cancel-in-flight.ts'
import { revokeEnforcementPoint } from '../../src/broker/register-enforcement-point.ts'
import { type Reserved, reserveAction } from '../../src/broker/reserve-action.ts'
import { resolveDue } from '../../src/broker/resolve-in-doubt.ts'
import { revokeAuthority } from '../../src/broker/revoke-authority.ts'
import { settleByOperator } from '../../src/broker/settle-by-operator.ts'
import { type Report, settleReservation } from '../../src/broker/settle-reservation.ts'
import { takeUpUnsettled } from '../../src/broker/take-up-unsettled.ts'
import type { GrantTerms } from '../../src/core/grant/terms.ts'
import type { ActionRow } from '../../src/ports/rows.ts'
import { ALWAYS, type CoffeeTest, coffeeTest, OPERATOR } from '../support/coffee-test.ts'
import { insertPoint } from '../support/enforcement-point.ts'
import { type Granted, grantAll, order } from '../support/granted-agent.ts'
import { sampleManifest } from '../support/sample-manifest.ts'

const MINUTE_MS = 60_000
let t: CoffeeTest
let point: string

async function begin(terms: Partial<GrantTerms> = {}) {
  t = await coffeeTest(terms)
  point = (await insertPoint(t.test.broker, { skills: ['coffee.order'] })).point.id
}
beforeEach(() => begin())
afterEach(() => t.test.close())

const reserve = (asked: ActionRequest, reportWithinMs: number | null = MINUTE_MS, by = point) =>
  reserveAction(t.test.broker, { ...asked, enforcement: { by, reportWithinMs } })
const report = (id: string, what: Report, by = point) => settleReservation(t.test.broker, by, id, what)
const done = (amountMinor: number | null, currency = 'CNY'): Report => ({
  kind: 'done',
  charged: amountMinor === null ? null : { amountMinor, currency },
})
const RELEASED: Report = { kind: 'released', reason: 'not_done' }

function reservedRow(reserved: Reserved): ActionRow {
  if (reserved.kind !== 'reserved') throw new Error(reserved.kind)
  return reserved.row
}
const buy = async (minor: number, key?: string) =>
  reservedRow(await reserve(t.alice.ask('order_and_pay', order(minor), key)))

describe('a reservation', () => {
  it('holds the money and logs the permit, and calls nobody', async () => {
    const row = await buy(500)
    expect(row).toMatchObject({ status: 'dispatched', heldMinor: 500, nodeId: point, sentDigest: null })
    expect(await t.used()).toEqual({ held: 500, captured: 0 })
    expect(await t.test.lastLeaf('decision')).toMatchObject({ eventId: row.eventId, outcome: 'permit' })
    expect(await t.test.openPart(row.eventId ?? '', 'core')).toMatchObject({ enforcedBy: point })
    expect(t.test.skill.calls).toEqual([])
  })

  it('is decided like any action: a refusal is one, and stays one under its key', async () => {
    const asked = t.alice.ask('order_and_pay', order(2_000_000))
    expect(await reserve(asked)).toMatchObject({ kind: 'denied' })
    expect(await reserve(asked)).toMatchObject({ kind: 'refused_before' })
    expect(await t.used()).toEqual({ held: 0, captured: 0 })
  })

  it('is the same one under the same key, and none under the key of another request', async () => {
    const asked = t.alice.ask('order_and_pay', order(500), 'the-same-key')
    const first = reservedRow(await reserve(asked))
    expect(await reserve(asked)).toMatchObject({ kind: 'reserved', replayed: true, row: { id: first.id } })
    const other = t.alice.ask('order_and_pay', order(501), 'the-same-key')
    expect(await reserve(other)).toEqual({ kind: 'key_conflict' })
    expect(await t.used()).toEqual({ held: 500, captured: 0 })
  })

  it('waits for the yes of its user where that is wanted, and uses it up', async () => {
    await t.test.close()
    await begin(ALWAYS)
    const { broker } = t.test
    const asked = t.alice.ask('order_and_pay', order(500), 'asks-first')
    expect(await reserve(asked)).toMatchObject({ kind: 'ask' })
    const [approval] = await t.approvals()
    await approveAction(broker, { userId: t.alice.userId, approvalId: approval?.id ?? '' })
    expect(await reserve(asked)).toMatchObject({ kind: 'reserved', replayed: false })
    expect((await t.approvals())[0]).toMatchObject({ status: 'used' })
  })

  it('never lets many at once reserve more than a budget holds (P2)', async () => {
    await t.test.close()
    const limit = 1_000
    await begin({ budgets: [{ measure: 'amount', currency: 'CNY', window: { kind: 'lifetime' }, limit }] })
    const all = await Promise.all(
      Array.from({ length: 25 }, () => reserve(t.alice.ask('order_and_pay', order(100)))),
    )
    expect(all.filter(({ kind }) => kind === 'reserved')).toHaveLength(10)
    expect(await t.used()).toEqual({ held: 1_000, captured: 0 })
  })
})

describe('what is reported of a reservation', () => {
  it('captures what was taken and gives the rest back, once', async () => {
    const { id } = await buy(500)
    expect(await report(id, done(420))).toMatchObject({ kind: 'settled', replayed: false })
    expect(await report(id, done(420))).toMatchObject({ kind: 'settled', replayed: true })
    expect(await t.used()).toEqual({ held: 0, captured: 420 })
    expect(await t.row(id)).toMatchObject({ status: 'succeeded', settledBy: point })
    const outcomes = (await t.test.leaves()).filter(({ type }) => type === 'outcome')
    expect(outcomes).toHaveLength(1)
  })

  it('captures all of it where nobody knows what was taken', async () => {
    const { id } = await buy(500)
    await report(id, done(null))
    expect(await t.used()).toEqual({ held: 0, captured: 500 })
  })

  it('is an overrun beyond the reservation, and stops the spending at this skill', async () => {
    const { id } = await buy(500)
    await report(id, done(900))
    expect(await t.row(id)).toMatchObject({ capturedMinor: 500, overrunMinor: 400 })
    expect(await reserve(t.alice.ask('order_and_pay', order(1)))).toMatchObject({
      kind: 'denied',
      refusal: { code: 'spending_stopped' },
    })
  })

  it('counts as the whole reservation in another currency', async () => {
    const { id } = await buy(500)
    await report(id, done(1, 'USD'))
    expect(await t.used()).toEqual({ held: 0, captured: 500 })
  })

  it('releases what was not done', async () => {
    const { id } = await buy(500)
    expect(await report(id, RELEASED)).toMatchObject({ kind: 'settled', row: { status: 'failed' } })
    expect(await t.used()).toEqual({ held: 0, captured: 0 })
  })

  it.each([
    ['done with another amount', done(420), done(421)],
    ['done after a release', RELEASED, done(420)],
    ['released after it was done', done(420), RELEASED],
    ['released for another reason', RELEASED, { kind: 'released', reason: 'failed' } as const],
  ])('changes nothing when it is %s', async (_, first, second) => {
    const { id } = await buy(500)
    await report(id, first)
    const before = [await t.row(id), await t.used()]
    expect(await report(id, second)).toMatchObject({ kind: 'settled_otherwise' })
    expect([await t.row(id), await t.used()]).toEqual(before)
  })

  it('is taken once of many at the same time', async () => {
    const { id } = await buy(500)
    const all = await Promise.all([done(100), done(200), RELEASED, done(300)].map((it) => report(id, it)))
    expect(all.filter((it) => it.kind === 'settled')).toHaveLength(1)
    expect(await t.used()).toMatchObject({ held: 0 })
  })

  it('is nobody else’s: another point finds nothing there, nor does one find what the broker sent', async () => {
    const { id } = await buy(500)
    const other = t.test.broker.newId('enforcementPoint')
    expect(await report(id, done(1), other)).toEqual({ kind: 'not_found' })
    expect(await report(t.test.broker.newId('action'), done(1))).toEqual({ kind: 'not_found' })
    expect(await t.used()).toEqual({ held: 500, captured: 0 })
  })

  it('has no amount where nothing was to be spent', async () => {
    const { id } = reservedRow(await reserve(t.alice.ask('get_menu', { store_id: 'LK-1' })))
    expect(await report(id, done(100))).toEqual({ kind: 'spends_nothing' })
    expect(await report(id, done(null))).toMatchObject({ kind: 'settled', row: { status: 'succeeded' } })
  })

  it('gives no second permit under its key', async () => {
    const asked = t.alice.ask('order_and_pay', order(500))
    await report(reservedRow(await reserve(asked)).id, RELEASED)
    expect(await reserve(asked)).toMatchObject({ kind: 'used' })
    expect(await t.used()).toEqual({ held: 0, captured: 0 })
  })
})

describe('what is not reported', () => {
  it('is in doubt when the time is over, keeps counting, and is an operator’s to settle (P11)', async () => {
    const { id } = await buy(500)
    t.test.clock.advance(MINUTE_MS - 1)
    await resolveDue(t.test.broker)
    expect(await t.row(id)).toMatchObject({ status: 'dispatched' })
    t.test.clock.advance(1)
    await resolveDue(t.test.broker)
    expect(await t.row(id)).toMatchObject({ status: 'in_doubt', reason: 'not_reported' })
    t.test.clock.advance(90 * 86_400_000)
    await resolveDue(t.test.broker)
    expect(await t.used()).toEqual({ held: 500, captured: 0 })
    expect(await report(id, RELEASED)).toMatchObject({ kind: 'too_late' })
    expect(await t.used()).toEqual({ held: 500, captured: 0 })

    const outcome = { kind: 'captured', amountMinor: 450 } as const
    const settled = await settleByOperator(t.test.broker, { ...OPERATOR, actionId: id, outcome })
    expect(settled).toMatchObject({ kind: 'settled' })
    expect(await t.used()).toEqual({ held: 0, captured: 450 })
  })

  it('is too late at the last instant already, whether or not anybody has looked', async () => {
    const { id } = await buy(500)
    t.test.clock.advance(MINUTE_MS)
    expect(await report(id, RELEASED)).toMatchObject({ kind: 'too_late' })
    expect(await t.used()).toEqual({ held: 500, captured: 0 })
  })

  it('is asked of no skill, and not put in doubt because a process of the broker ended', async () => {
    const { id } = await buy(500)
    expect(await takeUpUnsettled(t.test.broker)).toBe(0)
    expect(await t.row(id)).toMatchObject({ status: 'dispatched' })
    t.test.clock.advance(MINUTE_MS)
    await resolveDue(t.test.broker)
    await resolveDue(t.test.broker)
    expect(t.test.skill.calls).toEqual([])
  })
})

describe('a revoke between reserving and reporting (P3)', () => {
  it('lists the reservation, permits nothing more, and what was done is still counted', async () => {
    const asked = t.alice.ask('order_and_pay', order(500))
    const { id } = reservedRow(await reserve(asked))
    const revoked = await revokeAuthority(
      t.test.broker,
      { userId: t.alice.userId, scope: { kind: 'everything' } },
      (ids) => cancelInFlight(t.test.broker, ids),
    )
    expect(revoked).toMatchObject({
      revocation: { unsettled: [{ actionId: id, status: 'dispatched', heldMinor: 500 }] },
    })
    expect(await reserve(asked)).toMatchObject({ kind: 'overtaken', row: { id } })
    expect(await reserve(t.alice.ask('order_and_pay', order(1)))).toMatchObject({ kind: 'denied' })
    await report(id, done(500))
    expect(await t.used()).toEqual({ held: 0, captured: 500 })
  })
})

describe('an enforcement point that was ended', () => {
  it('is permitted nothing by a decision that comes after, whoever let its request in before', async () => {
    const { id } = await buy(500)
    const ended = await revokeEnforcementPoint(t.test.broker, { ...OPERATOR, pointId: point })
    expect(ended).toMatchObject({ kind: 'revoked', unsettled: [{ actionId: id, heldMinor: 500 }] })
    expect(await reserve(t.alice.ask('order_and_pay', order(1)))).toMatchObject({
      kind: 'denied',
      refusal: { code: 'enforced_elsewhere' },
    })
    expect(await t.used()).toEqual({ held: 500, captured: 0 })
  })
})

describe('a permit whose outcome is never known', () => {
  let carol: Granted
  const menu = () => carol.ask('get_menu', { store_id: 'LK-1' })
  const guarded = sampleManifest(
    'coffee.order',
    ['/skill', 'coffee.guarded'],
    ['/endpoint', { transport: 'guard' }],
  )
  async function grantGuarded(terms: Partial<GrantTerms> = {}) {
    carol = await grantAll(t.test.broker, guarded, terms)
  }
  beforeEach(() => grantGuarded())

  it('counts as taken at once, is logged as what it is, and is nobody’s to settle', async () => {
    await grantGuarded({ budgets: [{ measure: 'count', window: { kind: 'lifetime' }, limit: 2 }] })
    const first = reservedRow(await reserve(menu(), null, 'guard'))
    expect(first).toMatchObject({ status: 'outcome_unknown', settledBy: 'guard' })
    expect(await t.test.lastLeaf('decision')).toMatchObject({ outcome: 'permit', reason: 'outcome_unknown' })
    reservedRow(await reserve(menu(), null, 'guard'))
    expect(await reserve(menu(), null, 'guard')).toMatchObject({
      kind: 'denied',
      refusal: { code: 'budget_exceeded' },
    })
    const [counter] = await t.test.broker.store.read(async (tx) => tx.counters.list(carol.userId))
    expect(counter).toMatchObject({ held: 0, captured: 2 })
    expect(await t.test.broker.store.read(async (tx) => tx.actions.unsettled(null))).toEqual([])
    expect(await report(first.id, RELEASED)).toEqual({ kind: 'not_found' })
  })

  it('is given once for a key', async () => {
    const asked = menu()
    reservedRow(await reserve(asked, null, 'guard'))
    expect(await reserve(asked, null, 'guard')).toMatchObject({ kind: 'used' })
  })

  it('is refused for what spends', async () => {
    expect(await reserve(carol.ask('order_and_pay', order(1)), null, 'guard')).toMatchObject({
      kind: 'denied',
      refusal: { code: 'outcome_not_reported' },
    })
    expect(await t.used()).toEqual({ held: 0, captured: 0 })
  })
})
