import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { approveAction, refuseAction } from '../../src/broker/answer-approval.ts'
import { authorizeAction } from '../../src/broker/authorize-action.ts'
import { performAction } from '../../src/broker/perform-action.ts'
import { saveRecipient } from '../../src/broker/save-recipient.ts'
import { listApprovals, showApproval } from '../../src/broker/show-approval.ts'
import type { JsonValue } from '../../src/core/json-value.ts'
import { answered } from '../support/fake-skill.ts'
import { type Granted, grantAll, order, SECRET } from '../support/granted-agent.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { createTestBroker, registerSkill, type TestBroker } from '../support/test-broker.ts'

const COFFEE = sampleManifest('coffee.order')
const ASK_FIRST = { askFirst: [{ kind: 'above_amount' as const, currency: 'CNY', amountMinor: 1000 }] }

let test: TestBroker
let alice: Granted

beforeEach(async () => {
  test = await createTestBroker()
  test.secrets.set('coffee.order /payment_token', SECRET)
  test.skill.replyAlways(answered({ order_id: 'O-1', charged_amount: 1690, currency: 'CNY' }))
  alice = await grantAll(test.broker, COFFEE, ASK_FIRST)
})
afterEach(() => test.close())

async function askPerson(args: JsonValue = order(2000), key?: string) {
  const request = alice.ask('order_and_pay', args, key)
  const asked = await authorizeAction(test.broker, request)
  if (asked.kind !== 'ask') throw new Error(asked.kind)
  return { request, approval: asked.approval, which: { userId: alice.userId, approvalId: asked.approval.id } }
}

const approvalLeaves = async () => (await test.leaves()).filter(({ type }) => type === 'approval')

