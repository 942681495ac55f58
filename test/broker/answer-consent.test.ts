import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { approveConsent, refuseConsent } from '../../src/broker/answer-consent.ts'
import type { ConsentWish } from '../../src/broker/consent-wish.ts'
import { requestConsent } from '../../src/broker/request-consent.ts'
import { saveRecipient } from '../../src/broker/save-recipient.ts'
import { setDeployments } from '../../src/broker/set-deployments.ts'
import { showConsentRequest } from '../../src/broker/show-consent-request.ts'
import type { GrantTerms } from '../../src/core/grant/terms.ts'
import type { AgentRow, ConsentRequestRow, GrantRow } from '../../src/ports/rows.ts'
import { COFFEE_WISH, connectAgent, giveConsent, QWEN } from '../support/connected-agent.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { createTestBroker, registerSkill, suspendSkill, type TestBroker } from '../support/test-broker.ts'

let test: TestBroker
let agent: AgentRow
let digest: string

beforeEach(async () => {
  test = await createTestBroker()
  digest = await registerSkill(test.broker, sampleManifest('coffee.order'))
  agent = await connectAgent(test.broker, 'usr_a')
})
afterEach(() => test.close())

async function pending(wish: Partial<ConsentWish> = {}): Promise<ConsentRequestRow> {
  const asked = await requestConsent(test.broker, {
    ...COFFEE_WISH,
    ...wish,
    userId: 'usr_a',
    agentId: agent.id,
  })
  if (asked.kind !== 'pending') throw new Error(JSON.stringify(asked))
  return asked.request
}

const termsOf = (request: ConsentRequestRow): GrantTerms => JSON.parse(request.terms)
const answerTo = (request: ConsentRequestRow) => ({ userId: 'usr_a', requestId: request.id })
const grants = (): Promise<GrantRow[]> =>
  test.broker.store.read(async (tx) => tx.grants.list('usr_a', { limit: 99, before: null }))
const statuses = async () => Object.fromEntries((await grants()).map(({ id, status }) => [id, status]))

