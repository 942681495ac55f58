import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { readAs } from '../../src/demo/api-client.ts'
import { HAS_CHROMIUM, type Window } from '../support/browser-world.ts'
import { COFFEE_REQUEST, orderBeans, registerProgram, startDevice } from '../support/journey-agent.ts'
import { type JourneyWorld, openJourneyWorld } from '../support/journey-world.ts'
import { lookAt } from '../support/look-at-page.ts'

const yes = 'button[name=answer][value=yes]'
const no = 'button[name=answer][value=no]'
const allow = 'button[name=answer][value=allow]'

describe.skipIf(!HAS_CHROMIUM)('connecting', { timeout: 120_000 }, () => {
  let world: JourneyWorld
  let user: Window

  beforeAll(async () => {
    world = await openJourneyWorld()
    user = await world.invite(await world.setUp(), { width: 390 })
  }, 60_000)
  afterAll(() => world?.close())

  it('a program, without any script, from the question to the program', async () => {
    const plain = await world.open({ hasScript: false, width: 390, like: user.context })
    const { page } = plain
    const program = await registerProgram(world, 'Morning helper')
    await page.goto(program.authorizeUrl(COFFEE_REQUEST))
    await lookAt(plain, 'connect-plain')
    await page.click(yes)
    await page.waitForURL(/\/consents\//)
    await lookAt(plain, 'consent-plain')
    await page.click(allow)
    await page.waitForURL(/127\.0\.0\.1:\d+\/callback/)
    const agent = await program.redeem()
    expect((await orderBeans(agent, 1, 'without-script')).answer.status).toBe(200)

    const asked = await orderBeans(agent, 2, 'without-script-asked')
    const { approvalId } = readAs(asked.answer, 202, z.looseObject({ approvalId: z.string() }))
    await page.goto('/inbox')
    await page.click(`a[href="/approvals/${approvalId}"]`)
    await lookAt(plain, 'approval-plain')
    await page.click(allow)
    await page.waitForURL(/\/inbox\?done=approved/)
    const again = await orderBeans(agent, 2, 'without-script-asked', asked.quoteId)
    expect(again.answer.outcome).toBe('succeeded')
    await plain.context.close()
  })

  it('a program in place of an older one, which is still chosen after the passkey', async () => {
    const { page } = user
    const program = await registerProgram(world, 'Morning helper, once more')
    await world.letPasskeyGrowOld(user)
    await page.goto(program.authorizeUrl())
    const older = page.locator('input[name=replaces]:not([value=""])').first()
    expect(await older.isChecked()).toBe(false)
    await older.check()
    await lookAt(user, 'connect-move')
    await page.click(yes)
    await page.waitForURL(/\/step-up\?/)
    await page.click('form[data-passkey] button')
    await page.waitForURL(/\/connect\//)
    expect(await older.isChecked()).toBe(true)
    await lookAt(user, 'connect-move-confirmed')
    await page.click(yes)
    await page.waitForURL(/127\.0\.0\.1:\d+\/callback/)
    const agent = await program.redeem()
    expect((await orderBeans(agent, 1, 'what-moved')).answer.status).toBe(200)
  })

  it('a device that shows a code, in Chinese on a wide screen', async () => {
    const window = await world.open({ locale: 'zh-CN', like: user.context })
    const { page } = window
    const device = await startDevice(world, 'Kitchen display', COFFEE_REQUEST)
    await page.goto(device.verification_uri)
    await lookAt(window, 'device')
    await page.fill('[name=user_code]', 'BBBB-BBBB')
    await page.click('main form button')
    await lookAt(window, 'device-unknown')
    await page.fill('[name=user_code]', device.user_code.toLowerCase())
    await page.click('main form button')
    await page.waitForSelector(yes)
    expect(await page.locator('p.code').innerText()).toBe(device.user_code)
    await lookAt(window, 'device-question')
    await page.click(yes)
    await page.waitForURL(/\/consents\//)
    await page.click('button[name=answer][value=refuse]')
    await page.waitForURL(/\/device\/done/)
    await lookAt(window, 'device-done')
    expect(await device.poll()).toMatchObject({ token_type: 'Bearer' })
    await window.context.close()
  })

  it('a device in place of an older connection, whose code need not be typed again', async () => {
    const { page } = user
    const device = await startDevice(world, 'Hall display')
    await world.letPasskeyGrowOld(user)
    await page.goto('/device')
    await page.fill('[name=user_code]', device.user_code)
    await page.click('main form button')
    await page.locator('input[name=replaces]:not([value=""])').last().check()
    await page.click(yes)
    await page.waitForURL(/\/step-up\?/)
    await page.click('form[data-passkey] button')
    await page.waitForURL(/\/device\?/)
    expect(await page.locator('p.code').innerText()).toBe(device.user_code)
    expect(await page.locator('input[name=replaces]:not([value=""])').last().isChecked()).toBe(true)
    await page.click(yes)
    await page.waitForURL(/\/device\/done/)
    expect(await device.poll()).toMatchObject({ token_type: 'Bearer' })
  })

  it('nobody, when the answer is no or the request makes no sense', async () => {
    const { page } = user
    const program = await registerProgram(world, 'Unwanted')
    await page.goto(program.authorizeUrl())
    await page.click(no)
    await page.waitForURL(/127\.0\.0\.1:\d+\/callback/)
    expect(world.callback.last().get('error')).toBe('access_denied')
    await page.goto('/connect/AAAAAAAAAAAAAAAAAAAAA')
    await lookAt(user, 'connect-gone')
    await page.goto('/oauth/authorize?client_id=nobody')
    await lookAt(user, 'oauth-error')
    const device = await startDevice(world, 'Unwanted display')
    await page.goto('/device')
    await page.fill('[name=user_code]', device.user_code)
    await page.click('main form button')
    await page.click(no)
    await lookAt(user, 'device-refused')
    expect(await device.poll()).toMatchObject({ error: 'access_denied' })
  })

  it('gives the browser nothing to complain of', () => {
    expect(world.complaints).toEqual([])
  })
})
