import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { renewGrant } from '../../src/broker/change-grant.ts'
import { openUnusedSweep, sweepUnused } from '../../src/broker/expire-unused-grants.ts'
import { listGrants } from '../../src/broker/list-grants.ts'
import { showGrant } from '../../src/broker/show-grant.ts'
import {
  COFFEE,
  type CoffeeTest,
  coffeeSkill,
  coffeeTest,
  expectKind,
  refusalOf,
} from '../support/coffee-test.ts'
import { connectAgent, giveConsent } from '../support/connected-agent.ts'
import { grantAll, order } from '../support/granted-agent.ts'
import { NOW_MS } from '../support/test-broker.ts'

const DAY = 86_400_000
let t: CoffeeTest
beforeEach(async () => {
  t = await coffeeTest({
    expiresAtMs: NOW_MS + 400 * DAY,
    budgets: [{ measure: 'amount', currency: 'CNY', window: { kind: 'lifetime' }, limit: 500 }],
  })
  t.test.skill.replyAlways(coffeeSkill)
  // The platform's app hears of everything, so that what is told can be counted.
  t.test.broker.settings.platformWebhook = true
})
afterEach(() => t.test.close())

const grant = () => t.test.broker.store.read(async (tx) => tx.grants.find(t.alice.grant.id))
const told = async () =>
  (await t.test.broker.store.read(async (tx) => tx.outbox.due(Number.MAX_SAFE_INTEGER, 50))).map(
    ({ kind }) => kind,
  )
const use = () => t.perform(t.alice.ask('order_and_pay', order(100)))
const view = async () => {
  const page = { limit: 10, before: null }
  const [seen] = await listGrants(t.test.broker, { userId: t.alice.userId, page })
  if (!seen) throw new Error('no grant')
  return seen
}
const onDay = async (days: number) => {
  t.test.clock.advance(NOW_MS + days * DAY - t.test.clock.nowMs())
  await sweepUnused(t.test.broker)
}

describe('grants nobody uses', () => {
  it('end after 90 days, and their user is told 14 days before', async () => {
    await onDay(75)
    expect(await told()).toEqual([])
    await onDay(76)
    await onDay(77)
    expect(await told()).toEqual(['grant_expires_unused'])
    await onDay(89)
    expect((await view()).state).toBe('active')
    await onDay(90)
    expect((await view()).state).toBe('expired')
    expect(await told()).toEqual(['grant_expires_unused', 'grant_expired_unused'])
    expect(await t.test.lastLeaf('grant')).toMatchObject({ outcome: 'expired', reason: 'unused' })
    expect(refusalOf(await use())).toBe('consent_required')
    await onDay(91)
    expect((await t.test.leaves()).filter(({ type }) => type === 'grant')).toHaveLength(1)
  })

  it('live on from each use, without a write of their own', async () => {
    t.test.clock.advance(80 * DAY)
    const before = await grant()
    expectKind(await use(), 'done')
    expect(await grant()).toEqual(before)
    await onDay(90)
    await onDay(169)
    expect((await view()).state).toBe('active')
    await onDay(170)
    expect((await view()).state).toBe('expired')
  })

  it('do not live on from refusals and questions', async () => {
    t.test.clock.advance(80 * DAY)
    refusalOf(await t.perform(t.alice.ask('order_and_pay', order(501))))
    await onDay(90)
    expect((await view()).state).toBe('expired')
  })

  it('say when that will be', async () => {
    expect(await view()).toMatchObject({ lastUsedAtMs: null, unusedExpiresAtMs: NOW_MS + 90 * DAY })
    t.test.clock.advance(DAY)
    await use()
    expect(await view()).toMatchObject({ lastUsedAtMs: NOW_MS + DAY, unusedExpiresAtMs: NOW_MS + 91 * DAY })
  })

  it('say nothing of it where they end sooner anyway', async () => {
    const grant = await giveConsent(t.test.broker, await connectAgent(t.test.broker, t.alice.userId))
    const found = await showGrant(t.test.broker, { userId: t.alice.userId, grantId: grant.id })
    expect(found).toMatchObject({ grant: { unusedExpiresAtMs: null, lastUsedAtMs: null } })
    t.test.clock.advance(grant.expiresAtMs - NOW_MS - DAY)
    await sweepUnused(t.test.broker)
    expect(await told()).not.toContain('grant_expires_unused')
  })

  it('can be renewed by their user', async () => {
    await onDay(90)
    const renewed = await renewGrant(t.test.broker, {
      userId: t.alice.userId,
      grantId: t.alice.grant.id,
      expiresAtMs: NOW_MS + 200 * DAY,
    })
    expect(renewed.kind).toBe('changed')
    expectKind(await use(), 'done')
    await onDay(91)
    expect((await view()).state).toBe('active')
  })

  it('are either used or ended when both come at one instant, never both', async () => {
    for (let round = 0; round < 20; round++) {
      const bob = await grantAll(t.test.broker, t.key.inManifest(COFFEE), {
        expiresAtMs: t.test.clock.nowMs() + 400 * DAY,
      })
      t.test.clock.advance(90 * DAY)
      const asked = () => t.perform(bob.ask('order_and_pay', order(1)))
      const [performed] =
        round % 2 === 0
          ? await Promise.all([asked(), sweepUnused(t.test.broker)])
          : await Promise.all([asked(), Promise.resolve().then(() => sweepUnused(t.test.broker))])
      const row = await t.test.broker.store.read(async (tx) => tx.grants.find(bob.grant.id))
      const isEnded = (row?.expiresAtMs ?? 0) <= t.test.clock.nowMs()
      expect(performed.kind === 'done').toBe(!isEnded)
    }
  })

  it('are looked at page by page, all of them within a pass', async () => {
    const work = openUnusedSweep(t.test.broker)
    t.test.clock.advance(90 * DAY)
    await work()
    expect((await view()).state).toBe('expired')
    const bob = await grantAll(t.test.broker, t.key.inManifest(COFFEE), {
      expiresAtMs: t.test.clock.nowMs() + 400 * DAY,
    })
    t.test.clock.advance(3_599_999)
    await work()
    t.test.clock.advance(90 * DAY)
    await work()
    const row = await t.test.broker.store.read(async (tx) => tx.grants.find(bob.grant.id))
    expect(row?.expiresAtMs).toBe(t.test.clock.nowMs())
  })
})
