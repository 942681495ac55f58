import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { closeIncident, listIncidents } from '../../src/broker/close-incident.ts'
import { confirmClock } from '../../src/broker/confirm-clock.ts'
import { sealerFor } from '../../src/broker/leaf-sealer.ts'
import { listInDoubt } from '../../src/broker/list-in-doubt.ts'
import { openIncident } from '../../src/broker/open-incident.ts'
import { performAction } from '../../src/broker/perform-action.ts'
import { lookAtAction, searchActions } from '../../src/broker/search-actions.ts'
import type { ActionSearch } from '../../src/ports/store.ts'
import { answered, broken } from '../support/fake-skill.ts'
import { type Granted, grantAll, order, SECRET } from '../support/granted-agent.ts'
import { OPERATOR } from '../support/publisher.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { createTestBroker, type TestBroker } from '../support/test-broker.ts'

const FIRST_PAGE = { limit: 10, before: null }
let test: TestBroker
let alice: Granted

beforeEach(async () => {
  test = await createTestBroker()
  test.secrets.set('coffee.order /payment_token', SECRET)
  alice = await grantAll(test.broker, sampleManifest('coffee.order'))
})
afterEach(() => test.close())

const paid = (charged: number) =>
  test.skill.replyNext(answered({ order_id: 'O-1', charged_amount: charged, currency: 'CNY' }))
const buy = () => performAction(test.broker, alice.ask('order_and_pay', order(100)))
const openOne = () => listIncidents(test.broker, 'open', FIRST_PAGE)
const close = (incidentId: string, reason = 'refunded by the shop') =>
  closeIncident(test.broker, { incidentId, operatorId: 'op_ada', reason })

describe('incidents', () => {
  it('of an overrun stop the skill for this user until an operator closes them', async () => {
    paid(150)
    await buy()
    const [incident] = await openOne()
    expect(incident).toMatchObject({ kind: 'overrun', userId: alice.userId, stopsSpending: true })
    expect(await buy()).toMatchObject({ kind: 'denied', refusal: { code: 'spending_stopped' } })

    expect(await close(incident?.id ?? '')).toEqual({ kind: 'closed', spendingResumed: true })
    paid(100)
    expect((await buy()).kind).toBe('done')
    expect(await openOne()).toEqual([])
    const leaf = await test.lastLeaf('incident')
    expect(leaf).toMatchObject({ outcome: 'closed', reason: 'overrun' })
    expect(await test.openPart(leaf.eventId, 'subj')).toEqual({ user: alice.userId, operator: 'op_ada' })
  })

  it('keep the skill stopped while one of two is open', async () => {
    const about = { userId: alice.userId, skillId: 'coffee.order' }
    const seal = await sealerFor(test.broker, about)
    const both = await test.broker.store.transaction(async (tx) => {
      const incident = {
        ...about,
        kind: 'overrun',
        actionId: null,
        detail: 'seen',
        stopsSpending: true,
      } as const
      return [
        await openIncident(test.broker, tx, seal, incident),
        await openIncident(test.broker, tx, seal, incident),
      ]
    })
    expect(await close(both[0] ?? '')).toEqual({ kind: 'closed', spendingResumed: false })
    expect(await buy()).toMatchObject({ kind: 'denied', refusal: { code: 'spending_stopped' } })
    expect(await close(both[0] ?? '')).toEqual({ kind: 'already_closed' })
    expect(await close(both[1] ?? '')).toEqual({ kind: 'closed', spendingResumed: true })
  })

  it('are not closed without a reason, or when nobody opened them', async () => {
    expect((await close('inc_none')).kind).toBe('incident_unknown')
    expect((await close('inc_none', '')).kind).toBe('reason_refused')
  })
})

