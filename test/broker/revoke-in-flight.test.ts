import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { authorizeAction } from '../../src/broker/authorize-action.ts'
import { cancelInFlight } from '../../src/broker/cancel-in-flight.ts'
import { executeAction } from '../../src/broker/execute-action.ts'
import { freeze, unfreeze } from '../../src/broker/freeze.ts'
import { revokeAuthority } from '../../src/broker/revoke-authority.ts'
import {
  COFFEE,
  type CoffeeTest,
  coffeeTest,
  expectKind,
  heldBack,
  OPERATOR,
  paid,
  refusalOf,
} from '../support/coffee-test.ts'
import { answered } from '../support/fake-skill.ts'
import { grantAll, order } from '../support/granted-agent.ts'
import { claimsOf } from '../support/skill-key.ts'
import { suspendSkill } from '../support/test-broker.ts'

let t: CoffeeTest
beforeEach(async () => {
  t = await coffeeTest()
})
afterEach(() => t.test.close())

const cancel = (ids: readonly string[]) => cancelInFlight(t.test.broker, ids)
const revoke = () =>
  revokeAuthority(t.test.broker, { userId: t.alice.userId, scope: { kind: 'everything' } }, cancel)
const freezePlatform = (includesCleanUp: boolean) =>
  freeze(t.test.broker, cancel, { ...OPERATOR, kind: 'platform', target: '*', includesCleanUp })

async function permitted() {
  const authorization = await authorizeAction(t.test.broker, t.alice.ask('order_and_pay', order(100)))
  if (authorization.kind !== 'permit') throw new Error(authorization.kind)
  return authorization.permit
}

describe('authority that is taken back (P3)', () => {
  it('permits nothing once the revoke has been acknowledged', async () => {
    await revoke()
    expect(refusalOf(await t.perform(t.alice.ask('order_and_pay', order(100))))).toBe('consent_required')
    expect(t.test.skill.calls).toEqual([])
  })

  it('lists what is in flight, cancels it, and leaves its money held until it is settled', async () => {
    const gate = heldBack(paid(100))
    t.test.skill.replyNext(gate.reply)
    t.test.skill.replyAlways(answered({ state: 'cancelled' }))
    const running = t.perform(t.alice.ask('order_and_pay', order(100)))
    await gate.called
    const revoked = await revoke()
    const id = claimsOf(t.test.skill.calls[0] as never).exe

    expect(revoked).toMatchObject({
      revocation: { unsettled: [{ actionId: id, status: 'dispatched', heldMinor: 100 }] },
      cancelled: [{ actionId: id, outcome: 'cancelled' }],
    })
    expect(t.test.skill.calls.map((call) => claimsOf(call).kin)).toEqual(['action', 'cancel'])
    expect(t.test.skill.bodies()[1]).toEqual({ execution_id: id })
    expect(await t.used()).toEqual({ held: 100, captured: 0 })

    gate.open()
    // What the skill took all the same is told to the ledger, and not to the agent.
    const done = expectKind(await running, 'done')
    expect(done.view).toMatchObject({ withheld: 'grant_ended', result: undefined })
    expect(await t.used()).toEqual({ held: 0, captured: 100 })
  })

  it.each([
    ['the grant was revoked', () => revoke()],
    ['the platform was frozen', () => freezePlatform(false)],
    ['the version was suspended', () => suspendSkill(t.test.broker, 'coffee.order')],
    ['the grant expired', async () => t.test.clock.advance(31 * 86_400_000)],
    [
      'the agent was disconnected',
      () =>
        t.test.broker.store.transaction(async (tx) => tx.agents.setStatus(t.alice.agent.id, 'disconnected')),
    ],
  ])('sends nothing and gives the money back when, after the permit, %s', async (_, takeAway) => {
    const permit = await permitted()
    expect(await t.used()).toEqual({ held: 100, captured: 0 })
    t.test.skill.replyAlways(answered({ state: 'cancelled' }))
    await takeAway()
    const row = await executeAction(t.test.broker, permit)

    expect(row).toMatchObject({
      status: 'overtaken',
      reason: 'overtaken',
      settledBy: 'broker',
      counted: false,
    })
    expect(t.test.skill.calls.filter((call) => claimsOf(call).kin === 'action')).toEqual([])
    expect(await t.used()).toEqual({ held: 0, captured: 0 })
    expect((await t.test.lastLeaf('outcome')).outcome).toBe('overtaken')
  })

  it('overtakes the permit of a one-time grant too, which that permit has used up', async () => {
    const once = await grantAll(t.test.broker, t.key.inManifest(COFFEE), { oneTime: true })
    const authorization = await authorizeAction(t.test.broker, once.ask('order_and_pay', order(100)))
    if (authorization.kind !== 'permit') throw new Error(authorization.kind)
    t.test.skill.replyAlways(answered({ state: 'cancelled' }))
    const scope = { kind: 'everything' } as const
    const answer = await revokeAuthority(t.test.broker, { userId: once.userId, scope }, cancel)
    expect(answer).toMatchObject({ revocation: { grants: [once.grant.id] } })
    const row = await executeAction(t.test.broker, authorization.permit)
    expect(row.status).toBe('overtaken')
    expect(t.test.skill.calls.filter((call) => claimsOf(call).kin === 'action')).toEqual([])
  })

  it('cancels under a freeze, and not under one that names clean-up calls too', async () => {
    t.test.skill.replyNext(answered({}, 202), answered({ state: 'cancelled' }))
    await t.perform(t.alice.ask('order_and_pay', order(100)))
    expect(await freezePlatform(false)).toMatchObject({ cancelled: [{ outcome: 'cancelled' }] })
    expect(await freezePlatform(true)).toMatchObject({ cancelled: [], unsettled: [{ status: 'in_doubt' }] })
    const [id] = (await t.test.broker.store.read(async (tx) => tx.actions.unsettled(null))).map(
      (row) => row.id,
    )
    expect(await cancel([id ?? ''])).toEqual([{ actionId: id, outcome: 'frozen' }])
    expect(t.test.skill.calls).toHaveLength(2)
    expect((await t.test.lastLeaf('clean_up')).reason).toBe('cancel')
  })

  it('permits again after the freeze was lifted, and what was refused meanwhile stays refused', async () => {
    await freezePlatform(false)
    const asked = t.alice.ask('order_and_pay', order(100))
    expect(refusalOf(await t.perform(asked))).toBe('frozen')
    await unfreeze(t.test.broker, { ...OPERATOR, freezeId: 'platform:*' })
    t.test.skill.replyAlways(paid(100))
    expectKind(await t.perform(asked), 'refused_before')
    expectKind(await t.perform(t.alice.ask('order_and_pay', order(100))), 'done')
  })

  it('gives clean-up calls keys that no agent can reach with one of its own', async () => {
    t.test.skill.replyNext(answered({}, 202), answered({ state: 'cancelled' }))
    const asked = t.alice.ask('order_and_pay', order(100))
    const { row } = expectKind(await t.perform(asked), 'in_doubt')
    await cancel([row.id])
    const key = claimsOf(t.test.skill.calls[1] as never).key
    const reachable = t.test.broker.pseudonyms.brokerKey(asked.userId, asked.agentId, `${row.id} cancel`, 1)
    expect(key).not.toBe(reachable)
  })
})
