import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { approveConsent } from '../../src/broker/answer-consent.ts'
import { narrowGrant, pauseGrant } from '../../src/broker/change-grant.ts'
import { performAction } from '../../src/broker/perform-action.ts'
import { type ConsentRequested, requestConsent } from '../../src/broker/request-consent.ts'
import { showConsentRequest } from '../../src/broker/show-consent-request.ts'
import { showGrant } from '../../src/broker/show-grant.ts'
import type { GrantTerms } from '../../src/core/grant/terms.ts'
import type { AgentRow, GrantRow } from '../../src/ports/rows.ts'
import { COFFEE_WISH, connectAgent, giveConsent } from '../support/connected-agent.ts'
import { answered } from '../support/fake-skill.ts'
import { order, SECRET } from '../support/granted-agent.ts'
import { actionAt, sampleManifest } from '../support/sample-manifest.ts'
import { createTestBroker, registerSkill, type TestBroker } from '../support/test-broker.ts'

const PAY = actionAt('coffee.order', 'order_and_pay')
/** A version that may cost more, and asks nothing new of the other actions. */
const DEARER = () => sampleManifest('coffee.order', ['/version', 2], [`${PAY}/spends/most/CNY`, 60_000])

let test: TestBroker
let agent: AgentRow
let grant: GrantRow
let keys = 0

beforeEach(async () => {
  test = await createTestBroker()
  test.secrets.set('coffee.order /payment_token', SECRET)
  test.skill.replyAlways(answered({ order_id: 'O-1', charged_amount: 100, currency: 'CNY' }))
  await registerSkill(test.broker, sampleManifest('coffee.order'))
  agent = await connectAgent(test.broker, 'usr_a')
  grant = await giveConsent(test.broker, agent)
})
afterEach(() => test.close())

/** What the decision says to an order now: `done`, or the reason code of a refusal. */
async function decideOrder(): Promise<string> {
  keys += 1
  const done = await performAction(test.broker, {
    userId: 'usr_a',
    agentId: agent.id,
    sessionId: 'ses_1',
    skill: 'coffee.order',
    action: 'order_and_pay',
    arguments: order(100),
    deploymentId: JSON.parse(agent.deployments)[0].id,
    idempotencyKey: `order-${keys}`,
  })
  return done.kind === 'denied' ? done.refusal.code : done.kind
}

function askRenewal(change: object = {}): Promise<ConsentRequested> {
  return requestConsent(test.broker, {
    skill: 'coffee.order',
    renewsGrantId: grant.id,
    userId: 'usr_a',
    agentId: agent.id,
    ...change,
  })
}

async function pendingRenewal() {
  const asked = await askRenewal()
  if (asked.kind !== 'pending') throw new Error(JSON.stringify(asked))
  return asked.request
}

