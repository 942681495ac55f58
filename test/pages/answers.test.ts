import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { performAction } from '../../src/broker/perform-action.ts'
import { requestConsent } from '../../src/broker/request-consent.ts'
import { showConsentRequest } from '../../src/broker/show-consent-request.ts'
import { showGrant } from '../../src/broker/show-grant.ts'
import { connectAgent } from '../support/connected-agent.ts'
import { order } from '../support/granted-agent.ts'
import { createPagesWorld, FULL_WISH, type PagesWorld } from '../support/pages-world.ts'
import { NOW_MS } from '../support/test-broker.ts'
import { createTestPages, type TestPages } from '../support/test-pages.ts'

let test: TestPages
let world: PagesWorld
/** Signed in, without a passkey used lately. */
let as: string
let confirmed: string

beforeAll(async () => {
  test = await createTestPages()
  world = await createPagesWorld(test)
  as = test.signIn({ id: world.userId, sessionId: 'ses_1' })
  confirmed = test.signIn({ id: world.userId, sessionId: 'ses_1', steppedUpAtMs: NOW_MS + 60_000 })
})
afterAll(() => test.close())

let agents = 0

/** A question of a new agent's, so that no earlier no cools it down. */
async function question(): Promise<string> {
  agents += 1
  const agent = await connectAgent(test.broker, world.userId, { name: `Agent ${agents}` })
  const asked = await requestConsent(test.broker, { userId: world.userId, agentId: agent.id, ...FULL_WISH })
  if (asked.kind !== 'pending') throw new Error(asked.kind)
  return asked.request.id
}

async function requestOf(requestId: string) {
  const found = await showConsentRequest(test.broker, { userId: world.userId, requestId })
  if (found.kind !== 'found') throw new Error(found.kind)
  return found.request
}

async function grantTerms(grantId: string | null) {
  const found = await showGrant(test.broker, { userId: world.userId, grantId: grantId ?? '' })
  if (found.kind !== 'found') throw new Error(found.kind)
  return found.grant.terms
}

/** The fields of a form as the page offers them: what is ticked, chosen and filled in. */
function offered(page: string): Record<string, string | string[]> {
  const fields: Record<string, string[]> = {}
  const add = (name: string, value: string) => {
    fields[name] = [...(fields[name] ?? []), value]
  }
  const form = /<form method="post" class="stack"[\s\S]*?<\/form>/.exec(page)?.[0] ?? ''
  for (const [tag] of form.matchAll(/<input[^>]*>/g)) {
    const name = /\sname="([^"]*)"/.exec(tag)?.[1]
    const isBox = /type="(checkbox|radio)"/.test(tag)
    if (!name || name === 'csrf' || (isBox && !/\schecked/.test(tag))) continue
    add(name, (/\svalue="([^"]*)"/.exec(tag)?.[1] ?? '').replaceAll('&quot;', '"'))
  }
  for (const [select] of form.matchAll(/<select[\s\S]*?<\/select>/g)) {
    const name = /\sname="([^"]*)"/.exec(select)?.[1]
    const value = /<option value="([^"]*)" selected/.exec(select)?.[1]
    if (name && value !== undefined) add(name, value)
  }
  return Object.fromEntries(
    Object.entries(fields).map(([name, values]) => [name, values.length === 1 ? (values[0] ?? '') : values]),
  )
}

async function openForm(requestId: string, session = confirmed) {
  const page = await test.visit(`/consents/${requestId}`, { as: session })
  expect(page.status).toBe(200)
  return offered(page.text)
}

