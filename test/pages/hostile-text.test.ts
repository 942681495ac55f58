import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { performAction } from '../../src/broker/perform-action.ts'
import { requestConsent } from '../../src/broker/request-consent.ts'
import { saveRecipient } from '../../src/broker/save-recipient.ts'
import { type Manifest, manifestShape } from '../../src/core/manifest/manifest.ts'
import { coffeeSkill } from '../support/coffee-test.ts'
import { COFFEE_WISH, connectAgent, giveConsent } from '../support/connected-agent.ts'
import { order, SECRET } from '../support/granted-agent.ts'
import { pageFaults } from '../support/page-faults.ts'
import { actionAt, sampleManifest } from '../support/sample-manifest.ts'
import { registerSkill } from '../support/test-broker.ts'
import { createTestPages, type TestPages } from '../support/test-pages.ts'

/** Breaks out of text, attributes, tags and quotations, and is short enough for every name. */
const EVIL = `"><img src=x onerror=alert(1)>'“”</script>`
const EVIL_TITLE = `${EVIL}MARK`
const LONG = 'w'.repeat(400)

let test: TestPages
let as: string
let userId: string
const paths: string[] = []

beforeAll(async () => {
  test = await createTestPages()
  const { broker } = test
  userId = broker.newId('user')
  as = test.signIn({ id: userId })
  test.secrets.set('coffee.order /payment_token', SECRET)
  test.skill.replyAlways(coffeeSkill)
  const at = actionAt('coffee.order', 'order_and_pay')
  const text = { en: EVIL_TITLE, zh: EVIL_TITLE }
  await registerSkill(
    broker,
    withOddMarks(
      'coffee.order',
      ['/title', text],
      [`${at}/title`, text],
      [`${at}/description`, { en: EVIL + LONG.slice(0, 300), zh: EVIL }],
      ['/categories/order', text],
      ['/recipients/0/title', text],
      ['/memory/0/title', text],
      [`${at}/input/properties/quote_id/pattern`, undefined],
      [`${at}/input/properties/quote_id/x-title`, { en: EVIL, zh: EVIL }],
    ),
  )
  await broker.store.transaction(async (tx) =>
    tx.users.save({ id: userId, timeZone: 'UTC', createdAtMs: tx.nowMs }),
  )
  await saveRecipient(broker, { userId, label: EVIL, value: EVIL })
  const agent = await connectAgent(broker, userId, { name: EVIL })
  const grant = await giveConsent(broker, agent, {
    ...COFFEE_WISH,
    askFirst: [{ kind: 'above_amount', currency: 'CNY', amountMinor: 500, actions: ['order_and_pay'] }],
  })
  const ask = (args: ReturnType<typeof order>, key: string) =>
    performAction(broker, {
      userId,
      agentId: agent.id,
      sessionId: 'ses_test',
      skill: 'coffee.order',
      action: 'order_and_pay',
      arguments: args,
      deploymentId: JSON.parse(agent.deployments)[0].id,
      idempotencyKey: key,
    })
  await ask(order(300, EVIL.slice(0, 64)), 'key-one-of-it')
  const asked = await ask(order(900, EVIL.slice(0, 64)), 'key-two-of-it')
  if (asked.kind !== 'ask') throw new Error(JSON.stringify(asked))
  const other = await connectAgent(broker, userId, { name: EVIL })
  const wish = { ...COFFEE_WISH, purpose: `${EVIL} ${LONG.slice(0, 200)}` }
  const request = await requestConsent(broker, { userId, agentId: other.id, ...wish })
  if (request.kind !== 'pending') throw new Error(JSON.stringify(request))
  const actions = await broker.store.read(async (tx) =>
    tx.actions.list(
      { userId, agentId: null, skillId: null, status: null, fromMs: null, toMs: null },
      { limit: 5, before: null },
    ),
  )
  paths.push(
    '/inbox',
    `/consents/${request.request.id}`,
    `/approvals/${asked.approval.id}`,
    `/approvals/${asked.approval.id}/always`,
    '/me',
    `/me/connections/${agent.id}`,
    `/me/grants/${grant.id}`,
    `/me/grants/${grant.id}/narrow`,
    `/me/revoke?grant=${grant.id}`,
    `/me/revoke?agent=${agent.id}`,
    '/me/revoke?skill=coffee.order',
    '/me/revoke?everything=yes',
    '/me/activity',
    ...actions.map(({ id }) => `/me/activity/${id}`),
    '/limits',
  )
})
afterAll(() => test.close())

