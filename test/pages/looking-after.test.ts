import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sealerFor } from '../../src/broker/leaf-sealer.ts'
import { listAgents } from '../../src/broker/list-agents.ts'
import { listBudgets } from '../../src/broker/list-budgets.ts'
import { openIncident } from '../../src/broker/open-incident.ts'
import { requestConsent } from '../../src/broker/request-consent.ts'
import { listRecipients } from '../../src/broker/save-recipient.ts'
import { showTimeZone } from '../../src/broker/set-time-zone.ts'
import { showGrant } from '../../src/broker/show-grant.ts'
import { connectAgent, giveConsent } from '../support/connected-agent.ts'
import { answered } from '../support/fake-skill.ts'
import { pageFaults } from '../support/page-faults.ts'
import { createPagesWorld, FULL_WISH, type PagesWorld } from '../support/pages-world.ts'
import { actionAt, sampleManifest } from '../support/sample-manifest.ts'
import { NOW_MS, registerSkill } from '../support/test-broker.ts'
import { createTestPages, type TestPages } from '../support/test-pages.ts'

let test: TestPages
let world: PagesWorld
let as: string
let confirmed: string
let userId: string

beforeAll(async () => {
  test = await createTestPages()
  world = await createPagesWorld(test)
  userId = world.userId
  as = test.signIn({ id: userId, sessionId: 'ses_1' })
  // The same session after a passkey was used: its cookie is another then.
  confirmed = test.signIn({ id: userId, sessionId: 'ses_1', steppedUpAtMs: NOW_MS + 60_000 })
})
afterAll(() => test.close())

async function stateOfGrant(grantId = world.grantId) {
  const found = await showGrant(test.broker, { userId, grantId })
  return found.kind === 'found' ? found.grant.state : found.kind
}

describe('a grant’s page', () => {
  const path = () => `/me/grants/${world.grantId}`

  it('says how much is used, until when, and what was used last', async () => {
    const { text } = await test.visit('/me', { as })
    expect(text).toMatch(/<progress max="10000" value="2350"/)
    expect(text).toContain('CN¥23.50 of CN¥100.00')
    expect(text).toContain('Last used on')
  })

  it('pauses at once, and goes on with a passkey', async () => {
    expect((await test.visit(path(), { as, form: { do: 'pause' } })).location).toBe(`${path()}?done=paused`)
    expect(await stateOfGrant()).toBe('paused')
    const away = await test.visit(path(), { as, form: { do: 'resume' } })
    expect(away.location).toMatch(/^\/step-up\?next=/)
    expect(await stateOfGrant()).toBe('paused')
    await test.visit(path(), { as: confirmed, form: { do: 'resume' } })
    expect(await stateOfGrant()).toBe('active')
  })

  it('takes a passkey for more time, and gives no more than was offered', async () => {
    const away = await test.visit(path(), { as, form: { do: 'renew', days: '90' } })
    expect(away.location).toMatch(/^\/step-up\?next=/)
    const odd = await test.visit(path(), { as: confirmed, form: { do: 'renew', days: '9999' } })
    expect(odd.status).toBe(200)
    await test.visit(path(), { as: confirmed, form: { do: 'renew', days: '90' } })
    const found = await showGrant(test.broker, { userId, grantId: world.grantId })
    expect(found.kind === 'found' && found.grant.terms.expiresAtMs).toBe(test.clock.nowMs() + 90 * 86_400_000)
  })

  it('is narrowed by its form, and never widened by it', async () => {
    const wider = await test.visit(`${path()}/narrow`, {
      as,
      form: { action: ['get_menu', 'order_and_pay'], 'limit.0': '999.00' },
    })
    expect(wider.status).toBe(422)
    const done = await test.visit(`${path()}/narrow`, {
      as,
      form: {
        action: ['order_and_pay'],
        'limit.0': '60.00',
        category: ['order'],
        recipient: [],
        expires: 'asked',
      },
    })
    expect(done.location).toBe(`${path()}?done=narrowed`)
    const found = await showGrant(test.broker, { userId, grantId: world.grantId })
    expect(found).toMatchObject({
      grant: { terms: { actions: [{ name: 'order_and_pay' }], budgets: [{ limit: 6_000 }, { limit: 5 }] } },
    })
  })
})

