import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type FreezeInput, freeze, listFreezes, unfreeze } from '../../src/broker/freeze.ts'
import { performAction } from '../../src/broker/perform-action.ts'
import type { FreezeKind } from '../../src/core/decision/freeze-ids.ts'
import { answered, broken } from '../support/fake-skill.ts'
import { DEPLOYMENT, type Granted, grantAll, order, SECRET } from '../support/granted-agent.ts'
import { OPERATOR } from '../support/publisher.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { createTestBroker, type TestBroker } from '../support/test-broker.ts'

const COFFEE = sampleManifest('coffee.order')
const PAID = answered({ order_id: 'O-1', charged_amount: 100, currency: 'CNY' })
let test: TestBroker
let alice: Granted
let cancelled: string[]

beforeEach(async () => {
  test = await createTestBroker()
  test.secrets.set('coffee.order /payment_token', SECRET)
  alice = await grantAll(test.broker, COFFEE)
  test.skill.replyAlways(PAID)
  cancelled = []
})
afterEach(() => test.close())

const stop = (kind: FreezeKind, target: string, more: Partial<FreezeInput> = {}) =>
  freeze(
    test.broker,
    async (ids) => {
      cancelled.push(...ids)
      return ids.map((actionId) => ({ actionId, outcome: 'cancelled' }))
    },
    { kind, target, includesCleanUp: false, ...OPERATOR, ...more },
  )
const buy = () => performAction(test.broker, alice.ask('order_and_pay', order(100)))
const targets = (): [FreezeKind, string][] => [
  ['user', alice.userId],
  ['agent', alice.agent.id],
  ['skill', 'coffee.order'],
  ['action', 'coffee.order/order_and_pay'],
  ['publisher', COFFEE.publisher],
  ['deployment', DEPLOYMENT],
  ['platform', '*'],
]

describe('a freeze', () => {
  it('refuses every later action through each kind of target, until it is lifted (P3)', async () => {
    for (const [kind, target] of targets()) {
      expect(await stop(kind, target)).toMatchObject({ kind: 'frozen', wasFrozen: false })
      expect(await buy()).toMatchObject({ kind: 'denied', refusal: { code: 'frozen' } })
      const freezeId = `${kind}:${target}`
      expect((await unfreeze(test.broker, { freezeId, ...OPERATOR })).kind).toBe('unfrozen')
      expect((await buy()).kind).toBe('done')
    }
  })

  it('leaves alone what does not go through it', async () => {
    for (const [kind, target] of [
      ['user', 'usr_other'],
      ['skill', 'coffee'],
      ['action', 'coffee.order/get_menu'],
      ['publisher', 'other.example'],
    ] as const)
      await stop(kind, target)
    expect((await buy()).kind).toBe('done')
  })

  it('lets no permit through that was asked for after its answer, in a race of many', async () => {
    const before = Array.from({ length: 10 }, buy)
    const frozen = await stop('platform', '*')
    const after = await Promise.all(Array.from({ length: 10 }, buy))
    expect(frozen.kind).toBe('frozen')
    expect(after.map((it) => it.kind)).toEqual(Array.from({ length: 10 }, () => 'denied'))
    await Promise.all(before)
    const leaves = await test.leaves()
    const at = leaves.findIndex((leaf) => leaf.outcome === 'frozen')
    expect(leaves.slice(at).filter((leaf) => leaf.outcome === 'permit')).toEqual([])
  })

  it('lists what was permitted before and is not settled, and has it cancelled', async () => {
    test.skill.replyNext(broken('cut'))
    const doubtful = await buy()
    const actionId = doubtful.kind === 'in_doubt' ? doubtful.row.id : ''
    for (const [kind, target] of targets()) {
      cancelled = []
      expect(await stop(kind, target)).toMatchObject({
        unsettled: [{ actionId, skill: 'coffee.order', action: 'order_and_pay', status: 'in_doubt' }],
        cancelled: [{ actionId, outcome: 'cancelled' }],
      })
      expect(cancelled).toEqual([actionId])
    }
    expect(await stop('skill', 'web.browse')).toMatchObject({ unsettled: [], cancelled: [] })
  })

  it('sends no clean-up calls when it stops these too, and is never narrowed by a second one', async () => {
    test.skill.replyNext(broken('cut'))
    await buy()
    const outcome = await stop('skill', 'coffee.order', { includesCleanUp: true })
    expect(outcome).toMatchObject({ unsettled: [{}], cancelled: [] })
    expect(await stop('skill', 'coffee.order')).toMatchObject({ wasFrozen: true, cancelled: [] })
    expect(cancelled).toEqual([])
    expect(await listFreezes(test.broker)).toMatchObject([
      { id: 'skill:coffee.order', includesCleanUp: true },
    ])
  })

  it('is a leaf that names who, and so is its end', async () => {
    await stop('skill', 'coffee.order')
    await unfreeze(test.broker, { freezeId: 'skill:coffee.order', operatorId: 'op_bob', reason: 'all clear' })
    const leaves = (await test.leaves()).filter((leaf) => leaf.type === 'freeze')
    expect(leaves.map((leaf) => leaf.outcome)).toEqual(['freezing', 'frozen', 'unfrozen'])
    expect(await test.openPart(leaves[2]?.eventId ?? '', 'subj')).toEqual({
      operator: 'op_bob',
      target: 'coffee.order',
      frozenBy: 'op_ada',
    })
  })

  it('says when nobody knows its target, for a slip stops nothing', async () => {
    expect(await stop('user', 'usr_slip')).toMatchObject({ targetKnown: false })
    expect(await stop('user', alice.userId)).toMatchObject({ targetKnown: true })
    expect(await stop('deployment', DEPLOYMENT)).toMatchObject({ targetKnown: null })
    expect(await stop('action', 'coffee.order/order_and_pay')).toMatchObject({ targetKnown: true })
    expect(await stop('action', 'coffee.order/order_and_pya')).toMatchObject({ targetKnown: false })
    expect(await stop('action', 'coffee/order_and_pay')).toMatchObject({ targetKnown: false })
  })

  it.each([
    ['platform', 'everything'],
    ['action', 'coffee.order'],
    ['skill', ''],
    ['user', 'x'.repeat(201)],
  ] as const)('refuses a freeze of %s %s', async (kind, target) => {
    expect((await stop(kind, target)).kind).toBe('target_refused')
    expect(await listFreezes(test.broker)).toEqual([])
  })

  it('takes a reason, and so does its end', async () => {
    expect((await stop('platform', '*', { reason: 'no' })).kind).toBe('reason_refused')
    await stop('platform', '*')
    const mute = { freezeId: 'platform:*', operatorId: 'op_ada', reason: '' }
    expect((await unfreeze(test.broker, mute)).kind).toBe('reason_refused')
    expect((await unfreeze(test.broker, { ...OPERATOR, freezeId: 'skill:none' })).kind).toBe('not_frozen')
    expect(await listFreezes(test.broker)).toHaveLength(1)
  })
})
