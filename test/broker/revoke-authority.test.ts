import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { approveAction } from '../../src/broker/answer-approval.ts'
import { approveConsent } from '../../src/broker/answer-consent.ts'
import { authorizeAction } from '../../src/broker/authorize-action.ts'
import { type CancelReport, cancelInFlight } from '../../src/broker/cancel-in-flight.ts'
import { listGrants } from '../../src/broker/list-grants.ts'
import { performAction } from '../../src/broker/perform-action.ts'
import { requestConsent } from '../../src/broker/request-consent.ts'
import { revokeAuthority } from '../../src/broker/revoke-authority.ts'
import type { RevokeScope } from '../../src/broker/revoke-in-scope.ts'
import type { AgentRow } from '../../src/ports/rows.ts'
import { COFFEE_WISH, connectAgent, giveConsent } from '../support/connected-agent.ts'
import { answered, broken } from '../support/fake-skill.ts'
import { type Granted, grantAll, order, SECRET } from '../support/granted-agent.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { createTestBroker, insertAgent, registerSkill, type TestBroker } from '../support/test-broker.ts'

const COFFEE = sampleManifest('coffee.order')
const NOTHING_TO_CANCEL = async () => []

let test: TestBroker
let alice: Granted

beforeEach(async () => {
  test = await createTestBroker()
  test.secrets.set('coffee.order /payment_token', SECRET)
  alice = await grantAll(test.broker, COFFEE)
})
afterEach(() => test.close())

async function revoke(scope: RevokeScope, userId = alice.userId) {
  const done = await revokeAuthority(test.broker, { userId, scope }, NOTHING_TO_CANCEL)
  if (done.kind !== 'revoked') throw new Error(done.kind)
  return done.revocation
}

const permitted = async (key?: string) =>
  (await authorizeAction(test.broker, alice.ask('order_and_pay', order(100), key))).kind === 'permit'

const scopes = (): [string, RevokeScope][] => [
  ['its grant', { kind: 'grant', id: alice.grant.id }],
  ['its agent', { kind: 'agent', id: alice.agent.id }],
  ['its skill', { kind: 'skill', id: 'coffee.order' }],
  ['everything', { kind: 'everything' }],
]