describe('the consent page', () => {
  it('shows exactly the sentences whose digest the log keeps, in both languages', async () => {
    const request = await requestOf(await question())
    for (const lang of ['en', 'zh'] as const) {
      const page = await test.visit(`/consents/${request.requestId}`, { as, cookies: { lang } })
      const description = request.shown[lang]
      const sentences = [...description.claims, ...description.questions.flatMap((one) => one.sentences)]
      expect(sentences.length).toBeGreaterThan(25)
      for (const { text } of sentences) {
        const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll("'", '&#39;')
        expect(page.text).toContain(escaped)
      }
      for (const { heading } of description.questions) expect(page.text).toContain(heading)
    }
  })

  it('gives what was asked when it is sent back as it came', async () => {
    const requestId = await question()
    const form = await openForm(requestId)
    const answer = await test.visit(`/consents/${requestId}`, {
      as: confirmed,
      form: { ...form, answer: 'allow' },
    })
    expect(answer.location).toMatch(/^\/me\/grants\/grt_/)
    const request = await requestOf(requestId)
    expect(request.state).toBe('approved')
    expect(await grantTerms(request.grantId)).toEqual(request.terms)
    const leaf = await test.lastLeaf('consent')
    expect(await test.openPart(leaf.eventId, 'body')).toMatchObject({ shown: form.shown })
  })

  it('gives less where something was taken away or lowered', async () => {
    const requestId = await question()
    const form = await openForm(requestId)
    const answer = await test.visit(`/consents/${requestId}`, {
      as: confirmed,
      form: {
        ...form,
        action: ['order_and_pay'],
        'limit.0': '25.50',
        'limit.1': '2',
        'range.1.0': '20.00',
        ask: ['order_and_pay'],
        category: ['order'],
        recipient: [],
        'keep.order_history': '7',
        expires: String(86_400_000),
        models: 'only',
        once: 'yes',
        shares: 'no',
        answer: 'allow',
      },
    })
    expect(answer.location).toMatch(/^\/me\/grants\//)
    const { grantId } = await requestOf(requestId)
    expect(await grantTerms(grantId)).toMatchObject({
      actions: [
        { name: 'order_and_pay', constraints: [{ kind: 'range', pointer: '/total_amount', max: 2_000 }] },
      ],
      budgets: [
        { measure: 'amount', currency: 'CNY', limit: 2_550 },
        { measure: 'count', limit: 2 },
      ],
      askFirst: [{ kind: 'always', actions: ['order_and_pay'] }],
      categories: ['order'],
      recipients: [],
      retentionDays: { order_history: 7 },
      deployments: { kind: 'only' },
      oneTime: true,
      sharesBudget: false,
      expiresAtMs: test.clock.nowMs() + 86_400_000,
    })
  })

  it.each([
    ['a higher limit', { 'limit.0': '100.01' }],
    ['a limit with too many decimals', { 'limit.0': '10.005' }],
    ['a limit in words', { 'limit.0': 'ten' }],
    ['a limit with a comma', { 'limit.0': '1,000' }],
    ['a limit with an exponent', { 'limit.0': '1e1' }],
    ['a negative limit', { 'limit.0': '-5' }],
    ['an empty limit', { 'limit.0': '' }],
    ['a higher range', { 'range.1.0': '50.01' }],
    ['longer memory', { 'keep.order_history': '31' }],
    ['an end that was not offered', { expires: '99' }],
    ['no action at all', { action: [] }],
    ['no model at all', { models: 'only', model: [] }],
  ])('refuses %s, keeps what was entered and gives nothing', async (_, changed) => {
    const form = await openForm(world.requestId)
    const page = await test.visit(`/consents/${world.requestId}`, {
      as: confirmed,
      form: { ...form, once: 'yes', ...changed, answer: 'allow' },
    })
    expect(page.status).toBe(422)
    expect(page.text).toContain('role="alert"')
    expect(page.text).toMatch(/name="once" value="yes" checked/)
    expect((await requestOf(world.requestId)).state).toBe('pending')
  })

  it('cannot be made to give an action, category or recipient that was not asked for', async () => {
    const requestId = await question()
    const form = await openForm(requestId)
    await test.visit(`/consents/${requestId}`, {
      as: confirmed,
      form: {
        ...form,
        action: ['get_menu', 'cancel_order'],
        category: ['order', 'location', 'payment'],
        recipient: ['somebody'],
        'keep.payment_history': '300',
        answer: 'allow',
      },
    })
    const terms = await grantTerms((await requestOf(requestId)).grantId)
    expect(terms.actions.map(({ name }) => name)).toEqual(['get_menu'])
    expect(terms.categories).toEqual(['order'])
    expect(terms.recipients).toEqual([])
    expect(Object.keys(terms.retentionDays)).toEqual(['order_history'])
  })

  it('sends whoever used no passkey lately to do so, and shows what they had chosen after it', async () => {
    const requestId = await question()
    const form = await openForm(requestId, as)
    const away = await test.visit(`/consents/${requestId}`, {
      as,
      form: { ...form, 'limit.0': '12.00', once: 'yes', answer: 'allow' },
    })
    expect(away.status).toBe(303)
    const next = new URL(away.location ?? '', 'https://here.example').searchParams.get('next') ?? ''
    expect(next).toMatch(/^\/consents\/crq_/)
    expect((await requestOf(requestId)).state).toBe('pending')
    const back = await test.visit(next, { as: confirmed })
    expect(offered(back.text)).toMatchObject({ 'limit.0': '12.00', once: 'yes' })
    expect((await requestOf(requestId)).state).toBe('pending')
  })

  it('asks for no passkey where only reading is left', async () => {
    const requestId = await question()
    const form = await openForm(requestId, as)
    const answer = await test.visit(`/consents/${requestId}`, {
      as,
      form: { ...form, action: ['get_menu'], answer: 'allow' },
    })
    expect(answer.location).toMatch(/^\/me\/grants\//)
  })

  it('refuses without anything else being right', async () => {
    const requestId = await question()
    const answer = await test.visit(`/consents/${requestId}`, {
      as,
      form: { answer: 'refuse', 'limit.0': 'x' },
    })
    expect(answer.location).toBe('/inbox?done=refused')
    expect((await requestOf(requestId)).state).toBe('refused')
    expect((await test.lastLeaf('consent')).outcome).toBe('refused')
  })

  it('takes no yes to anything but what was shown', async () => {
    const requestId = await question()
    const form = await openForm(requestId)
    const answer = await test.visit(`/consents/${requestId}`, {
      as: confirmed,
      form: { ...form, shown: 'A'.repeat(43), answer: 'allow' },
    })
    expect(answer.status).toBe(409)
    expect((await requestOf(requestId)).state).toBe('pending')
  })

  it.each([
    ['/connect/abc?step=2', '/connect/abc?step=2'],
    ['//evil.example', null],
    ['https://evil.example/', null],
  ])('goes on to %s only where that is ours', async (next, location) => {
    const requestId = await question()
    const answer = await test.visit(`/consents/${requestId}`, { as, form: { answer: 'refuse', next } })
    expect(answer.location).toBe(location ?? '/inbox?done=refused')
  })

  it('changes nothing when it is only opened, whatever the address says', async () => {
    const requestId = await question()
    await test.visit(`/consents/${requestId}?answer=allow&kept=answer%3Dallow`, { as: confirmed })
    expect((await requestOf(requestId)).state).toBe('pending')
  })
})

describe('the approval page', () => {
  it('shows every argument whole, the amount, the preview and until when', async () => {
    const { text } = await test.visit(`/approvals/${world.approvalId}`, { as })
    for (const part of ['CN¥33.80', 'Q-2', 'LK-0571-022', '3380', 'Asia/Shanghai', 'data-left=']) {
      expect(text).toContain(part)
    }
  })

  it('takes a passkey for spending, then says yes once', async () => {
    const path = `/approvals/${world.approvalId}`
    const { text } = await test.visit(path, { as })
    const shown = /name="shown" value="([^"]+)"/.exec(text)?.[1] ?? ''
    const away = await test.visit(path, { as, form: { answer: 'allow', shown } })
    expect(away.location).toBe(`/step-up?next=${encodeURIComponent(`${path}?confirmed=yes`)}`)
    const wrong = await test.visit(path, { as: confirmed, form: { answer: 'allow', shown: 'x' } })
    expect(wrong.status).toBe(409)
    const yes = await test.visit(path, { as: confirmed, form: { answer: 'allow', shown } })
    expect(yes.location).toBe('/inbox?done=approved')
    expect((await test.visit(`${path}/state`, { as })).text).toBe('{"state":"approved"}')
    const late = await test.visit(path, { as: confirmed, form: { answer: 'refuse' } })
    expect(late.status).toBe(409)
  })
})