describe('a yes to one exact action (P8)', () => {
  it('lets the agent’s repeated call through, once', async () => {
    const { request, which } = await askPerson()
    expect(await approveAction(test.broker, which)).toMatchObject({ kind: 'approved', isNew: true })
    expect(test.skill.calls).toHaveLength(0)
    expect((await performAction(test.broker, request)).kind).toBe('done')
    expect(test.skill.calls).toHaveLength(1)

    // The same words under another key are another action.
    const again = await authorizeAction(test.broker, { ...request, idempotencyKey: 'another-key' })
    expect(again.kind).toBe('ask')
    expect(await approveAction(test.broker, which)).toEqual({ kind: 'already_answered', state: 'used' })
  })

  it('covers no other amount, argument or manifest', async () => {
    const { which } = await askPerson(order(2000), 'first-key')
    await approveAction(test.broker, which)
    const other = await authorizeAction(test.broker, alice.ask('order_and_pay', order(2001), 'other-key'))
    expect(other.kind).toBe('ask')
    const conflict = await authorizeAction(test.broker, alice.ask('order_and_pay', order(2001), 'first-key'))
    expect(conflict).toEqual({ kind: 'key_conflict' })
    await registerSkill(test.broker, sampleManifest('coffee.order', ['/version', 2]))
    const moved = await authorizeAction(test.broker, alice.ask('order_and_pay', order(2000), 'first-key'))
    expect(moved.kind).toBe('ask')
  })

  it('is not for another user to give, and an unknown id gets the same answer', async () => {
    const { which } = await askPerson()
    for (const approvalId of [which.approvalId, test.broker.newId('approval')]) {
      const theirs = { userId: 'usr_mallory', approvalId }
      expect(await approveAction(test.broker, theirs)).toEqual({ kind: 'not_found' })
      expect(await refuseAction(test.broker, theirs)).toEqual({ kind: 'not_found' })
      expect(await showApproval(test.broker, theirs)).toEqual({ kind: 'not_found' })
    }
    // An agent is nobody's user: its id in the place of one finds nothing.
    expect(await approveAction(test.broker, { ...which, userId: alice.agent.id })).toEqual({
      kind: 'not_found',
    })
    expect(await approvalLeaves()).toEqual([])
  })

  it('comes too late at the instant of expiry, and is used up by time as well', async () => {
    const late = await askPerson(order(2000), 'late-key')
    const early = await askPerson(order(3000), 'early-key')
    test.clock.advance(test.broker.settings.approvalWithinMs - 1)
    expect((await approveAction(test.broker, early.which)).kind).toBe('approved')
    test.clock.advance(1)
    expect(await approveAction(test.broker, late.which)).toEqual({ kind: 'expired' })
    expect(await refuseAction(test.broker, late.which)).toEqual({ kind: 'expired' })
    expect((await authorizeAction(test.broker, early.request)).kind).not.toBe('permit')
    expect(await approvalLeaves()).toHaveLength(1)
  })

  it('is one answer when it is given twice, at once or later, with one leaf', async () => {
    const { which } = await askPerson()
    const outcomes = await Promise.all([
      approveAction(test.broker, which),
      approveAction(test.broker, which),
      approveAction(test.broker, which),
    ])
    expect(outcomes.map(({ kind }) => kind)).toEqual(['approved', 'approved', 'approved'])
    expect(outcomes.filter((one) => one.kind === 'approved' && one.isNew)).toHaveLength(1)
    expect(await approveAction(test.broker, which)).toMatchObject({ kind: 'approved', isNew: false })
    expect(await approvalLeaves()).toHaveLength(1)
  })

  it('and a no at the same moment: exactly one of them counts', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { which } = await askPerson(order(2000 + round), `race-key-${round}`)
      const answers = [approveAction(test.broker, which), refuseAction(test.broker, which)]
      const kinds = (await Promise.all(round % 2 ? answers.reverse() : answers)).map(({ kind }) => kind)
      expect(kinds.filter((kind) => kind === 'already_answered')).toHaveLength(1)
      const view = await showApproval(test.broker, which)
      const state = view.kind === 'found' ? view.approval.state : ''
      expect(kinds).toContain(state)
      expect(await approvalLeaves()).toHaveLength(round + 1)
      // Cooling down would end the rounds: the next one asks about something later.
      test.clock.advance(test.broker.settings.coolDownMs + 1)
    }
  })

  it('does not turn a no into a yes', async () => {
    const { request, which } = await askPerson()
    expect(await refuseAction(test.broker, which)).toMatchObject({ kind: 'refused', isNew: true })
    expect(await approveAction(test.broker, which)).toEqual({ kind: 'already_answered', state: 'refused' })
    expect(await refuseAction(test.broker, which)).toMatchObject({ kind: 'refused', isNew: false })
    expect(await authorizeAction(test.broker, request)).toMatchObject({
      kind: 'denied',
      refusal: { code: 'approval_refused' },
    })
    expect(await approvalLeaves()).toHaveLength(1)
  })

  it('is logged with the digest of what was shown and of what it covers', async () => {
    const { approval, which } = await askPerson()
    const view = await showApproval(test.broker, which)
    const digest = view.kind === 'found' ? view.approval.shown?.digest : ''
    await approveAction(test.broker, { ...which, shownDigest: digest })
    const leaf = await test.lastLeaf('approval')
    expect(await test.openPart(leaf.eventId, 'body')).toEqual({ covers: approval.digest, shown: digest })
    expect(await test.openPart(leaf.eventId, 'core')).toMatchObject({ amount: 2000, currency: 'CNY' })
  })

  it('is bound to what was shown when it names its digest', async () => {
    const { which } = await askPerson()
    expect(await approveAction(test.broker, { ...which, shownDigest: 'something else' })).toEqual({
      kind: 'shown_differs',
    })
    expect((await approveAction(test.broker, which)).kind).toBe('approved')
  })

  it('cannot be given to what can no longer be opened; a no can', async () => {
    const { approval, which } = await askPerson()
    const cells = await test.broker.store.read(async (tx) => {
      const row = await tx.actions.find(approval.actionId)
      return tx.log.parts(row?.eventId ?? '')
    })
    await test.broker.cells.destroy(cells.map(({ cellId }) => cellId))
    expect(await showApproval(test.broker, which)).toMatchObject({ kind: 'found', approval: { shown: null } })
    expect(await approveAction(test.broker, which)).toEqual({ kind: 'cannot_be_shown' })
    expect((await refuseAction(test.broker, which)).kind).toBe('refused')
  })

  it('cannot be given to a question that covers something else than what can be shown', async () => {
    const { approval, which } = await askPerson()
    const other = await askPerson(order(9000))
    await test.broker.store.transaction(async (tx) =>
      tx.approvals.setPreview(approval.id, approval.actionId, 'no digest', other.approval.digest),
    )
    expect(await approveAction(test.broker, which)).toEqual({ kind: 'cannot_be_shown' })
    expect(await approvalLeaves()).toEqual([])
  })

  it('cannot be given to a question about a manifest that was replaced while it waited', async () => {
    const { request, which } = await askPerson()
    await registerSkill(test.broker, sampleManifest('coffee.order', ['/version', 2]))
    const again = await authorizeAction(test.broker, request)
    if (again.kind !== 'ask') throw new Error(again.kind)
    expect(again.approval.id).not.toBe(which.approvalId)
    expect(await approveAction(test.broker, which)).toMatchObject({ kind: 'already_answered' })
    expect((await approveAction(test.broker, { ...which, approvalId: again.approval.id })).kind).toBe(
      'approved',
    )
  })
})

