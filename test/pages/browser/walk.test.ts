import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rememberMemory } from '../../../src/broker/remember-memory.ts'
import { showConsentRequest } from '../../../src/broker/show-consent-request.ts'
import { showGrant } from '../../../src/broker/show-grant.ts'
import { invite, inviteFirstOperator } from '../../../src/people/invite.ts'
import { findPerson } from '../../../src/people/person.ts'
import {
  accessibilityFaults,
  addAuthenticator,
  type BrowserWorld,
  HAS_CHROMIUM,
  isTooWide,
  openBrowserWorld,
  type Window,
} from '../../support/browser-world.ts'
import { latte } from '../../support/memory-world.ts'
import { pageFaults } from '../../support/page-faults.ts'
import { createPagesWorld, type PagesWorld } from '../../support/pages-world.ts'

if (!HAS_CHROMIUM)
  console.log('No Chromium at /usr/bin/chromium: the pages are not walked through in a browser.')

const MINUTE_MS = 60_000

describe.skipIf(!HAS_CHROMIUM)('a person in a real browser', { timeout: 120_000 }, () => {
  let world: BrowserWorld
  let life: PagesWorld
  let operator: Window
  let user: Window

  beforeAll(async () => {
    world = await openBrowserWorld()
    operator = await world.open()
    await addAuthenticator(operator)
    const first = await inviteFirstOperator(world.people)
    await operator.page.goto(first ?? '')
    await operator.page.locator('input[name="operator"]').fill('lin.wei')
    await operator.page.locator('form[data-passkey] button').click()
    await operator.page.waitForFunction(
      '!location.pathname.endsWith("/") && document.querySelector("form[data-passkey]") === null',
    )
    const by = await personIn(operator)
    const invited = await invite(world.people, { by, kind: 'user', id: undefined })
    if (invited.kind !== 'invited') throw new Error(invited.kind)
    user = await world.open({ width: 390 })
    await addAuthenticator(user)
    await user.page.goto(invited.url)
    await user.page.locator('form[data-passkey] button').click()
    await user.page.waitForFunction('document.querySelector("form[data-passkey]") === null')
    life = await createPagesWorld(world.test, { userId: (await personIn(user)).id })
    const { userId, agent } = life
    const deploymentId = JSON.parse(agent.deployments)[0].id
    const caller = { userId, agentId: agent.id, sessionId: 'ses_test', deploymentId }
    const long = `${'longest'.repeat(40)} 燕麦拿铁，不加糖。\nhttps://shop.example/${'a'.repeat(200)}`
    const kept = await rememberMemory(world.test.broker, caller, {
      ...latte({ key: 'k'.repeat(120), content: long }),
      idempotencyKey: 'walk-through-memory',
    })
    if (kept.kind !== 'remembered') throw new Error(JSON.stringify(kept))
  }, 120_000)
  afterAll(() => world?.close())

  async function personIn({ context }: Window) {
    const cookie = (await context.cookies()).find(({ name }) => name === 'countersign-dev')
    const person = await findPerson(world.people, cookie?.value, world.test.clock.nowMs())
    if (!person) throw new Error('nobody is signed in')
    return person
  }

  const userPaths = () => [
    '/inbox',
    `/consents/${life.requestId}`,
    `/approvals/${life.approvalId}`,
    `/approvals/${life.approvalId}/always`,
    '/me',
    `/me/connections/${life.agent.id}`,
    `/me/grants/${life.grantId}`,
    `/me/grants/${life.grantId}/narrow`,
    '/me/revoke?everything=yes',
    '/me/activity',
    '/me/memory',
    '/limits',
    '/security',
    '/step-up?next=%2Finbox',
  ]

  it.each([
    ['en-US', 1280, 'light'],
    ['en-US', 390, 'dark'],
    ['zh-CN', 1280, 'dark'],
    ['zh-CN', 390, 'light'],
  ] as const)(
    'finds every page accessible and in its width, in %s at %i pixels, %s',
    async (locale, width, scheme) => {
      const window = await world.open({ locale, width, isDark: scheme === 'dark', like: user.context })
      for (const path of [...userPaths(), '/sign-in', '/nothing-here']) {
        await window.page.goto(path)
        // Folded parts are looked at as well.
        await window.page.evaluate(
          `document.querySelectorAll('details').forEach((one) => { one.open = true })`,
        )
        expect([path, await accessibilityFaults(window.page)]).toEqual([path, []])
        expect([path, await isTooWide(window.page)]).toEqual([path, false])
        expect(await window.page.locator('html').getAttribute('lang')).toBe(
          locale === 'en-US' ? 'en' : 'zh-CN',
        )
      }
      const faults = window.complaints.filter((text) => !/status of 404/.test(text))
      expect(faults).toEqual([])
      await window.context.close()
    },
  )

  it('finds the operators’ pages accessible too', async () => {
    for (const path of [
      '/operator',
      '/operator/in-doubt',
      '/operator/asking',
      '/operator/people',
      '/security',
    ]) {
      await operator.page.goto(path)
      await operator.page.evaluate(
        `document.querySelectorAll('details').forEach((one) => { one.open = true })`,
      )
      expect([path, await accessibilityFaults(operator.page)]).toEqual([path, []])
      expect([path, pageFaults(await (await operator.context.request.get(path)).text())]).toEqual([path, []])
    }
  })

  it('runs nothing inline on any page', async () => {
    for (const path of [...userPaths(), '/sign-in']) {
      const page = await (await user.context.request.get(path)).text()
      expect([path, pageFaults(page)]).toEqual([path, []])
    }
  })

  it('narrows a consent without script, and switches language on the page', async () => {
    const window = await world.open({ hasScript: false, width: 390, like: user.context })
    const { page } = window
    await page.goto(`/consents/${life.requestId}`)
    await page.getByRole('button', { name: '简体中文' }).click()
    expect(new URL(page.url()).pathname).toBe(`/consents/${life.requestId}`)
    await page.getByRole('button', { name: 'English' }).click()
    for (const summary of await page.locator('form details > summary').all()) await summary.click()
    await page.getByLabel('Spend on everything together').fill('15.50')
    await page.locator('input[name="action"][value="get_menu"]').uncheck()
    await page.locator('select[name="keep.order_history"]').selectOption('7')
    await page.getByRole('button', { name: 'Allow', exact: true }).click()
    expect(page.url()).toContain('/me/grants/')
    const found = await showConsentRequest(world.test.broker, {
      userId: life.userId,
      requestId: life.requestId,
    })
    const grantId = found.kind === 'found' ? (found.request.grantId ?? '') : ''
    expect(await showGrant(world.test.broker, { userId: life.userId, grantId })).toMatchObject({
      grant: {
        terms: {
          actions: [{ name: 'order_and_pay' }],
          budgets: [{ limit: 1_550 }, { limit: 5 }],
          retentionDays: { order_history: 7 },
        },
      },
    })
    await window.context.close()
  })

  it('approves one action after a passkey, which was used too long ago', async () => {
    world.test.clock.advance(6 * MINUTE_MS)
    const { page } = user
    await page.goto(`/approvals/${life.approvalId}`)
    await page.getByRole('button', { name: 'Allow once' }).click()
    await page.waitForURL(/\/step-up/)
    await page.locator('form[data-passkey] button').click()
    await page.waitForURL(/\/approvals\//)
    expect(await page.getByText('Your passkey has confirmed').isVisible()).toBe(true)
    await page.getByRole('button', { name: 'Allow once' }).click()
    await page.waitForURL(/\/inbox/)
    expect(await page.getByText('Allowed, once').isVisible()).toBe(true)
  })

  it('takes everything back, in Chinese, and is told what ended', async () => {
    const window = await world.open({ locale: 'zh-CN', like: user.context })
    const { page } = window
    await page.goto('/me')
    await page.getByRole('link', { name: '收回全部授权' }).click()
    await page.getByRole('button', { name: '确认收回' }).click()
    expect(await page.getByRole('heading', { name: '已收回' }).isVisible()).toBe(true)
    expect(await showGrant(world.test.broker, { userId: life.userId, grantId: life.grantId })).toMatchObject({
      grant: { state: 'revoked' },
    })
    await window.context.close()
  })

  it('signs out, and in again with the passkey', async () => {
    const { page } = user
    await page.goto('/me')
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.goto('/me')
    expect(new URL(page.url()).pathname).toBe('/sign-in')
    await page.locator('form[data-passkey="get"] button').first().click()
    await page.waitForURL(/\/me$/)
  })

  it('has made no browser report anything against the content policy', () => {
    expect(
      [...user.complaints, ...operator.complaints].filter((text) => !/status of 40[34]/.test(text)),
    ).toEqual([])
    expect(world.test.logged.filter(({ event }) => event === 'csp_report')).toEqual([])
  })

  it('would have seen a fault and a report, had there been one', async () => {
    const { page } = user
    await page.goto('/inbox')
    await page.evaluate(
      `document.querySelector('main').append(Object.assign(new Image(), { src: '/no.png' }))`,
    )
    expect((await accessibilityFaults(page)).join()).toContain('image-alt')
    const reported = page.waitForResponse(/csp-report/)
    await page.evaluate(
      `document.head.append(Object.assign(document.createElement('script'), { textContent: 'window.ran = true' }))`,
    )
    await reported
    expect(await page.evaluate('window.ran')).toBe(undefined)
    expect(world.test.logged.some(({ event }) => event === 'csp_report')).toBe(true)
  })
})
