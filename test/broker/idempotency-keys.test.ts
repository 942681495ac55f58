import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { approveAction, refuseAction } from '../../src/broker/answer-approval.ts'
import { cancelInFlight } from '../../src/broker/cancel-in-flight.ts'
import { revokeAuthority } from '../../src/broker/revoke-authority.ts'
import { setBudget } from '../../src/broker/set-budget.ts'
import {
  ALWAYS,
  COFFEE,
  type CoffeeTest,
  coffeeSkill,
  coffeeTest,
  expectKind,
  refusalOf,
} from '../support/coffee-test.ts'
import { broken } from '../support/fake-skill.ts'
import { grantAll, order } from '../support/granted-agent.ts'

let t: CoffeeTest
beforeEach(async () => {
  t = await coffeeTest()
  t.test.skill.replyAlways(coffeeSkill)
})
afterEach(() => t.test.close())

const KEY = 'the-same-key'

describe('one idempotency key (P4)', () => {
  it('goes on after the yes, executes once, and replays from then on', async () => {
    await useTerms(ALWAYS)
    const asked = t.alice.ask('order_and_pay', order(100), KEY)
    const ask = expectKind(await t.perform(asked), 'ask')
    expect(expectKind(await t.perform(asked), 'ask').approval.id).toBe(ask.approval.id)
    await approveAction(t.test.broker, { userId: asked.userId, approvalId: ask.approval.id })
    expect(orders()).toBe(0)
    expect(expectKind(await t.perform(asked), 'done').replayed).toBe(false)
    expect(expectKind(await t.perform(asked), 'done').replayed).toBe(true)
    expect(orders()).toBe(1)
  })

  it('adds no leaf while its question waits, however often the agent asks', async () => {
    await useTerms(ALWAYS)
    const asked = t.alice.ask('order_and_pay', order(100), KEY)
    await t.perform(asked)
    const before = (await t.test.leaves()).length
    for (let i = 0; i < 5; i++) expectKind(await t.perform(asked), 'ask')
    expect((await t.test.leaves()).length).toBe(before)
    expect(t.test.broker.recentRefusals.take()).toEqual({ asked_again: 5 })
  })

  it('stays denied when the reason for it is gone, and a new key is decided anew', async () => {
    await t.test.broker.store.transaction(async (tx) =>
      tx.grants.update({ ...t.alice.grant, status: 'paused', revision: 2 }),
    )
    const asked = t.alice.ask('order_and_pay', order(100), KEY)
    expect(refusalOf(await t.perform(asked))).toBe('consent_required')
    await t.test.broker.store.transaction(async (tx) => tx.grants.update({ ...t.alice.grant, revision: 3 }))
    expectKind(await t.perform(asked), 'refused_before')
    expectKind(await t.perform(t.alice.ask('order_and_pay', order(100))), 'done')
  })

  it('forgets bad input: the same key is good for the request as it was meant', async () => {
    expectKind(await t.perform(t.alice.ask('order_and_pay', order(-1), KEY)), 'invalid')
    expectKind(await t.perform(t.alice.ask('order_and_pay', order(100), KEY)), 'done')
  })

  it.each([
    ['arguments', { arguments: order(101) }],
    ['an action', { action: 'place_order' }],
    ['a skill', { skill: 'pay.transfer' }],
  ])('is a conflict with other %s', async (_, other) => {
    const asked = t.alice.ask('order_and_pay', order(100), KEY)
    await t.perform(asked)
    expectKind(await t.perform({ ...asked, ...other }), 'key_conflict')
    expect(orders()).toBe(1)
  })

  it('is another key for another agent and for another user', async () => {
    const other = await grantAll(t.test.broker, t.key.inManifest(COFFEE), {}, { userId: t.alice.userId })
    const bob = await grantAll(t.test.broker, t.key.inManifest(COFFEE))
    for (const who of [t.alice, other, bob]) {
      const done = expectKind(await t.perform(who.ask('order_and_pay', order(100), KEY)), 'done')
      expect(done.replayed).toBe(false)
    }
    expect(new Set(t.test.skill.calls.map((call) => call.headers['idempotency-key'])).size).toBe(3)
  })

  it('replays in full only while the grant still stands', async () => {
    const asked = t.alice.ask('order_and_pay', order(100), KEY)
    await t.perform(asked)
    expect(expectKind(await t.perform(asked), 'done').view.result).toMatchObject({ order_id: 'O-1' })
    const { userId } = asked
    await revokeAuthority(t.test.broker, { userId, scope: { kind: 'everything' } }, (ids) =>
      cancelInFlight(t.test.broker, ids),
    )
    const replayed = expectKind(await t.perform(asked), 'done')
    expect(replayed.view).toMatchObject({ result: undefined, withheld: 'grant_ended' })
    expect(replayed.view.row.status).toBe('succeeded')
  })

  it('stays in doubt for whoever asks again, and is not sent again', async () => {
    t.test.skill.replyNext(broken('cut'))
    const asked = t.alice.ask('order_and_pay', order(100), KEY)
    expect(expectKind(await t.perform(asked), 'in_doubt').replayed).toBe(false)
    expect(expectKind(await t.perform(asked), 'in_doubt').replayed).toBe(true)
    expect(orders()).toBe(1)
  })

  it('names what the agent runs on when it goes on, not what it ran on when it asked', async () => {
    await useTerms(ALWAYS)
    const asked = t.alice.ask('order_and_pay', order(100), KEY)
    const ask = expectKind(await t.perform(asked), 'ask')
    await approveAction(t.test.broker, { userId: asked.userId, approvalId: ask.approval.id })
    const performed = await t.perform({ ...asked, deploymentId: 'dep_not_registered' })
    expect(refusalOf(performed)).toBe('deployment_not_allowed')
    expect((await t.row(ask.row.id)).deploymentId).toBe('dep_not_registered')
  })

  it('keeps its yes when no budget has room for it, and goes on once one has', async () => {
    await useTerms(ALWAYS)
    const { userId } = t.alice
    const limit = (most: number) =>
      setBudget(t.test.broker, {
        userId,
        scope: { kind: 'user' },
        budget: { measure: 'amount', currency: 'CNY', window: { kind: 'lifetime' }, limit: most },
      })
    const asked = t.alice.ask('order_and_pay', order(100), KEY)
    const ask = expectKind(await t.perform(asked), 'ask')
    await approveAction(t.test.broker, { userId, approvalId: ask.approval.id })
    await limit(99)
    expect(refusalOf(await t.perform(asked))).toBe('budget_exceeded')
    expect((await t.approvals())[0]?.status).toBe('approved')
    await limit(100)
    expectKind(await t.perform(asked), 'done')
    expect((await t.approvals())[0]?.status).toBe('used')
  })

  it('stays refused after a no, although by then nobody would have to be asked', async () => {
    await useTerms(ALWAYS)
    const asked = t.alice.ask('order_and_pay', order(100), KEY)
    const ask = expectKind(await t.perform(asked), 'ask')
    await refuseAction(t.test.broker, { userId: asked.userId, approvalId: ask.approval.id })
    await useTerms({ askFirst: [] })
    expect(refusalOf(await t.perform(asked))).toBe('approval_refused')
    expectKind(await t.perform(asked), 'refused_before')
  })
})

const orders = () => t.test.skill.calls.filter((call) => call.endpoint.endsWith('/orders/paid')).length

let revision = 10
async function useTerms(terms: object) {
  revision += 1
  const { grant } = t.alice
  const changed = JSON.stringify({ ...JSON.parse(grant.terms), ...terms })
  await t.test.broker.store.transaction(async (tx) =>
    tx.grants.update({ ...grant, terms: changed, revision }),
  )
}
