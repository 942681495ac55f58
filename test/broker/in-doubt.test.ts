import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { authorizeAction } from '../../src/broker/authorize-action.ts'
import type { Broker } from '../../src/broker/broker.ts'
import { InFlight } from '../../src/broker/in-flight.ts'
import { performAction } from '../../src/broker/perform-action.ts'
import { resolveDue, resolveInDoubt } from '../../src/broker/resolve-in-doubt.ts'
import { settleByOperator } from '../../src/broker/settle-by-operator.ts'
import { takeUpUnsettled } from '../../src/broker/take-up-unsettled.ts'
import { TOKEN_DEAD_AFTER_MS } from '../../src/core/execution/action-token.ts'
import type { SkillStatement } from '../../src/sdk/sign-skill-receipt.ts'
import { type CoffeeTest, coffeeTest, expectKind, OPERATOR, paid, refusalOf } from '../support/coffee-test.ts'
import { answered, broken, notSent } from '../support/fake-skill.ts'
import { order } from '../support/granted-agent.ts'
import { claimsOf, createSkillKey } from '../support/skill-key.ts'

let t: CoffeeTest
beforeEach(async () => {
  t = await coffeeTest()
})
afterEach(() => t.test.close())

const HELD = { held: 100, captured: 0 }

async function doubtful(): Promise<string> {
  t.test.skill.replyNext(broken('cut'))
  return expectKind(await t.perform(t.alice.ask('order_and_pay', order(100))), 'in_doubt').row.id
}

/** The status action answers with a receipt about the first call. */
function receipt(
  statement: SkillStatement,
  about: Parameters<typeof t.key.receipt>[3] = {},
  options: { key?: typeof t.key; shiftMs?: number } = {},
) {
  t.test.skill.replyNext(() => {
    const [call] = t.test.skill.calls
    if (!call) throw new Error('nothing was called')
    const atMs = t.test.clock.nowMs() + (options.shiftMs ?? 0)
    return answered({
      state: 'placed',
      receipt: (options.key ?? t.key).receipt(call, statement, atMs, about),
    })
  })
}

