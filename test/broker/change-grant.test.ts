import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { narrowGrant, pauseGrant, renewGrant, resumeGrant } from '../../src/broker/change-grant.ts'
import { listGrants } from '../../src/broker/list-grants.ts'
import { performAction } from '../../src/broker/perform-action.ts'
import { revokeAuthority } from '../../src/broker/revoke-authority.ts'
import { showGrant } from '../../src/broker/show-grant.ts'
import { DAY_MS, GRANT_DAYS_MOST } from '../../src/core/grant/grant-state.ts'
import type { GrantTerms } from '../../src/core/grant/terms.ts'
import type { AgentRow, GrantRow } from '../../src/ports/rows.ts'
import { connectAgent, giveConsent } from '../support/connected-agent.ts'
import { answered } from '../support/fake-skill.ts'
import { order, SECRET } from '../support/granted-agent.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { createTestBroker, registerSkill, type TestBroker } from '../support/test-broker.ts'

let test: TestBroker
let agent: AgentRow
let grant: GrantRow
let terms: GrantTerms
let own: { userId: string; grantId: string }
let keys = 0

beforeEach(async () => {
  test = await createTestBroker()
  test.secrets.set('coffee.order /payment_token', SECRET)
  test.skill.replyAlways(answered({ order_id: 'O-1', charged_amount: 1690, currency: 'CNY' }))
  await registerSkill(test.broker, sampleManifest('coffee.order'))
  agent = await connectAgent(test.broker, 'usr_a')
  grant = await giveConsent(test.broker, agent)
  terms = JSON.parse(grant.terms)
  own = { userId: 'usr_a', grantId: grant.id }
})
afterEach(() => test.close())

async function decideOrder(totalMinor = 2000): Promise<string> {
  keys += 1
  const done = await performAction(test.broker, {
    userId: 'usr_a',
    agentId: agent.id,
    sessionId: 'ses_1',
    skill: 'coffee.order',
    action: 'order_and_pay',
    arguments: order(totalMinor),
    deploymentId: JSON.parse(agent.deployments)[0].id,
    idempotencyKey: `change-${keys}`,
  })
  return done.kind === 'denied' ? done.refusal.code : done.kind
}

