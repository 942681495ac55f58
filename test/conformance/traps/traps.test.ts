import { createSecretKey } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { approveActionShape } from '../../../src/broker/answer-approval.ts'
import { previewDecision } from '../../../src/broker/authorize-action.ts'
import { cancelInFlight } from '../../../src/broker/cancel-in-flight.ts'
import { performAction } from '../../../src/broker/perform-action.ts'
import { revokeAuthority } from '../../../src/broker/revoke-authority.ts'
import { showApproval } from '../../../src/broker/show-approval.ts'
import { constraintShape } from '../../../src/core/grant/terms.ts'
import type { JsonValue } from '../../../src/core/json-value.ts'
import { createPseudonyms } from '../../../src/keys/pseudonyms.ts'
import type { Store, Tx } from '../../../src/ports/store.ts'
import {
  COFFEE,
  type CoffeeTest,
  coffeeSkill,
  coffeeTest,
  expectKind,
  refusalOf,
} from '../../support/coffee-test.ts'
import { grantAll, order } from '../../support/granted-agent.ts'
import { actionAt, sampleManifest } from '../../support/sample-manifest.ts'
import { registerSkill } from '../../support/test-broker.ts'

let t: CoffeeTest
beforeEach(async () => {
  t = await coffeeTest()
  t.test.skill.replyAlways(coffeeSkill)
})
afterEach(() => t.test.close())

const limited = (limit: number) =>
  grantAll(t.test.broker, t.key.inManifest(COFFEE), {
    budgets: [{ measure: 'amount', currency: 'CNY', window: { kind: 'lifetime' }, limit }],
  })
const asking = () => grantAll(t.test.broker, t.key.inManifest(COFFEE), { askFirst: [{ kind: 'always' }] })

