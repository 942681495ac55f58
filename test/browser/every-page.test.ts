import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { readAs } from '../../src/demo/api-client.ts'
import { HAS_CHROMIUM, type Window } from '../support/browser-world.ts'
import { COFFEE_REQUEST, orderBeans, registerProgram } from '../support/journey-agent.ts'
import { type JourneyWorld, openJourneyWorld } from '../support/journey-world.ts'
import { lookAt } from '../support/look-at-page.ts'
import { type SmtpServer, startSmtpServer } from '../support/smtp-server.ts'
import { tempFolderOfSuite } from '../support/temp-folder.ts'

const PAY_REQUEST = {
  skill: 'pay.transfer',
  actions: [{ name: 'get_balance' }],
  categories: ['payment', 'balance'],
  purpose: 'Seeing what is left',
}
const asked = z.looseObject({ requestId: z.string() })
const given = z.looseObject({ grant: z.looseObject({ grantId: z.string() }) })

describe.skipIf(!HAS_CHROMIUM)('every page', { timeout: 120_000 }, () => {
  let world: JourneyWorld
  let mail: SmtpServer
  let operator: Window
  let user: Window
  const userPaths: string[] = []
  const operatorPaths = [
    '/operator',
    '/operator/in-doubt',
    '/operator/asking',
    '/operator/people',
    '/security',
    '/sign-in/terminal',
  ]

  beforeAll(async () => {
    mail = await startSmtpServer()
    const smtp = join(tempFolderOfSuite(), 'smtp-url')
    writeFileSync(smtp, mail.url, { mode: 0o600 })
    world = await openJourneyWorld({
      COUNTERSIGN_SMTP_URL_FILE: smtp,
      COUNTERSIGN_MAIL_FROM: 'countersign@example.com',
    })
    operator = await world.setUp()
    user = await world.invite(operator)
    await liveALittle()
  }, 60_000)
  afterAll(async () => {
    await world?.close()
    await mail?.close()
  })

  /** Whatever makes pages long: grants, an order, a question, a program that waits, an incident, a freeze. */
  async function liveALittle(): Promise<void> {
    const { page } = user
    const program = await registerProgram(world, 'Morning helper')
    await page.goto(program.authorizeUrl())
    await page.click('button[name=answer][value=yes]')
    await page.waitForURL(/\/callback/)
    const agent = await program.redeem()
    const grants: string[] = []
    for (const request of [COFFEE_REQUEST, PAY_REQUEST]) {
      const { requestId } = readAs(await agent.post('/v1/consent-requests', request), 201, asked)
      const answer = await world.api(user).post(`/v1/consent-requests/${requestId}/approve`, {})
      grants.push(readAs(answer, 200, given).grant.grantId)
    }
    const ordered = await orderBeans(agent, 1, 'a-bag-of-beans')
    const { actionId } = readAs(ordered.answer, 200, z.looseObject({ actionId: z.string() }))
    const waits = await orderBeans(agent, 2, 'two-bags-of-beans')
    const { approvalId } = readAs(waits.answer, 202, z.looseObject({ approvalId: z.string() }))
    const again = await agent.post('/v1/consent-requests', { ...COFFEE_REQUEST, purpose: 'Once more' })
    const { requestId } = readAs(again, 201, asked)
    const taken = { scope: { kind: 'grant', id: grants[1] } }
    const revoked = await world.api(user).post('/v1/revocations', taken)
    const { revocationId } = readAs(revoked, 200, z.looseObject({ revocationId: z.string() }))
    await page.goto((await registerProgram(world, 'Weekend planner')).authorizeUrl(COFFEE_REQUEST))
    userPaths.push(
      new URL(page.url()).pathname,
      '/device',
      '/inbox',
      '/me',
      `/me/grants/${grants[0]}`,
      `/me/grants/${grants[0]}/narrow`,
      `/consents/${requestId}`,
      `/approvals/${approvalId}`,
      `/approvals/${approvalId}/always`,
      `/me/revoke?grant=${grants[0]}`,
      '/me/activity',
      `/me/activity/${actionId}`,
      '/me/revocations',
      `/me/revocations/${revocationId}`,
      '/limits',
      '/linked',
      '/channels',
      '/security',
      '/sign-in/terminal',
      '/step-up?next=%2Fme',
      '/sign-out',
      '/recover',
      '/nothing-here',
    )
    const freeze = { kind: 'skill', target: 'web.browse', reason: 'Looked at by the publisher' }
    expect((await world.api(operator).post('/v1/operator/freezes', freeze)).status).toBe(201)
  }

  it('links an account, and shows it under My authority', async () => {
    const { page } = user
    await page.goto('/linked')
    await page.click('button[name=link]')
    await page.waitForURL(/\/linked\/callback/)
    await lookAt(user, 'linked-callback')
    await page.click('main form button')
    await page.waitForURL(/\/linked$/)
    await page.goto('/me')
    expect(await page.locator('#linked').isVisible()).toBe(true)
    expect(await page.locator('section[aria-labelledby=linked] .tag-good').innerText()).toBe('Linked')
  })

  it('adds a mail address, and takes the code that came', async () => {
    const { page } = user
    await page.goto('/channels')
    await page.fill('[name=address]', 'alice@example.com')
    await page.click('button[name=do][value=mail]')
    await page.waitForSelector('[name=code]')
    await lookAt(user, 'channels-unverified')
    await expect.poll(() => mail.received.length).toBeGreaterThan(0)
    const code = /\b\d{6,8}\b/.exec(mail.received[0]?.text ?? '')?.[0] ?? ''
    await page.fill('[name=code]', code)
    await page.click('button[name=do][value=verify]')
    await page.waitForSelector('[name=code]', { state: 'detached' })
  })

  it.each([
    ['en-US', 1280, 'light'],
    ['en-US', 390, 'dark'],
    ['zh-CN', 1280, 'dark'],
    ['zh-CN', 390, 'light'],
  ] as const)(
    'is accessible, in its width and without a script of its own, in %s at %i pixels, %s',
    async (locale, width, scheme) => {
      const about = { locale, width, isDark: scheme === 'dark' }
      for (const [who, paths] of [
        [user, userPaths],
        [operator, operatorPaths],
      ] as const) {
        const window = await world.open({ ...about, like: who.context })
        for (const path of paths) {
          await window.page.goto(path)
          await lookAt(window, `page ${who === operator ? 'operator ' : ''}${path}`)
        }
        await window.context.close()
      }
    },
  )

  it('is complete without script', async () => {
    const plain = await world.open({ hasScript: false, width: 390, like: user.context })
    for (const path of userPaths) {
      const answer = await plain.page.goto(path)
      expect([path, answer?.status()]).toEqual([path, path === '/nothing-here' ? 404 : 200])
      expect([path, await plain.page.locator('main').innerText()]).not.toEqual([path, ''])
    }
    await plain.context.close()
  })

  it('gives the browser nothing to complain of', () => {
    expect(world.complaints).toEqual([])
  })
})