describe('changing a grant', () => {
  it('stops the next decision when paused and lets it pass when resumed', async () => {
    expect(await pauseGrant(test.broker, own)).toMatchObject({ kind: 'changed', grant: { status: 'paused' } })
    expect(await decideOrder()).toBe('consent_required')
    expect(await resumeGrant(test.broker, own)).toMatchObject({
      kind: 'changed',
      grant: { status: 'active' },
    })
    expect(await decideOrder()).toBe('done')
    expect(
      (await test.leaves()).filter(({ type }) => type === 'grant').map(({ outcome }) => outcome),
    ).toEqual(['paused', 'resumed'])
  })

  it('writes nothing when a grant is paused twice or resumed while active', async () => {
    expect(await resumeGrant(test.broker, own)).toMatchObject({ kind: 'changed', isNew: false })
    await pauseGrant(test.broker, own)
    const leaves = (await test.leaves()).length
    expect(await pauseGrant(test.broker, own)).toMatchObject({ kind: 'changed', isNew: false })
    expect((await test.leaves()).length).toBe(leaves)
  })

  it('narrows at once, and refuses what is not proven narrower', async () => {
    const budgets = terms.budgets.map((budget) => ({ ...budget, limit: 1999 }))
    expect(await narrowGrant(test.broker, { ...own, terms: { ...terms, budgets } })).toMatchObject({
      kind: 'changed',
      grant: { revision: 2 },
    })
    expect(await decideOrder()).toBe('budget_exceeded')
    const back = await narrowGrant(test.broker, { ...own, terms })
    expect(back.kind === 'not_narrower' && back.faults.map(({ code }) => code)).toEqual(['budget_raised'])
  })

  it('forgets the yes to an action that was struck out', async () => {
    const actions = terms.actions.filter(({ name }) => name === 'get_menu')
    const narrowed = await narrowGrant(test.broker, { ...own, terms: { ...terms, actions } })
    expect(narrowed.kind === 'changed' && Object.keys(JSON.parse(narrowed.grant.consented))).toEqual([
      'get_menu',
    ])
    expect(await decideOrder()).toBe('consent_required')
  })

  it('renews an expired grant to a later day, no later than the longest', async () => {
    test.clock.advance(terms.expiresAtMs - test.clock.nowMs())
    expect(await decideOrder()).toBe('consent_required')
    const nowMs = test.clock.nowMs()
    const most = nowMs + GRANT_DAYS_MOST * DAY_MS
    expect(await renewGrant(test.broker, { ...own, expiresAtMs: nowMs })).toMatchObject({
      code: 'expiry_passed',
    })
    expect(await renewGrant(test.broker, { ...own, expiresAtMs: most + 1 })).toMatchObject({
      code: 'expiry_too_far',
    })
    const renewed = await renewGrant(test.broker, { ...own, expiresAtMs: most })
    expect(renewed).toMatchObject({ kind: 'changed', grant: { status: 'active', expiresAtMs: most } })
    expect(await decideOrder()).toBe('done')
  })

  it.each([
    ['paused', () => pauseGrant(test.broker, own), 'not_possible'],
    ['resumed', () => resumeGrant(test.broker, own), 'not_possible'],
    ['narrowed', () => narrowGrant(test.broker, { ...own, terms }), 'not_possible'],
    [
      'renewed',
      () => renewGrant(test.broker, { ...own, expiresAtMs: terms.expiresAtMs + 1 }),
      'not_renewable',
    ],
  ])('is never %s after it was revoked', async (_, change, kind) => {
    await revokeAuthority(
      test.broker,
      { userId: 'usr_a', scope: { kind: 'grant', id: grant.id } },
      async () => [],
    )
    expect((await change()).kind).toBe(kind)
    expect(await decideOrder()).toBe('consent_required')
  })

  it('is for its user alone; an unknown grant gets the same answer', async () => {
    for (const which of [
      { ...own, userId: 'usr_b' },
      { ...own, grantId: test.broker.newId('grant') },
    ]) {
      for (const outcome of [
        await pauseGrant(test.broker, which),
        await resumeGrant(test.broker, which),
        await narrowGrant(test.broker, { ...which, terms }),
        await renewGrant(test.broker, { ...which, expiresAtMs: terms.expiresAtMs + 1 }),
        await showGrant(test.broker, which),
      ]) {
        expect(outcome).toEqual({ kind: 'not_found' })
      }
    }
    expect(await listGrants(test.broker, { userId: 'usr_b', page: { limit: 9, before: null } })).toEqual([])
  })
})

describe('showing a grant', () => {
  it('says what each budget holds now, across the end of its window', async () => {
    expect(await decideOrder()).toBe('done')
    const used = async () => {
      const view = await showGrant(test.broker, own)
      return view.kind === 'found' ? view.grant.usage.map((usage) => usage.used) : []
    }
    expect(await used()).toEqual([{ held: 0, captured: 1690, left: 8310 }])
    test.clock.advance(DAY_MS)
    expect(await used()).toEqual([{ held: 0, captured: 0, left: 10_000 }])
  })

  it('counts what went before a budget was first used', async () => {
    const view = await showGrant(test.broker, own)
    expect(view.kind === 'found' && view.grant.usage).toEqual([
      { owner: 'grant', budget: terms.budgets[0], used: { held: 0, captured: 0, left: 10_000 } },
    ])
  })

  it('tells the state as of now, expiry included, in sentences of both languages', async () => {
    test.clock.advance(terms.expiresAtMs - test.clock.nowMs())
    const view = await showGrant(test.broker, own)
    expect(view).toMatchObject({ kind: 'found', grant: { state: 'expired', agentName: 'Errand runner' } })
    expect(view.kind === 'found' && view.grant.shown.zh.questions.length).toBe(6)
    const list = await listGrants(test.broker, { userId: 'usr_a', page: { limit: 9, before: null } })
    expect(list.map(({ state }) => state)).toEqual(['expired'])
  })
})
