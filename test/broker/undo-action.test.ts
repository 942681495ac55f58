import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { performAction } from '../../src/broker/perform-action.ts'
import { undoAction } from '../../src/broker/undo-action.ts'
import { answered, broken, notSent } from '../support/fake-skill.ts'
import { type Granted, grantAll, order, SECRET } from '../support/granted-agent.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { createTestBroker, type TestBroker } from '../support/test-broker.ts'

const WINDOW_MS = 300_000
const UNDONE = answered({ state: 'cancelled' })

let test: TestBroker
let alice: Granted
let actionId: string

beforeEach(async () => {
  test = await createTestBroker()
  test.secrets.set('coffee.order /payment_token', SECRET)
  alice = await grantAll(test.broker, sampleManifest('coffee.order'))
  test.skill.replyNext(answered({ order_id: 'O-1', charged_amount: 100, currency: 'CNY' }))
  const done = await performAction(test.broker, alice.ask('order_and_pay', order(100)))
  if (done.kind !== 'done') throw new Error(done.kind)
  actionId = done.view.row.id
})
afterEach(() => test.close())

const undo = (userId = alice.userId) => undoAction(test.broker, { userId, actionId })

describe('undoAction', () => {
  it('asks the skill by the recorded execution alone, and logs the call before it goes out', async () => {
    test.skill.replyNext(UNDONE)
    expect(await undo()).toMatchObject({ kind: 'asked', outcome: 'undone' })
    expect(test.skill.bodies().at(-1)).toEqual({ execution_id: actionId })
    const leaves = (await test.leaves()).filter(({ type }) => type === 'clean_up')
    expect(leaves.map(({ outcome }) => outcome)).toEqual(['undo_asked', 'called', 'undo_undone'])
  })

  it.each([
    ['the skill refuses', answered({ error: { code: 'too_late' } }, 409)],
    ['nothing comes back', broken('timed_out')],
    ['nothing was sent', notSent()],
  ])('claims nothing when %s', async (_, reply) => {
    test.skill.replyNext(reply)
    expect(await undo()).not.toMatchObject({ outcome: 'undone' })
  })

  it('works after the grant was revoked, and restores no budget', async () => {
    await test.broker.store.transaction(async (tx) => {
      const grant = await tx.grants.find(alice.grant.id)
      if (grant) await tx.grants.update({ ...grant, status: 'revoked' })
    })
    test.skill.replyNext(UNDONE)
    expect(await undo()).toMatchObject({ outcome: 'undone' })
    const [counter] = await test.broker.store.read(async (tx) => tx.counters.list(alice.userId))
    expect(counter).toMatchObject({ held: 0, captured: 100 })
  })

  it.each([
    ['just in time', WINDOW_MS, 'asked'],
    ['just too late', WINDOW_MS + 1, 'not_undoable'],
  ])('%s', async (_, afterMs, kind) => {
    test.clock.advance(afterMs)
    test.skill.replyNext(UNDONE)
    expect((await undo()).kind).toBe(kind)
  })

  it("says nothing about another user's action", async () => {
    expect(await undo('usr_mallory')).toEqual({ kind: 'not_found' })
    expect(test.skill.calls).toHaveLength(1)
  })

  it('has nothing to undo where nothing was done', async () => {
    test.skill.replyNext(notSent())
    const failed = await performAction(test.broker, alice.ask('order_and_pay', order(100)))
    if (failed.kind !== 'done') throw new Error(failed.kind)
    actionId = failed.view.row.id
    expect(await undo()).toEqual({ kind: 'not_undoable' })
  })
})
