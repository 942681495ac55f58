import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { readAs } from '../../src/demo/api-client.ts'
import { HAS_CHROMIUM, type Window } from '../support/browser-world.ts'
import { COFFEE_REQUEST, orderBeans, registerProgram } from '../support/journey-agent.ts'
import { type JourneyWorld, openJourneyWorld } from '../support/journey-world.ts'
import { lookAt } from '../support/look-at-page.ts'

const waiting = z.looseObject({ approvalId: z.string(), status: z.literal('approval_required') })
const done = z.looseObject({ status: z.literal('succeeded') })
const allow = 'button[name=answer][value=allow]'

describe.skipIf(!HAS_CHROMIUM)('giving authority and taking it back', { timeout: 120_000 }, () => {
  let world: JourneyWorld
  let operator: Window

  beforeAll(async () => {
    world = await openJourneyWorld()
    operator = await world.setUp()
  }, 60_000)
  afterAll(() => world?.close())

  it.each([
    ['en-US', 1280],
    ['zh-CN', 390],
  ] as const)('goes from an invitation to a refusal, in %s at %i pixels', async (locale, width) => {
    const user = await world.invite(operator, { locale, width })
    const { page } = user
    const look = (name: string) => lookAt(user, name)
    const stepUp = async () => {
      await page.waitForURL(/\/step-up\?/)
      await look('step-up')
      await page.click('form[data-passkey] button')
    }
    await look('enrolled')
    await page.goto('/me')
    await look('me-empty')
    await page.click('form[action="/sign-out"] button')
    await page.goto('/inbox')
    await look('sign-in')
    await page.locator('form[data-passkey="get"] button').first().click()
    await page.waitForURL('**/inbox')
    await look('inbox-empty')

    // The program sends its user's browser here, and asks for consent in the same request.
    const program = await registerProgram(world, 'Morning helper')
    await world.letPasskeyGrowOld(user)
    await page.goto(program.authorizeUrl(COFFEE_REQUEST))
    await look('connect')
    await page.click('button[name=answer][value=yes]')
    await page.waitForURL(/\/consents\//)
    await look('consent')

    // Less than was asked for: CN¥200 a week instead of 500, and no order history kept beyond a week.
    for (const summary of await page.locator('form details:not([open]) > summary').all())
      if (await summary.isVisible()) await summary.click()
    await page.locator('.amount input').first().fill('200')
    await page.locator('select[name="keep.order_history"]').selectOption('7')
    await page.click(allow)
    await stepUp()
    await page.waitForURL(/\/consents\//)
    await look('consent-confirmed')
    expect(await page.locator('.amount input').first().inputValue()).toMatch(/^200/)
    expect(await page.locator('select[name="keep.order_history"]').inputValue()).toBe('7')
    await page.click(allow)
    await page.waitForURL(/127\.0\.0\.1:\d+\/callback/)
    const agent = await program.redeem()

    const small = await orderBeans(agent, 1, 'one-bag-of-beans')
    readAs(small.answer, 200, done)
    const large = await orderBeans(agent, 2, 'two-bags-of-beans')
    expect([large.answer.status, large.answer.code]).toEqual([403, 'budget_exceeded'])

    // A wider wish is a new question; this time the person lets it ask for more.
    const wider = await agent.post('/v1/consent-requests', COFFEE_REQUEST)
    const { requestId } = readAs(wider, 201, z.looseObject({ requestId: z.string() }))
    await page.goto('/inbox')
    await look('inbox-consent')
    await page.click(`a[href="/consents/${requestId}"]`)
    await page.click(allow)
    await page.waitForURL(/\/me\/grants\//)
    await look('grant-given')

    const asked = await orderBeans(agent, 2, 'two-bags-at-last')
    const { approvalId } = readAs(asked.answer, 202, waiting)
    await world.letPasskeyGrowOld(user)
    await page.goto('/inbox')
    await look('inbox-approval')
    await page.click(`a[href="/approvals/${approvalId}"]`)
    await look('approval')
    await page.click(allow)
    await stepUp()
    await page.waitForURL(/\/approvals\//)
    await look('approval-confirmed')
    await page.click(allow)
    await page.waitForURL(/\/inbox\?done=approved/)
    const again = await orderBeans(agent, 2, 'two-bags-at-last', asked.quoteId)
    readAs(again.answer, 200, done)
    await page.goto(`/approvals/${approvalId}`)
    await look('approval-used')

    await page.goto('/me')
    await look('me')
    await page.click('a[href="/me/revoke?everything=yes"]')
    await look('revoke')
    await page.locator('main form button').first().click()
    await page.waitForSelector('.notice')
    await look('revoked')
    const after = await orderBeans(agent, 1, 'after-the-end', small.quoteId)
    expect(after.answer.status).toBe(403)
    await page.goto('/me')
    await look('me-revoked')
    await page.goto('/me/activity')
    await look('activity')
    await user.context.close()
  })

  it('gives the browser nothing to complain of', () => {
    expect(world.complaints).toEqual([])
  })
})