describe('a yes to a consent request', () => {
  it('makes an active grant of what was asked, for the version of the manifest that was shown', async () => {
    const request = await pending()
    const approved = await approveConsent(test.broker, answerTo(request))
    if (approved.kind !== 'approved') throw new Error(approved.kind)
    expect(approved.grant).toMatchObject({
      userId: 'usr_a',
      agentId: agent.id,
      lineageId: agent.lineageId,
      status: 'active',
      revision: 1,
      terms: request.terms,
      expiresAtMs: termsOf(request).expiresAtMs,
    })
    expect(JSON.parse(approved.grant.consented)).toEqual({ get_menu: digest, order_and_pay: digest })
  })

  it('is logged with the digest of what was shown, sealed', async () => {
    const request = await pending()
    const shown = await showConsentRequest(test.broker, answerTo(request))
    await approveConsent(test.broker, answerTo(request))
    const leaf = await test.lastLeaf('consent')
    expect(leaf).toMatchObject({ outcome: 'approved', parts: ['core', 'subj', 'body'] })
    expect(await test.openPart(leaf.eventId, 'body')).toEqual({
      shown: shown.kind === 'found' && shown.request.shown.digest,
      terms: termsOf(request),
    })
  })

  it('gives less when the user narrows, and never more', async () => {
    const request = await pending()
    const asked = termsOf(request)
    const wider: [string, GrantTerms][] = [
      [
        'action_not_asked',
        { ...asked, actions: [...asked.actions, { name: 'cancel_order', constraints: [] }] },
      ],
      ['constraint_loosened', { ...asked, actions: asked.actions.map((a) => ({ ...a, constraints: [] })) }],
      ['budget_raised', { ...asked, budgets: asked.budgets.map((b) => ({ ...b, limit: b.limit + 1 })) }],
      ['category_added', { ...asked, categories: [...asked.categories, 'payment'] }],
      ['retention_longer', { ...asked, retentionDays: { order_history: 31 } }],
      ['expiry_later', { ...asked, expiresAtMs: asked.expiresAtMs + 1 }],
      ['budget_sharing_added', { ...asked, sharesBudget: true }],
    ]
    for (const [code, given] of wider) {
      const refused = await approveConsent(test.broker, { ...answerTo(request), given })
      expect(refused.kind === 'not_narrower' && refused.faults.map((fault) => fault.code)).toEqual([code])
    }
    expect(await grants()).toEqual([])

    const given: GrantTerms = {
      ...asked,
      actions: [{ name: 'get_menu', constraints: [] }],
      categories: ['store'],
      retentionDays: {},
      oneTime: true,
    }
    const approved = await approveConsent(test.broker, { ...answerTo(request), given })
    if (approved.kind !== 'approved') throw new Error(JSON.stringify(approved))
    expect(JSON.parse(approved.grant.terms)).toEqual(given)
    expect(approved.grant.oneTime).toBe(true)
    expect(JSON.parse(approved.grant.consented)).toEqual({ get_menu: digest })
  })

  it('is refused when narrowed to something the manifest cannot hold', async () => {
    const request = await pending()
    const asked = termsOf(request)
    const actions = asked.actions.map((action) => ({
      ...action,
      constraints: [...action.constraints, { kind: 'equals' as const, pointer: '/no_such', value: 1 }],
    }))
    const refused = await approveConsent(test.broker, { ...answerTo(request), given: { ...asked, actions } })
    expect(refused.kind === 'invalid' && refused.faults[0]?.code).toBe('constraint_field_unknown')
  })

  it('replaces the grants that this agent had for this skill, but not one-time ones', async () => {
    const oneTime = await giveConsent(test.broker, agent, { ...COFFEE_WISH, oneTime: true })
    const first = await giveConsent(test.broker, agent)
    expect(await statuses()).toEqual({ [oneTime.id]: 'active', [first.id]: 'active' })
    const second = await giveConsent(test.broker, agent, { ...COFFEE_WISH, retentionDays: {} })
    expect(await statuses()).toEqual({
      [oneTime.id]: 'active',
      [first.id]: 'replaced',
      [second.id]: 'active',
    })
    const another = await giveConsent(test.broker, agent, { ...COFFEE_WISH, oneTime: true, categories: [] })
    expect(await statuses()).toMatchObject({ [second.id]: 'active', [another.id]: 'active' })
  })

  it('leaves grants of other agents and users alone', async () => {
    const other = await connectAgent(test.broker, 'usr_a')
    const theirs = await giveConsent(test.broker, other)
    await giveConsent(test.broker, agent)
    expect((await statuses())[theirs.id]).toBe('active')
  })

  it('is not another user’s to give, and an unknown request gets the same answer', async () => {
    const request = await pending()
    for (const requestId of [request.id, test.broker.newId('consentRequest')]) {
      expect(await approveConsent(test.broker, { userId: 'usr_b', requestId })).toEqual({ kind: 'not_found' })
      expect(await refuseConsent(test.broker, { userId: 'usr_b', requestId })).toEqual({ kind: 'not_found' })
    }
    expect(await grants()).toEqual([])
  })

  it('comes too late at the instant the question expires', async () => {
    const request = await pending()
    test.clock.advance(test.broker.settings.consentWithinMs)
    expect(await approveConsent(test.broker, answerTo(request))).toEqual({ kind: 'expired' })
    expect(await refuseConsent(test.broker, answerTo(request))).toEqual({ kind: 'expired' })
  })

  it('is given once: of a yes and a no at the same time exactly one counts', async () => {
    const request = await pending()
    const outcomes = await Promise.all([
      approveConsent(test.broker, answerTo(request)),
      refuseConsent(test.broker, answerTo(request)),
      approveConsent(test.broker, answerTo(request)),
    ])
    expect(outcomes.map(({ kind }) => kind)).toEqual(['approved', 'already_answered', 'already_answered'])
    expect(await grants()).toHaveLength(1)
    expect((await test.leaves()).filter(({ type }) => type === 'consent')).toHaveLength(1)
  })

  it('does not undo a no, and a no twice is one no', async () => {
    const request = await pending()
    expect(await refuseConsent(test.broker, answerTo(request))).toEqual({ kind: 'refused' })
    const leaves = (await test.leaves()).length
    expect(await refuseConsent(test.broker, answerTo(request))).toEqual({ kind: 'refused' })
    expect(await approveConsent(test.broker, answerTo(request))).toEqual({
      kind: 'already_answered',
      state: 'refused',
      grantId: null,
    })
    expect((await test.leaves()).length).toBe(leaves)
  })

  it('is refused when the manifest has moved on, narrower or not, and when it is suspended', async () => {
    const request = await pending()
    await registerSkill(test.broker, sampleManifest('coffee.order', ['/version', 2]))
    expect(await approveConsent(test.broker, answerTo(request))).toEqual({ kind: 'manifest_changed' })
    const again = await pending()
    expect(again.id).not.toBe(request.id)
    expect(await approveConsent(test.broker, answerTo(request))).toMatchObject({ kind: 'already_answered' })
    await suspendSkill(test.broker, 'coffee.order')
    expect(await approveConsent(test.broker, answerTo(again))).toEqual({ kind: 'manifest_changed' })
    expect(await grants()).toEqual([])
  })

  it('is bound to what was shown when it names its digest', async () => {
    const request = await pending()
    const view = await showConsentRequest(test.broker, answerTo(request))
    const shownDigest = view.kind === 'found' ? view.request.shown.digest : ''
    await setDeployments(test.broker, {
      userId: 'usr_a',
      agentId: agent.id,
      deployments: [{ ...QWEN, snapshot: 'another-model' }],
    })
    expect(await approveConsent(test.broker, { ...answerTo(request), shownDigest })).toEqual({
      kind: 'shown_differs',
    })
    const now = await showConsentRequest(test.broker, answerTo(request))
    const fresh = now.kind === 'found' ? now.request.shown.digest : ''
    expect((await approveConsent(test.broker, { ...answerTo(request), shownDigest: fresh })).kind).toBe(
      'approved',
    )
  })

  it('may limit a grant to recipients that the user saved', async () => {
    await registerSkill(test.broker, sampleManifest('pay.transfer'))
    const saved = await saveRecipient(test.broker, { userId: 'usr_a', label: 'Mum', value: 'P-100' })
    if (saved.kind !== 'saved') throw new Error(saved.kind)
    const request = await pending({
      skill: 'pay.transfer',
      actions: [{ name: 'transfer' }],
      categories: [],
      retentionDays: {},
    })
    const asked = termsOf(request)
    const actions = asked.actions.map((action) => ({
      ...action,
      constraints: [{ kind: 'saved_recipient' as const, recipientIds: [saved.recipient.id] }],
    }))
    const approved = await approveConsent(test.broker, { ...answerTo(request), given: { ...asked, actions } })
    expect(approved.kind).toBe('approved')
  })
})