describe('an execution in doubt (P11)', () => {
  it.each([
    [
      'captures what a receipt says was taken',
      { status: 'succeeded', taken: { amountMinor: 80, currency: 'CNY' } },
      { held: 0, captured: 80 },
      'succeeded',
    ],
    [
      'captures all of it where a receipt names no amount',
      { status: 'succeeded' },
      { held: 0, captured: 100 },
      'succeeded',
    ],
    [
      'is released by a receipt of a refusal',
      { status: 'refused' },
      { held: 0, captured: 0 },
      'refused_by_skill',
    ],
    [
      'is released by a receipt that the skill never had it',
      { status: 'not_found' },
      { held: 0, captured: 0 },
      'failed',
    ],
    ['stays in doubt while a receipt says pending', { status: 'pending' }, HELD, 'in_doubt'],
  ] as const)('%s', async (_, statement, used, status) => {
    const id = await doubtful()
    t.test.clock.advance(TOKEN_DEAD_AFTER_MS)
    receipt(statement)
    expect(await resolveInDoubt(t.test.broker, id)).toMatchObject({ status })
    expect(await t.used()).toEqual(used)
  })

  it('opens an incident when a receipt says more was taken than was held', async () => {
    const id = await doubtful()
    receipt({ status: 'succeeded', taken: { amountMinor: 101, currency: 'CNY' } })
    expect(await resolveInDoubt(t.test.broker, id)).toMatchObject({ capturedMinor: 100, overrunMinor: 1 })
    expect(refusalOf(await t.perform(t.alice.ask('order_and_pay', order(1))))).toBe('spending_stopped')
  })

  const NOTHING = { status: 'not_found' } as const
  it.each([
    ['about another execution', () => receipt(NOTHING, { executionId: 'act_another' })],
    ['about other bytes', () => receipt(NOTHING, { bodyDigest: 'A'.repeat(43) })],
    ['from before the call', () => receipt(NOTHING, {}, { shiftMs: -600_000 })],
    ['from the future', () => receipt(NOTHING, {}, { shiftMs: 600_000 })],
    ['signed by somebody else', () => receipt(NOTHING, {}, { key: createSkillKey() })],
    [
      'that is no receipt',
      () => t.test.skill.replyNext(answered({ state: 'not_found', receipt: 'e30.e30.e30' })),
    ],
    ['that is missing', () => t.test.skill.replyNext(answered({ state: 'not_found' }))],
  ])('is not settled by a receipt %s', async (_, answer) => {
    const id = await doubtful()
    t.test.clock.advance(TOKEN_DEAD_AFTER_MS)
    answer()
    expect(await resolveInDoubt(t.test.broker, id)).toMatchObject({ status: 'in_doubt' })
    expect(await t.used()).toEqual(HELD)
  })

  it('is not released by "never had it" while a call that was held up may still be accepted', async () => {
    const id = await doubtful()
    const { doubtedAtMs } = await t.row(id)
    expect(doubtedAtMs).toBe(t.test.clock.nowMs())
    t.test.clock.advance(TOKEN_DEAD_AFTER_MS - 1)
    receipt({ status: 'not_found' })
    expect(await resolveInDoubt(t.test.broker, id)).toMatchObject({ status: 'in_doubt' })
    expect(await t.used()).toEqual(HELD)
    t.test.clock.advance(1)
    receipt({ status: 'not_found' })
    expect(await resolveInDoubt(t.test.broker, id)).toMatchObject({ status: 'failed' })
    expect(await t.used()).toEqual({ held: 0, captured: 0 })
  })

  it('is settled at once by any other word: only what is missing may still come', async () => {
    const id = await doubtful()
    receipt({ status: 'refused' })
    expect(await resolveInDoubt(t.test.broker, id)).toMatchObject({ status: 'refused_by_skill' })
  })

  it('keeps counting however long it takes: no timer gives the money back', async () => {
    await doubtful()
    t.test.skill.replyAlways(broken('timed_out'))
    for (let day = 0; day < 20; day++) {
      t.test.clock.advance(86_400_000)
      await resolveDue(t.test.broker)
    }
    expect(await t.used()).toEqual(HELD)
  })

  it('is asked about at times that lie ever further apart, to the whole millisecond, and then no more', async () => {
    const id = await doubtful()
    t.test.skill.replyAlways(broken('timed_out'))
    const waits: number[] = []
    for (;;) {
      const { nextCheckAtMs } = await t.row(id)
      if (nextCheckAtMs === null) break
      waits.push(nextCheckAtMs - t.test.clock.nowMs())
      t.test.clock.advance((waits.at(-1) ?? 0) + 1)
      expect(await resolveDue(t.test.broker)).toBe(1)
    }
    expect(waits.every(Number.isInteger)).toBe(true)
    expect(waits).toEqual(waits.toSorted((a, b) => a - b))
    expect(waits.length).toBeGreaterThan(3)
    t.test.clock.advance(365 * 86_400_000)
    expect(await resolveDue(t.test.broker)).toBe(0)
    expect(await t.used()).toEqual(HELD)
  })

  it('is asked about under a new key each time, so that no skill repeats an old answer', async () => {
    const id = await doubtful()
    t.test.skill.replyAlways(broken('timed_out'))
    for (let i = 0; i < 3; i++) await resolveInDoubt(t.test.broker, id)
    const keys = t.test.skill.calls.map((call) => claimsOf(call).key)
    expect(new Set(keys).size).toBe(4)
    expect((await t.test.leaves()).filter((leaf) => leaf.type === 'clean_up')).toHaveLength(3)
  })

  it('is settled by an operator, once, with a reason', async () => {
    const id = await doubtful()
    const captured = { kind: 'captured', amountMinor: 60 } as const
    const settle = (reason: string) =>
      settleByOperator(t.test.broker, { actionId: id, ...OPERATOR, reason, outcome: captured })
    expect(await settle('  ')).toMatchObject({ kind: 'reason_refused' })
    expect(await t.used()).toEqual(HELD)
    expect(await settle('the bank statement says 0.60')).toMatchObject({ kind: 'settled' })
    expect(await settle('again, to be sure')).toMatchObject({ kind: 'not_in_doubt' })
    expect(await t.used()).toEqual({ held: 0, captured: 60 })
    expect(await t.row(id)).toMatchObject({ settledBy: 'operator:opr_test' })
  })

  it('is settled once by two who learn of it at the same time', async () => {
    const id = await doubtful()
    receipt({ status: 'succeeded', taken: { amountMinor: 80, currency: 'CNY' } })
    const release = { actionId: id, ...OPERATOR, outcome: { kind: 'released' } } as const
    await Promise.all([resolveInDoubt(t.test.broker, id), settleByOperator(t.test.broker, release)])
    expect(
      (await t.test.leaves()).filter((leaf) => leaf.type === 'outcome' && leaf.outcome !== 'in_doubt'),
    ).toHaveLength(1)
  })

  it('is in doubt, not forgotten, when the broker itself fails at the call', async () => {
    t.test.skill.replyNext(() => {
      throw new Error('a defect of ours')
    })
    const { row } = expectKind(await t.perform(t.alice.ask('order_and_pay', order(100))), 'in_doubt')
    expect(row).toMatchObject({ status: 'in_doubt', reason: 'broker_failed' })
    expect(row.nextCheckAtMs).not.toBeNull()
    expect(t.test.logged.map(({ event }) => event)).toContain('execution_failed')
    expect(await t.used()).toEqual(HELD)
  })

  it('is what an execution becomes whose end the store could not keep', async () => {
    const { store } = t.test.broker
    let fullFor = 0
    const broker: Broker = {
      ...t.test.broker,
      store: {
        ...store,
        async transaction(work) {
          if (fullFor === 0) return store.transaction(work)
          fullFor -= 1
          throw new Error('database or disk is full')
        },
      },
    }
    t.test.skill.replyNext(() => {
      fullFor = 2
      return paid(100)
    })
    const asked = t.alice.ask('order_and_pay', order(100))
    await expect(performAction(broker, asked)).rejects.toThrow('disk is full')
    expect(await t.used()).toEqual(HELD)

    await resolveDue(broker)
    expectKind(await performAction(broker, asked), 'in_flight')
    receipt({ status: 'succeeded', taken: { amountMinor: 90, currency: 'CNY' } })
    await resolveDue(broker)
    expectKind(await performAction(broker, asked), 'done')
    expect(await t.used()).toEqual({ held: 0, captured: 90 })
  })
})