describe('looking at an approval', () => {
  it('shows every argument, the amount and why the user is asked, and answers nothing', async () => {
    const { which, request } = await askPerson()
    const view = await showApproval(test.broker, which)
    if (view.kind !== 'found' || !view.approval.shown) throw new Error('not shown')
    const { shown } = view.approval
    expect(shown.arguments).toEqual(request.arguments)
    expect(shown.amount).toEqual({ minor: 2000, currency: 'CNY' })
    expect(shown.en.arguments.map(({ pointer }) => pointer).sort()).toEqual([
      '/currency',
      '/pickup',
      '/quote_id',
      '/store_id',
      '/total_amount',
    ])
    expect(view.approval.questions).toEqual(['above_amount'])
    expect(shown.zh.sentences.length).toBe(shown.en.sentences.length)
    expect((await authorizeAction(test.broker, request)).kind).toBe('ask')
  })

  it('shows the preview that the skill gave, and a yes then covers it', async () => {
    const quote = {
      store_id: 'LK-0571-022',
      items: [{ sku: 'latte-large', quantity: 1 }],
      total_amount: 2000,
      currency: 'CNY',
    }
    test.skill.replyNext(answered(quote))
    const request = alice.ask('order_and_pay', order(2000))
    const asked = await performAction(test.broker, request)
    expect(asked.kind).toBe('ask')
    const [summary] = await listApprovals(test.broker, {
      userId: alice.userId,
      status: 'waiting',
      page: { limit: 9, before: null },
    })
    const which = { userId: alice.userId, approvalId: summary?.approvalId ?? '' }
    const view = await showApproval(test.broker, which)
    if (view.kind !== 'found' || !view.approval.shown) throw new Error('not shown')
    expect(view.approval.shown.en.preview.map(({ pointer, value }) => [pointer, value])).toContainEqual([
      '/items/0/sku',
      expect.stringContaining('latte-large'),
    ])
    expect((await approveAction(test.broker, which)).kind).toBe('approved')
    expect((await performAction(test.broker, request)).kind).toBe('done')
  })

  it('resolves recipients with the user’s own label, and says which are new', async () => {
    const paying = await grantAll(
      test.broker,
      sampleManifest('pay.transfer'),
      { askFirst: [{ kind: 'always' }] },
      { userId: alice.userId, agent: alice.agent },
    )
    await saveRecipient(test.broker, { userId: alice.userId, label: 'Mum', value: 'P-100' })
    const asked = await authorizeAction(
      test.broker,
      paying.ask('transfer', { payee_id: 'P-100', amount: '1.00', currency: 'CNY' }),
    )
    if (asked.kind !== 'ask') throw new Error(JSON.stringify(asked))
    const view = await showApproval(test.broker, { userId: alice.userId, approvalId: asked.approval.id })
    expect(view.kind === 'found' && view.approval.shown?.recipients).toEqual([
      { value: 'P-100', label: 'Mum', isNew: true },
    ])
  })

  it('lists by status in pages, to its user only', async () => {
    const first = await askPerson(order(2000))
    test.clock.advance(1)
    const second = await askPerson(order(3000))
    const list = (userId: string, limit = 9, before: { atMs: number; id: string } | null = null) =>
      listApprovals(test.broker, { userId, status: 'waiting', page: { limit, before } })
    const [newest] = await list(alice.userId, 1)
    expect(newest?.approvalId).toBe(second.approval.id)
    const rest = await list(alice.userId, 9, { atMs: newest?.createdAtMs ?? 0, id: newest?.approvalId ?? '' })
    expect(rest.map(({ approvalId }) => approvalId)).toEqual([first.approval.id])
    expect(await list('usr_mallory')).toEqual([])
  })
})