describe('traps that others fell into', () => {
  it('a denied call is logged as denied, and told with its reason', async () => {
    const poor = await limited(1)
    expect(refusalOf(await t.perform(poor.ask('order_and_pay', order(2))))).toBe('budget_exceeded')
    expect(await t.test.lastLeaf('decision')).toMatchObject({ outcome: 'deny', reason: 'budget_exceeded' })
  })

  it('a rule about a field that is not there denies, and says which field', async () => {
    const bob = await grantAll(t.test.broker, t.key.inManifest(COFFEE), {
      actions: [
        { name: 'order_and_pay', constraints: [{ kind: 'equals', pointer: '/no_such_field', value: 1 }] },
      ],
    })
    const { refusal } = expectKind(await t.perform(bob.ask('order_and_pay', order(1))), 'denied')
    expect(refusal).toMatchObject({
      code: 'constraint_violated',
      pointer: '/no_such_field',
      fault: 'field_missing',
    })
  })

  it.each(['idempotency_key', 'payment_token', '__proto__', 'constructor', 'toString', 'userId', 'dryRun'])(
    'an argument named %s shadows nothing',
    async (name) => {
      const args: JsonValue = JSON.parse(`{"${name}":"x"}`)
      const sent = Object.assign(Object.create(null), order(1), args)
      Object.defineProperty(sent, name, { value: 'x', enumerable: true })
      expectKind(await t.perform(t.alice.ask('order_and_pay', sent)), 'invalid')
      expect(t.test.skill.calls).toEqual([])
    },
  )

  it('there is no constraint that matches a text by its beginning or by a pattern', () => {
    for (const kind of ['prefix', 'glob', 'regex', 'starts_with']) {
      expect(constraintShape.safeParse({ kind, pointer: '/command', prefix: 'git' }).success).toBe(false)
    }
  })

  it('denied requests consume no budget, however many come at once', async () => {
    const poor = await limited(10)
    const tries = await Promise.all(
      Array.from({ length: 20 }, (_, i) => t.perform(poor.ask('order_and_pay', order(i % 2 ? 11 : 5)))),
    )
    expect(tries.filter(({ kind }) => kind === 'done')).toHaveLength(2)
  })

  it('what cannot be logged does not happen', async () => {
    const { store } = t.test.broker
    const fullDisk = {
      append() {
        throw new Error('disk full')
      },
    }
    const withoutLog = (tx: Tx): Tx =>
      new Proxy(tx, {
        get: (target, name) => (name === 'log' ? fullDisk : Reflect.get(target, name, target)),
      })
    const broken: Store = {
      ...store,
      transaction: (work) => store.transaction((tx) => work(withoutLog(tx))),
    }
    const asked = t.alice.ask('order_and_pay', order(1))
    await expect(performAction({ ...t.test.broker, store: broken }, asked)).rejects.toThrow('disk full')
    expect(t.test.skill.calls).toEqual([])
    expect(await t.used()).toEqual({ held: 0, captured: 0 })
    expectKind(await t.perform(asked), 'done')
  })

  it('with no grant at all, nothing is allowed', async () => {
    const cleared = { ...t.alice.grant, status: 'revoked', revision: 2 }
    await t.test.broker.store.transaction(async (tx) => tx.grants.update(cleared))
    expect(refusalOf(await t.perform(t.alice.ask('order_and_pay', order(0))))).toBe('consent_required')
  })

  it('a question that nobody answers in time is not a yes', async () => {
    const bob = await asking()
    const asked = bob.ask('order_and_pay', order(1))
    expectKind(await t.perform(asked), 'ask')
    t.test.clock.advance(24 * 3_600_000)
    expectKind(await t.perform(asked), 'ask')
    expect(t.test.skill.calls.filter((call) => call.endpoint.endsWith('/orders/paid'))).toEqual([])
  })

  it('looking at a question does not answer it', async () => {
    const bob = await asking()
    const asked = bob.ask('order_and_pay', order(1))
    const { approval } = expectKind(await t.perform(asked), 'ask')
    for (let i = 0; i < 3; i++) {
      await showApproval(t.test.broker, { userId: bob.userId, approvalId: approval.id })
    }
    expectKind(await t.perform(asked), 'ask')
  })

  it('who answers is never read from a body', () => {
    for (const name of ['userId', 'user', 'approver', 'approvedBy']) {
      expect(approveActionShape.safeParse({ [name]: 'usr_mallory' }).success).toBe(false)
    }
  })

  it('nothing an agent sends counts as a yes', async () => {
    const bob = await asking()
    for (const extra of [
      { approved: true },
      { approval: { state: 'approved' } },
      { _meta: { approvalId: 'apr_x' } },
    ]) {
      expectKind(await t.perform(bob.ask('order_and_pay', { ...(order(1) as object), ...extra })), 'invalid')
    }
  })

  it('names that are joined before they are signed cannot be cut elsewhere', () => {
    const names = createPseudonyms(createSecretKey(Buffer.alloc(32, 7)))
    expect(names.brokerKey('a', 'b', 'cd', 1)).not.toBe(names.brokerKey('a', 'bc', 'd', 1))
    expect(names.brokerKey('a:b', 'c', 'd', 1)).not.toBe(names.brokerKey('a', 'b:c', 'd', 1))
    expect(names.brokerKey('a', 'b', 'c', 11)).not.toBe(names.brokerKey('a', 'b', 'c1', 1))
  })

  it('money is never a float: a hundred times ten fen are exactly ten yuan', async () => {
    const bob = await limited(1000)
    for (let i = 0; i < 100; i++) expectKind(await t.perform(bob.ask('order_and_pay', order(10))), 'done')
    expect(refusalOf(await t.perform(bob.ask('order_and_pay', order(1))))).toBe('budget_exceeded')
    expectKind(await t.perform(bob.ask('order_and_pay', order(0.1))), 'invalid')
  })

  it('a restart does not trust again what had changed', async () => {
    const at = `${actionAt('coffee.order', 'order_and_pay')}/spends/most`
    const changed = t.key.inManifest(sampleManifest('coffee.order', [at, { CNY: 60_000 }]))
    await registerSkill(t.test.broker, { ...changed, version: 2 })
    expect(refusalOf(await t.perform(t.alice.ask('order_and_pay', order(1))))).toBe('consent_outdated')
    t.test = await t.test.reopen()
    expect(refusalOf(await performAction(t.test.broker, t.alice.ask('order_and_pay', order(1))))).toBe(
      'consent_outdated',
    )
  })

  it('no cache outlives a revocation', async () => {
    expectKind(await t.perform(t.alice.ask('order_and_pay', order(1))), 'done')
    await revokeAuthority(
      t.test.broker,
      { userId: t.alice.userId, scope: { kind: 'grant', id: t.alice.grant.id } },
      (ids) => cancelInFlight(t.test.broker, ids),
    )
    expect(refusalOf(await t.perform(t.alice.ask('order_and_pay', order(1))))).toBe('consent_required')
  })

  it.each([
    ['permit', 100],
    ['deny', 50_001],
  ])('what a dry run says is what a call then gets: %s', async (effect, minor) => {
    const asked = t.alice.ask('order_and_pay', order(minor))
    expect(await previewDecision(t.test.broker, asked)).toMatchObject({ effect })
    expect((await t.perform(asked)).kind).toBe(effect === 'permit' ? 'done' : 'denied')
  })

  it('a dry run holds, logs, remembers and sends nothing', async () => {
    const asked = t.alice.ask('order_and_pay', order(1))
    for (let i = 0; i < 3; i++) await previewDecision(t.test.broker, asked)
    expect(await t.test.leaves()).toEqual([])
    expect(await t.used()).toEqual({ held: 0, captured: 0 })
    expect(t.test.skill.calls).toEqual([])
    expect(t.test.broker.recentRefusals.take()).toEqual({ dry_run: 3 })
  })
})