describe('sending the same bytes again', () => {
  const MENU = { currency: 'CNY', items: [] }

  /** A read of a skill that honours keys, permitted just before the process died. */
  async function cutOff(): Promise<string> {
    const authorization = await authorizeAction(t.test.broker, t.alice.ask('get_menu', { store_id: 'LK-1' }))
    if (authorization.kind !== 'permit') throw new Error(authorization.kind)
    expect(await takeUpUnsettled(t.test.broker)).toBe(1)
    return authorization.permit.row.id
  }

  it('settles what a crash cut off, under the same key', async () => {
    const id = await cutOff()
    t.test.skill.replyNext(answered(MENU))
    expect(await resolveInDoubt(t.test.broker, id)).toMatchObject({ status: 'succeeded' })
    const { brokerKey } = await t.row(id)
    expect(t.test.skill.calls.map((call) => call.headers['idempotency-key'])).toEqual([brokerKey])
  })

  it('happens while nothing proves otherwise, and a call that did not leave proves nothing', async () => {
    const id = await cutOff()
    t.test.skill.replyNext(notSent())
    expect(await resolveInDoubt(t.test.broker, id)).toMatchObject({ status: 'in_doubt' })
  })

  it.each([
    ['the grant was revoked', { status: 'revoked' }],
    ['the action was taken out of the grant', { actions: [{ name: 'quote', constraints: [] }] }],
    [
      'a constraint no longer holds',
      {
        actions: [
          { name: 'get_menu', constraints: [{ kind: 'equals', pointer: '/store_id', value: 'LK-2' }] },
        ],
      },
    ],
    ['the deployment is no longer allowed', { deployments: { kind: 'only', ids: ['dep_other'] } }],
  ])('does not happen once %s', async (_, change) => {
    const id = await cutOff()
    const { grant } = t.alice
    const terms = JSON.stringify({ ...JSON.parse(grant.terms), ...('status' in change ? {} : change) })
    const status = 'status' in change ? change.status : grant.status
    await t.test.broker.store.transaction(async (tx) =>
      tx.grants.update({ ...grant, terms, status: status ?? grant.status, revision: 2 }),
    )
    expect(await resolveInDoubt(t.test.broker, id)).toMatchObject({ status: 'in_doubt' })
    expect(t.test.skill.calls).toEqual([])
  })

  it('is in flight meanwhile: nobody settles it under the hands of whoever sends, or sends it too', async () => {
    const id = await cutOff()
    const { broker, skill } = t.test
    const release = { actionId: id, ...OPERATOR, outcome: { kind: 'released' } } as const
    skill.replyNext(async () => {
      expect(await settleByOperator(broker, release)).toMatchObject({ kind: 'not_in_doubt' })
      expect(await resolveInDoubt(broker, id)).toMatchObject({ status: 'dispatched' })
      return answered(MENU)
    })
    expect(await resolveInDoubt(broker, id)).toMatchObject({ status: 'succeeded', settledBy: 'skill' })
    expect(skill.calls).toHaveLength(1)
  })

  it('does not happen once an operator has said what became of it', async () => {
    const id = await cutOff()
    const { broker, skill } = t.test
    const release = { actionId: id, ...OPERATOR, outcome: { kind: 'released' } } as const
    await Promise.all([settleByOperator(broker, release), resolveInDoubt(broker, id)])
    const settled = await t.row(id)
    if (settled.settledBy?.startsWith('operator:')) expect(skill.calls).toEqual([])
    expect(await resolveInDoubt(broker, id)).toEqual(settled)
  })

  it('is taken up like any other when the process that sends it ends, and its doubt begins anew', async () => {
    const id = await cutOff()
    const { broker, skill, clock } = t.test
    const { doubtedAtMs } = await t.row(id)
    clock.advance(60_000)
    let taken = 0
    skill.replyNext(async () => {
      taken = await takeUpUnsettled({ ...broker, inFlight: new InFlight() })
      return notSent()
    })
    await resolveInDoubt(broker, id)
    expect(taken).toBe(1)
    expect(await t.row(id)).toMatchObject({ status: 'in_doubt', doubtedAtMs: (doubtedAtMs ?? 0) + 60_000 })
  })

  it('says nothing new to the log while it stays in doubt for the same reason', async () => {
    const id = await cutOff()
    t.test.skill.replyAlways(notSent())
    await resolveInDoubt(t.test.broker, id)
    const before = (await t.test.leaves()).length
    await resolveInDoubt(t.test.broker, id)
    expect((await t.test.leaves()).length).toBe(before)
  })

  it('never happens for what has a status action to ask', async () => {
    const id = await doubtful()
    t.test.skill.replyAlways(paid(100))
    await resolveInDoubt(t.test.broker, id)
    expect(t.test.skill.calls.map((call) => claimsOf(call).kin)).toEqual(['action', 'status'])
  })
})