describe('looking at what users did', () => {
  const search = (more: Partial<ActionSearch>) =>
    searchActions(test.broker, {
      operatorId: 'op_ada',
      search: {
        userId: null,
        agentId: null,
        skillId: null,
        status: null,
        fromMs: null,
        toMs: null,
        ...more,
      },
      page: FIRST_PAGE,
    })

  it('finds actions by user, agent, skill, outcome and time, and each search is a leaf', async () => {
    paid(100)
    await buy()
    test.clock.advance(60_000)
    test.skill.replyNext(broken('cut'))
    await buy()
    const { nowMs } = test.broker.store.now()
    const count = async (more: Partial<ActionSearch>) => (await search(more)).length
    expect(await count({ userId: alice.userId })).toBe(2)
    expect(await count({ userId: 'usr_other' })).toBe(0)
    expect(await count({ agentId: alice.agent.id, status: 'in_doubt' })).toBe(1)
    expect(await count({ skillId: 'web.browse' })).toBe(0)
    expect(await count({ fromMs: nowMs })).toBe(1)
    expect(await count({ toMs: nowMs - 1 })).toBe(1)

    const looks = (await test.leaves()).filter((leaf) => leaf.type === 'operator')
    expect(looks).toHaveLength(6)
    expect(await test.openPart(looks[0]?.eventId ?? '', 'subj')).toEqual({
      operator: 'op_ada',
      user: alice.userId,
      agent: null,
    })
  })

  it('opens arguments and result only with a reason, after the look is on record', async () => {
    paid(100)
    const done = await buy()
    const actionId = done.kind === 'done' ? done.view.row.id : ''
    expect((await lookAtAction(test.broker, { actionId, operatorId: 'op_ada', reason: '' })).kind).toBe(
      'reason_refused',
    )
    expect((await lookAtAction(test.broker, { actionId: 'act_none', ...OPERATOR })).kind).toBe(
      'action_unknown',
    )
    expect((await test.leaves()).filter((leaf) => leaf.type === 'operator')).toEqual([])

    const looked = await lookAtAction(test.broker, { actionId, ...OPERATOR })
    expect(looked).toMatchObject({
      kind: 'action',
      decision: { subj: { user: alice.userId }, body: { arguments: { total_amount: 100 } } },
      outcome: { body: { result: { order_id: 'O-1' } } },
    })
    const leaf = await test.lastLeaf('operator')
    expect(leaf.outcome).toBe('looked_at')
    expect(await test.openPart(leaf.eventId, 'subj')).toMatchObject({
      operator: 'op_ada',
      execution: actionId,
    })
  })

  it('opens nothing when the look cannot be put on record', async () => {
    paid(100)
    const done = await buy()
    const actionId = done.kind === 'done' ? done.view.row.id : ''
    const mute = {
      ...test.broker,
      store: { ...test.broker.store, transaction: () => Promise.reject(new Error('disk full')) },
    }
    await expect(lookAtAction(mute, { actionId, ...OPERATOR })).rejects.toThrow('disk full')
  })
})

describe('what is in doubt', () => {
  it('is listed with how long it has been so', async () => {
    test.skill.replyNext(broken('cut'))
    await buy()
    test.clock.advance(90_000)
    expect(await listInDoubt(test.broker, 'op_1')).toMatchObject([
      { userId: alice.userId, status: 'in_doubt', currency: 'CNY', heldMinor: 100, forMs: 90_000 },
    ])
    const look = await test.lastLeaf('operator')
    expect(look).toMatchObject({ outcome: 'looked_at', reason: 'in_doubt' })
    expect(await test.openPart(look.eventId, 'subj')).toEqual({ operator: 'op_1' })
  })
})

describe('confirming the clock', () => {
  it('lets money move again after the clock ran ahead, and is on record first', async () => {
    const before = test.broker.store.now().nowMs
    test.clock.stepWall(3_600_000)
    expect(await buy()).toMatchObject({ kind: 'denied', refusal: { code: 'clock_unconfirmed' } })
    expect((await confirmClock(test.broker, { operatorId: 'op_ada', reason: '' })).kind).toBe(
      'reason_refused',
    )

    const outcome = await confirmClock(test.broker, OPERATOR)
    expect(outcome).toEqual({ kind: 'confirmed', beforeMs: before, nowMs: before + 3_600_000 })
    expect(await test.lastLeaf('operator')).toMatchObject({ outcome: 'clock_confirmed' })
    paid(100)
    expect((await buy()).kind).toBe('done')
  })

  it('writes nothing when the clock is trusted', async () => {
    expect((await confirmClock(test.broker, OPERATOR)).kind).toBe('clock_is_trusted')
    expect(await test.leaves()).toEqual([])
  })

  it('does not confirm what could not be put on record', async () => {
    test.clock.stepWall(3_600_000)
    const mute = {
      ...test.broker,
      store: { ...test.broker.store, transaction: () => Promise.reject(new Error('disk full')) },
    }
    await expect(confirmClock(mute, OPERATOR)).rejects.toThrow('disk full')
    expect(test.broker.store.now().clockTrusted).toBe(false)
  })
})