describe('always allowing the like', () => {
  it('makes a grant of its own with explicit limits, and leaves the others as they are', async () => {
    const deploymentId = JSON.parse(world.agent.deployments)[0].id
    const ask = (quote: string, total: number, key: string) =>
      performAction(test.broker, {
        userId: world.userId,
        agentId: world.agent.id,
        sessionId: 'ses_test',
        skill: 'coffee.order',
        action: 'order_and_pay',
        arguments: order(total, quote),
        deploymentId,
        idempotencyKey: key,
      })
    const asked = await ask('Q-7', 3_100, 'always-one-1')
    if (asked.kind !== 'ask') throw new Error(asked.kind)
    const path = `/approvals/${asked.approval.id}/always`
    const choices = { times: '3', limit: '90.00', days: '7', same: ['/pickup', '/store_id'] }
    const review = await test.visit(path, { as: confirmed, form: { ...choices, do: 'review' } })
    expect(review.text).toContain('CN¥90.00')
    const shown = /name="shown" value="([^"]+)"/.exec(review.text)?.[1] ?? ''
    const shownAt = /name="shown_at" value="([^"]+)"/.exec(review.text)?.[1] ?? ''
    const raised = { ...choices, limit: '99.00', do: 'allow', shown, shown_at: shownAt }
    expect((await test.visit(path, { as: confirmed, form: raised })).status).toBe(409)
    const done = await test.visit(path, { as: confirmed, form: { ...raised, limit: '90.00' } })
    const grantId = /^\/me\/grants\/(grt_\w+)/.exec(done.location ?? '')?.[1] ?? ''
    expect(await grantTerms(grantId)).toMatchObject({ actions: [{ name: 'order_and_pay' }], askFirst: [] })
    expect((await showGrant(test.broker, { userId: world.userId, grantId: world.grantId })).kind).toBe(
      'found',
    )
    // The like goes through unasked, as often as that: what was ordered before today counts too. More is asked about.
    expect((await ask('Q-8', 3_000, 'always-two-2')).kind).toBe('done')
    expect((await ask('Q-9', 3_200, 'always-three')).kind).toBe('ask')
    expect((await ask('Q-7', 3_100, 'always-one-1')).kind).toBe('done')
    expect((await ask('Q-10', 3_050, 'always-four')).kind).not.toBe('done')
  })
})

describe('taking back', () => {
  it('says what ends, and only ends it when that is confirmed', async () => {
    const asking = await test.visit('/me/revoke?everything=yes', { as })
    expect(asking.text).toContain('Errand runner')
    expect(await showGrant(test.broker, { userId: world.userId, grantId: world.grantId })).toMatchObject({
      grant: { state: 'active' },
    })
    const done = await test.visit('/me/revoke', { as, form: { everything: 'yes' } })
    expect(done.status).toBe(200)
    expect(await showGrant(test.broker, { userId: world.userId, grantId: world.grantId })).toMatchObject({
      grant: { state: 'revoked' },
    })
  })
})