describe('what an agent did', () => {
  it('has a receipt, can be undone in time, and be said not to have been wanted', async () => {
    const { text } = await test.visit('/me/activity?status=succeeded', { as })
    const path = /href="(\/me\/activity\/act_\w+)"/.exec(text)?.[1] ?? ''
    await test.publisher.publishNow()
    const receipt = await test.visit(`${path}/receipt`, { as })
    expect(JSON.parse(receipt.text)).toMatchObject({ receipt: expect.stringContaining('.') })
    test.skill.replyNext(answered({ state: 'cancelled' }))
    const undone = await test.visit(`${path}/undo`, { as, form: {} })
    expect(undone.text).toContain('The skill says that it was undone')
    const reported = await test.visit(`${path}/not-me`, { as, form: {} })
    expect(reported.text).toContain('Everything this agent was allowed is paused')
    expect(await stateOfGrant()).toBe('paused')
    const agents = await listAgents(test.broker, { userId })
    expect(agents.find(({ agentId }) => agentId === world.agent.id)?.status).toBe('paused')
    const connection = `/me/connections/${world.agent.id}`
    expect((await test.visit('/me', { as })).text).toContain('paused')
    await test.visit(connection, { as, form: { do: 'resume' } })
    expect(await stateOfGrant()).toBe('paused')
  })
})

describe('a person’s own limits', () => {
  const budget = { do: 'set_budget', scope: 'user', currency: 'CNY', span: 'day' }

  it('are set and lowered without a passkey, and raised and removed with one', async () => {
    expect((await test.visit('/limits', { as, form: { ...budget, limit: '50.00' } })).location).toBe(
      '/limits?done=doneSet',
    )
    await test.visit('/limits', { as, form: { ...budget, limit: '40.00' } })
    const raise = await test.visit('/limits', { as, form: { ...budget, limit: '40.01' } })
    expect(raise.location).toMatch(/^\/step-up/)
    const back = new URL(raise.location ?? '', 'https://here.example').searchParams.get('next') ?? ''
    expect((await test.visit(back, { as: confirmed })).text).toContain('value="40.01"')
    // A link of somebody else's fills in nothing, and neither does one of another session's.
    const forged = back.replace('40.01', '90.00')
    expect((await test.visit(forged, { as: confirmed })).text).not.toContain('value="90.00"')
    expect((await test.visit(back, { as: test.signIn({ id: userId }) })).text).not.toContain('value="40.01"')
    const [set] = await listBudgets(test.broker, { userId })
    expect(set?.budget.limit).toBe(4_000)
    const remove = { do: 'remove_budget', id: set?.budgetId ?? '' }
    expect((await test.visit('/limits', { as, form: remove })).location).toMatch(/^\/step-up/)
    await test.visit('/limits', { as: confirmed, form: remove })
    expect(await listBudgets(test.broker, { userId })).toEqual([])
  })

  it.each([
    ['too many decimals', { ...budget, limit: '1.005' }],
    ['an amount in words', { ...budget, limit: 'all' }],
    ['a currency nobody knows', { ...budget, currency: 'XXX', limit: '1' }],
    ['somebody else’s agent', { ...budget, scope: `agent agt_${'0'.repeat(35)}`, limit: '1.00' }],
    ['a span that is none', { ...budget, span: '__proto__', limit: '1.00' }],
    ['nothing to do', { do: '' }],
    ['a zone that is none', { do: 'set_zone', zone: 'Mars/Olympus' }],
    ['a recipient with a hidden character', { do: 'save_recipient', label: 'Mum', value: 'a\u200bb' }],
  ])('refuse %s and change nothing', async (_, form) => {
    expect((await test.visit('/limits', { as: confirmed, form })).status).toBe(422)
    expect(await listBudgets(test.broker, { userId })).toEqual([])
  })

  it('keep recipients and the time zone, each with a passkey', async () => {
    const recipient = { do: 'save_recipient', label: 'Landlord', value: 'DE89 3704' }
    expect((await test.visit('/limits', { as, form: recipient })).location).toMatch(/^\/step-up/)
    await test.visit('/limits', { as: confirmed, form: recipient })
    expect(await listRecipients(test.broker, { userId })).toMatchObject([{ label: 'Landlord' }])
    const again = await test.visit('/limits', { as: confirmed, form: recipient })
    expect(again.status).toBe(422)
    await test.visit('/limits', { as: confirmed, form: { do: 'set_zone', zone: 'Europe/Berlin' } })
    expect(await showTimeZone(test.broker, { userId })).toEqual({ timeZone: 'Europe/Berlin' })
  })
})