describe('a grant that a new manifest has outdated in part (P10)', () => {
  it('permits the action again only after a yes to the difference, under the same grant', async () => {
    expect(await decideOrder()).toBe('done')
    const digest = await registerSkill(test.broker, DEARER())
    expect(await decideOrder()).toBe('consent_outdated')

    const request = await pendingRenewal()
    expect(await decideOrder()).toBe('consent_outdated')
    const approved = await approveConsent(test.broker, { userId: 'usr_a', requestId: request.id })
    expect(approved).toMatchObject({ kind: 'approved', replaced: [], grant: { id: grant.id, revision: 2 } })
    expect(approved.kind === 'approved' && JSON.parse(approved.grant.consented)).toEqual({
      get_menu: digest,
      order_and_pay: digest,
    })
    expect(await decideOrder()).toBe('done')
  })

  it('shows the user exactly what changed, in both languages', async () => {
    await registerSkill(test.broker, DEARER())
    const request = await pendingRenewal()
    const view = await showConsentRequest(test.broker, { userId: 'usr_a', requestId: request.id })
    if (view.kind !== 'found') throw new Error(view.kind)
    const { difference } = view.request.shown
    expect(difference?.en.sentences.map(({ code, action }) => [code, action])).toEqual([
      ['change_most_raised', 'order_and_pay'],
    ])
    expect(difference?.zh.sentences).toHaveLength(1)
    const own = await showGrant(test.broker, { userId: 'usr_a', grantId: grant.id })
    expect(own.kind === 'found' && Object.keys(own.grant.outdated)).toEqual(['order_and_pay'])
  })

  it('has nothing to renew while no action is outdated', async () => {
    expect(await askRenewal()).toEqual({ kind: 'nothing_to_renew' })
    await registerSkill(
      test.broker,
      sampleManifest('coffee.order', ['/version', 2], [`${PAY}/spends/most/CNY`, 40_000]),
    )
    expect(await askRenewal()).toEqual({ kind: 'nothing_to_renew' })
    expect(await decideOrder()).toBe('done')
  })

  it('is not widened on the way: other terms are refused, the same ones spelled out are not', async () => {
    await registerSkill(test.broker, DEARER())
    const terms: GrantTerms = JSON.parse(grant.terms)
    const wider = terms.budgets.map((budget) => ({ ...budget, limit: budget.limit + 1 }))
    expect(await askRenewal({ budgets: wider, categories: terms.categories })).toEqual({
      kind: 'renewal_differs',
      fields: ['budgets'],
    })
    expect((await askRenewal({ ...COFFEE_WISH })).kind).toBe('pending')
  })

  it('does not come back with the terms it had before the user narrowed it', async () => {
    await registerSkill(test.broker, DEARER())
    const request = await pendingRenewal()
    const terms: GrantTerms = JSON.parse(grant.terms)
    const narrowed = { ...terms, categories: [] }
    await narrowGrant(test.broker, { userId: 'usr_a', grantId: grant.id, terms: narrowed })
    const answer = { userId: 'usr_a', requestId: request.id }
    expect(await approveConsent(test.broker, answer)).toEqual({ kind: 'grant_changed' })
    expect(await approveConsent(test.broker, { ...answer, given: terms })).toEqual({ kind: 'grant_changed' })
    expect(await decideOrder()).toBe('consent_outdated')
  })

  it('stays paused through a renewal', async () => {
    await registerSkill(test.broker, DEARER())
    const request = await pendingRenewal()
    await pauseGrant(test.broker, { userId: 'usr_a', grantId: grant.id })
    const approved = await approveConsent(test.broker, { userId: 'usr_a', requestId: request.id })
    expect(approved).toMatchObject({ kind: 'approved', grant: { status: 'paused' } })
    expect(await decideOrder()).toBe('consent_required')
  })

  it('keeps the old yes for an action that the new version no longer has', async () => {
    const without = DEARER()
    const manifest = { ...without, actions: without.actions.filter(({ name }) => name !== 'get_menu') }
    const before = JSON.parse(grant.consented)
    const digest = await registerSkill(test.broker, manifest)
    const request = await pendingRenewal()
    const approved = await approveConsent(test.broker, { userId: 'usr_a', requestId: request.id })
    expect(approved.kind === 'approved' && JSON.parse(approved.grant.consented)).toEqual({
      get_menu: before.get_menu,
      order_and_pay: digest,
    })
  })

  it('is renewed for its own agent and user only', async () => {
    await registerSkill(test.broker, DEARER())
    const other = await connectAgent(test.broker, 'usr_a')
    const stranger = await connectAgent(test.broker, 'usr_b')
    expect(await askRenewal({ agentId: other.id })).toEqual({ kind: 'not_found' })
    expect(await askRenewal({ agentId: stranger.id, userId: 'usr_b' })).toEqual({ kind: 'not_found' })
    expect(await askRenewal({ renewsGrantId: test.broker.newId('grant') })).toEqual({ kind: 'not_found' })
  })
})