describe('taking authority back (P3)', () => {
  it('ends the next decision, whichever scope covers it', async () => {
    for (const index of [0, 1, 2, 3]) {
      alice = await grantAll(test.broker, COFFEE)
      const [name, scope] = scopes()[index] ?? ['', { kind: 'everything' }]
      expect(await permitted(), name).toBe(true)
      expect((await revoke(scope)).grants, name).toEqual([alice.grant.id])
      expect(await permitted(), name).toBe(false)
    }
  })

  it('reaches nothing outside its scope', async () => {
    const other = await insertAgent(test.broker, {
      userId: alice.userId,
      deployments: alice.agent.deployments,
    })
    const theirs = await grantAll(test.broker, COFFEE, {}, { userId: alice.userId, agent: other })
    const paying = await grantAll(
      test.broker,
      sampleManifest('pay.transfer'),
      {},
      { userId: alice.userId, agent: alice.agent },
    )
    const bob = await grantAll(test.broker, COFFEE)
    expect((await revoke({ kind: 'grant', id: alice.grant.id })).grants).toEqual([alice.grant.id])
    expect((await revoke({ kind: 'agent', id: other.id })).grants).toEqual([theirs.grant.id])
    expect((await revoke({ kind: 'skill', id: 'coffee.order' })).grants).toEqual([])
    expect((await revoke({ kind: 'everything' })).grants).toEqual([paying.grant.id])
    const left = await listGrants(test.broker, { userId: bob.userId, page: { limit: 9, before: null } })
    expect(left.map(({ state }) => state)).toEqual(['active'])
  })

  it('permits nothing that is decided after it was acknowledged, however the two race', async () => {
    const order100 = (key: string) =>
      authorizeAction(test.broker, alice.ask('order_and_pay', order(100), key))
    const before = Array.from({ length: 10 }, (_, i) => order100(`before-${i}`))
    let acknowledged = false
    const revoking = revoke({ kind: 'everything' }).then((revocation) => {
      acknowledged = true
      return revocation
    })
    const racing = Array.from({ length: 10 }, (_, i) => order100(`racing-${i}`))
    const revocation = await revoking
    expect(acknowledged).toBe(true)
    const after = await Promise.all(Array.from({ length: 10 }, (_, i) => order100(`after-${i}`)))
    expect(after.filter(({ kind }) => kind === 'permit')).toEqual([])

    // Whatever slipped through before the revocation stands in its answer, all of it and nothing else.
    const decided = await Promise.all([...before, ...racing])
    const ids = decided.flatMap((one) => (one.kind === 'permit' ? [one.permit.row.id] : []))
    expect(revocation.unsettled.map(({ actionId }) => actionId).sort()).toEqual(ids.sort())
  })

  it('lists every permit that is not settled with what it holds, and none that is', async () => {
    test.skill.replyNext(answered({ order_id: 'O-1', charged_amount: 100, currency: 'CNY' }))
    await performAction(test.broker, alice.ask('order_and_pay', order(100)))
    test.skill.replyNext(broken('timed_out'))
    await performAction(test.broker, alice.ask('order_and_pay', order(2000)))
    const dispatched = await authorizeAction(test.broker, alice.ask('order_and_pay', order(300)))
    const revocation = await revoke({ kind: 'grant', id: alice.grant.id })
    expect(revocation.unsettled.map(({ status, heldMinor }) => [status, heldMinor])).toEqual([
      ['in_doubt', 2000],
      ['dispatched', 300],
    ])
    expect(dispatched.kind).toBe('permit')
    // Again: nothing is left to revoke, and what is out there still is.
    const again = await revoke({ kind: 'grant', id: alice.grant.id })
    expect(again).toMatchObject({ grants: [], unsettled: revocation.unsettled })
  })

  it('cancels what is in flight, only after the revocation is durable', async () => {
    test.skill.replyNext(broken('timed_out'))
    await performAction(test.broker, alice.ask('order_and_pay', order(2000)))
    let statusAtCancel: string | undefined
    let leavesAtCancel: string[] = []
    const done = await revokeAuthority(
      test.broker,
      { userId: alice.userId, scope: { kind: 'agent', id: alice.agent.id } },
      async (actionIds): Promise<CancelReport[]> => {
        const row = await test.broker.store.read(async (tx) => tx.grants.find(alice.grant.id))
        statusAtCancel = row?.status
        leavesAtCancel = (await test.leaves()).map(({ outcome }) => outcome)
        return actionIds.map((actionId) => ({ actionId, outcome: 'cancelled' }))
      },
    )
    expect(statusAtCancel).toBe('revoked')
    expect(leavesAtCancel).toContain('revoked')
    expect(done).toMatchObject({ kind: 'revoked', cancelled: [{ outcome: 'cancelled' }] })
  })

  it('sends the cancel action to the skill although the authority is gone', async () => {
    test.skill.replyNext(broken('timed_out'))
    await performAction(test.broker, alice.ask('order_and_pay', order(2000)))
    test.skill.replyAlways(answered({ code: 'too_late' }, 409))
    const done = await revokeAuthority(
      test.broker,
      { userId: alice.userId, scope: { kind: 'everything' } },
      (ids) => cancelInFlight(test.broker, ids),
    )
    expect(test.skill.calls.at(-1)?.endpoint).toMatch(/cancel/)
    expect(done.kind === 'revoked' && done.cancelled).toHaveLength(1)
  })

  it('takes open questions from the table, and a yes that nobody used yet', async () => {
    const asking = await grantAll(
      test.broker,
      COFFEE,
      { askFirst: [{ kind: 'always', actions: ['order_and_pay'] }] },
      { userId: alice.userId, agent: alice.agent },
    )
    await revoke({ kind: 'grant', id: alice.grant.id })
    const asked = asking.ask('order_and_pay', order(100), 'wait-for-me')
    const question = await authorizeAction(test.broker, asked)
    if (question.kind !== 'ask') throw new Error(question.kind)
    const approvalId = question.approval.id
    await approveAction(test.broker, { userId: alice.userId, approvalId })

    expect((await revoke({ kind: 'grant', id: asking.grant.id })).approvals).toEqual([approvalId])
    // A new grant does not bring the old yes back.
    await grantAll(
      test.broker,
      COFFEE,
      { askFirst: [{ kind: 'always', actions: ['order_and_pay'] }] },
      { userId: alice.userId, agent: alice.agent },
    )
    const again = await authorizeAction(test.broker, { ...asked, idempotencyKey: 'again-please' })
    expect(again.kind).toBe('ask')
    expect((await authorizeAction(test.broker, asked)).kind).not.toBe('permit')
    expect(await approveAction(test.broker, { userId: alice.userId, approvalId })).toMatchObject({
      kind: 'already_answered',
      state: 'withdrawn',
    })
  })

  it('refuses consent requests in its scope, so that a late yes gives nothing', async () => {
    const agent = await connectAgent(test.broker, alice.userId)
    const asked = await requestConsent(test.broker, {
      ...COFFEE_WISH,
      userId: alice.userId,
      agentId: agent.id,
    })
    if (asked.kind !== 'pending') throw new Error(asked.kind)
    expect((await revoke({ kind: 'skill', id: 'coffee.order' })).consentRequests).toEqual([asked.request.id])
    expect(
      await approveConsent(test.broker, { userId: alice.userId, requestId: asked.request.id }),
    ).toMatchObject({ kind: 'already_answered', state: 'refused' })
  })

  it('starts no counter anew: what was spent before counts under the next grant', async () => {
    const agent: AgentRow = await connectAgent(test.broker, alice.userId)
    const first = await giveConsent(test.broker, agent)
    const ask = (key: string, totalMinor: number) =>
      authorizeAction(test.broker, {
        ...alice.ask('order_and_pay', order(totalMinor), key),
        agentId: agent.id,
        deploymentId: JSON.parse(agent.deployments)[0].id,
      })
    expect((await ask('first-key', 5000)).kind).toBe('permit')
    expect((await ask('second-key', 4000)).kind).toBe('permit')
    await revoke({ kind: 'grant', id: first.id })
    const next = await connectAgent(test.broker, alice.userId, { replaces: agent.id })
    await giveConsent(test.broker, next)
    const refused = await authorizeAction(test.broker, {
      ...alice.ask('order_and_pay', order(1001), 'third-key'),
      agentId: next.id,
      deploymentId: JSON.parse(next.deployments)[0].id,
    })
    expect(refused).toMatchObject({ kind: 'denied', refusal: { code: 'budget_exceeded' } })
  })

  it('is one leaf, with who and what in its sealed parts', async () => {
    const count = (await test.leaves()).length
    await revoke({ kind: 'skill', id: 'coffee.order' })
    expect((await test.leaves()).length).toBe(count + 1)
    const leaf = await test.lastLeaf('grant')
    expect(leaf).toMatchObject({ outcome: 'revoked', reason: 'skill', parts: ['core', 'subj'] })
    expect(await test.openPart(leaf.eventId, 'subj')).toMatchObject({
      user: alice.userId,
      grants: [alice.grant.id],
    })
  })

  it('finds nothing of another user’s, and writes nothing then', async () => {
    const count = (await test.leaves()).length
    for (const scope of [
      { kind: 'grant', id: alice.grant.id },
      { kind: 'grant', id: test.broker.newId('grant') },
      { kind: 'agent', id: alice.agent.id },
      { kind: 'agent', id: test.broker.newId('agent') },
      { kind: 'skill', id: 'no.such' },
    ] as const) {
      const input = { userId: 'usr_mallory', scope }
      expect(await revokeAuthority(test.broker, input, NOTHING_TO_CANCEL)).toEqual({ kind: 'not_found' })
    }
    expect((await revoke({ kind: 'everything' }, 'usr_mallory')).grants).toEqual([])
    expect((await test.leaves()).length).toBe(count + 1)
    expect(await permitted()).toBe(true)
  })

  it('ends an expired grant too, so that it can never be renewed', async () => {
    test.clock.advance(alice.grant.expiresAtMs - test.clock.nowMs())
    expect((await revoke({ kind: 'everything' })).grants).toEqual([alice.grant.id])
  })

  it('lists what a skill goes on doing by itself', async () => {
    await registerSkill(test.broker, COFFEE)
    const permit = await authorizeAction(test.broker, alice.ask('order_and_pay', order(100)))
    if (permit.kind !== 'permit') throw new Error(permit.kind)
    const actionId = permit.permit.row.id
    await test.broker.store.transaction(async (tx) =>
      tx.commitments.insert({
        actionId,
        userId: alice.userId,
        skillId: 'coffee.order',
        grantId: alice.grant.id,
        times: 12,
        status: 'running',
        createdAtMs: tx.nowMs,
      }),
    )
    for (const [name, scope] of scopes()) {
      expect((await revoke(scope)).commitments, name).toEqual([
        { actionId, skillId: 'coffee.order', grantId: alice.grant.id, times: 12 },
      ])
    }
    expect((await revoke({ kind: 'everything' }, 'usr_mallory')).commitments).toEqual([])
  })
})