describe('a changed manifest', () => {
  it('shows what is new and nothing to adjust, and renews on a yes', async () => {
    const agent = await connectAgent(test.broker, userId, { name: 'Renewer' })
    const grant = await giveConsent(test.broker, agent, FULL_WISH)
    const pay = actionAt('coffee.order', 'order_and_pay')
    await registerSkill(
      test.broker,
      sampleManifest('coffee.order', ['/version', 2], [`${pay}/spends/most/CNY`, 60_000]),
    )
    const wish = { skill: 'coffee.order', renewsGrantId: grant.id, userId, agentId: agent.id }
    const asked = await requestConsent(test.broker, wish)
    if (asked.kind !== 'pending') throw new Error(asked.kind)
    const path = `/consents/${asked.request.id}`
    const { text } = await test.visit(path, { as })
    expect(text).toContain('CN¥600.00')
    expect(text).not.toContain('name="limit.0"')
    expect(text).not.toContain('type="checkbox"')
    const shown = /name="shown" value="([^"]+)"/.exec(text)?.[1] ?? ''
    const done = await test.visit(path, { as: confirmed, form: { answer: 'allow', shown } })
    expect(done.location).toBe(`/me/grants/${grant.id}?done=given`)
    expect((await test.visit(`/me/grants/${grant.id}`, { as })).text).not.toContain('do not work until')
  })
})

describe('the operators’ pages', () => {
  it('are no pages for users, and users’ are none for operators', async () => {
    const operator = test.signIn({ id: 'lin.wei', kind: 'operator' })
    for (const path of ['/operator', '/operator/in-doubt', '/operator/asking']) {
      expect([path, (await test.visit(path, { as })).status]).toEqual([path, 404])
      const page = await test.visit(path, { as: operator })
      expect([path, page.status, pageFaults(page.text)]).toEqual([path, 200, []])
    }
    expect((await test.visit('/me', { as: operator })).status).toBe(404)
    expect(
      (await test.visit('/operator/write', { as: confirmed, form: { do: 'lift', id: 'x' } })).status,
    ).toBe(404)
  })

  it('write only with a passkey and a reason, and say what came of it', async () => {
    const { broker } = test
    const seal = await sealerFor(broker, { userId: '', skillId: '' })
    const incidentId = await broker.store.transaction(async (tx) =>
      openIncident(broker, tx, seal, {
        kind: 'reported',
        userId: null,
        skillId: 'coffee.order',
        actionId: null,
        detail: '<b>odd</b>',
        stopsSpending: false,
      }),
    )
    const plain = test.signIn({ id: 'lin.wei', kind: 'operator' })
    const ready = test.signIn({ id: 'lin.wei', kind: 'operator', steppedUpAtMs: NOW_MS + 60_000 })
    const close = { do: 'close_incident', id: incidentId, reason: 'looked into it', here: '/operator' }
    expect((await test.visit('/operator/write', { as: plain, form: close })).location).toMatch(/^\/step-up/)
    const short = await test.visit('/operator/write', { as: ready, form: { ...close, reason: 'x' } })
    expect(short.location).toMatch(/said=refusedReason/)
    const away = await test.visit('/operator/write', {
      as: ready,
      form: { ...close, here: '//evil.example' },
    })
    expect(away.location).toBe('/operator?said=done')
    const frozen = await test.visit('/operator/write', {
      as: ready,
      form: { do: 'freeze', kind: 'skill', target: 'coffee.order', reason: 'under review' },
    })
    expect(frozen.location).toMatch(/^\/operator\?said=done&unsettled=\d+$/)
    expect((await test.visit('/operator', { as: ready })).text).toContain('under review')
    expect((await test.lastLeaf('freeze')).outcome).toBe('frozen')
    const lift = { do: 'lift', id: 'skill:coffee.order', reason: 'all is well' }
    expect((await test.visit('/operator/write', { as: ready, form: lift })).location).toBe(
      '/operator?said=done',
    )
  })
})