/** A manifest as no parser of ours lets it in: should one ever be stored, pages hold all the same. */
function withOddMarks(...edits: Parameters<typeof sampleManifest>): Manifest {
  const text = JSON.stringify(sampleManifest(...edits)).replaceAll('MARK', '\u202e\u200b\u2066')
  return manifestShape.parse(JSON.parse(text))
}

describe('a page on which every name, purpose, label and argument is hostile', () => {
  it.each(['en', 'zh'])(
    'runs nothing, styles nothing and lets no text out of its place, in %s',
    async (lang) => {
      for (const path of paths) {
        const page = await test.visit(path, { as, cookies: { lang } })
        expect([path, page.status]).toEqual([path, 200])
        expect([path, pageFaults(page.text)]).toEqual([path, []])
        expect(page.text).not.toContain('<img src=x')
      }
    },
  )

  it('shows what was sent whole, with the quotation that holds it', async () => {
    const page = await test.visit(paths.find((path) => path.startsWith('/approvals/')) ?? '', { as })
    expect(page.text).toContain(
      '&quot;&gt;&lt;img src=x onerror=alert(1)&gt;&#39;‹U+201C›‹U+201D›&lt;/script&gt;',
    )
  })

  it('does not take an address for anything but where it leads', async () => {
    for (const query of [
      '?done=%3Cscript%3E',
      '?next=%22%3E%3Cscript%3E',
      '?kept=action%3D%22%3E%3Cscript%3Ealert(1)',
      '?cursor=%3Cscript%3E',
      '?status=%22%3E%3Cscript%3E&agent=%22%3E%3Cscript%3E',
    ]) {
      for (const path of paths.filter((one) => !one.includes('?'))) {
        const page = await test.visit(`${path}${query}`, { as })
        expect([path + query, pageFaults(page.text)]).toEqual([path + query, []])
      }
    }
  })
})

describe('what is another person’s', () => {
  it('does not exist, to look at and to answer', async () => {
    const stranger = test.signIn({ id: test.broker.newId('user') })
    const unknown = ['crq', 'apr', 'grt', 'agt', 'act'].map((kind) => `${kind}_${'0'.repeat(35)}`)
    const theirs = paths.filter((path) => /_/.test(path))
    const made = [
      `/consents/${unknown[0]}`,
      `/approvals/${unknown[1]}`,
      `/me/grants/${unknown[2]}`,
      `/me/connections/${unknown[3]}`,
      `/me/activity/${unknown[4]}`,
    ]
    const texts = new Set<string>()
    for (const path of [...theirs.filter((path) => !path.endsWith('/always')), ...made]) {
      const page = await test.visit(path, { as: stranger })
      expect([path, page.status]).toEqual([path, 404])
      texts.add(page.text.replace(/name="next" value="[^"]*"/g, '').replace(/support: [^<]*/g, ''))
    }
    // Nothing on it tells the one from the other.
    expect(texts.size).toBe(1)
    for (const path of theirs.filter(
      (one) => !one.includes('?') && !one.endsWith('/always') && !one.startsWith('/me/connections'),
    )) {
      const post = path.startsWith('/me/activity') ? `${path}/undo` : path
      const page = await test.visit(post, {
        as: stranger,
        form: { answer: 'allow', do: 'pause', action: 'get_menu' },
      })
      expect([post, page.status]).toEqual([post, 404])
    }
    const revoked = await test.visit('/me/revoke', {
      as: stranger,
      form: { grant: theirs[4]?.split('/').at(-1) ?? '' },
    })
    expect(revoked.status).toBe(404)
  })
})
