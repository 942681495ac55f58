import { copyFileSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { readAs } from '../../src/demo/api-client.ts'
import { runCommand } from '../support/broker-process.ts'
import { HAS_CHROMIUM, type Window } from '../support/browser-world.ts'
import { COFFEE_REQUEST, orderBeans, registerProgram } from '../support/journey-agent.ts'
import { type JourneyWorld, openJourneyWorld } from '../support/journey-world.ts'
import { lookAt } from '../support/look-at-page.ts'

describe.skipIf(!HAS_CHROMIUM)('after a restore', { timeout: 120_000 }, () => {
  let world: JourneyWorld
  let operator: Window
  let user: Window

  beforeAll(async () => {
    world = await openJourneyWorld()
    operator = await world.setUp()
    user = await world.invite(operator, { locale: 'zh-CN', width: 390 })
  }, 60_000)
  afterAll(() => world?.close())

  /** Backs the broker up while it serves, and puts the backup into a folder of its own. */
  async function backUpAndRestore(): Promise<void> {
    const { folder } = world
    const home = dirname(folder)
    const [backup, keys, restored] = [join(home, 'backup'), join(home, 'keys'), join(home, 'restored')]
    const run = async (...args: string[]) => {
      const done = await runCommand(args)
      expect(done).toMatchObject({ code: 0 })
    }
    await run('backup', '--data', folder, '--to', backup)
    await run('backup', '--data', folder, '--to', keys, '--keys')
    await world.restart(async () => {
      mkdirSync(restored, { mode: 0o700 })
      for (const name of ['kek.json', 'checkpoint-register.json'])
        copyFileSync(join(folder, name), join(restored, name))
      await run('restore', '--data', restored, '--from', keys, '--keys')
      await run('restore', '--data', restored, '--from', backup, '--no-freeze')
      return restored
    })
  }

  it('a grant waits for one more yes, says so, and goes on after it', async () => {
    const { page } = user
    const program = await registerProgram(world, 'Morning helper')
    await page.goto(program.authorizeUrl(COFFEE_REQUEST))
    await page.click('button[name=answer][value=yes]')
    await page.waitForURL(/\/consents\//)
    await page.click('button[name=answer][value=allow]')
    await page.waitForURL(/\/callback/)
    const agent = await program.redeem()
    expect((await orderBeans(agent, 1, 'before-it')).answer.outcome).toBe('succeeded')
    await backUpAndRestore()

    await page.goto('/me')
    if (new URL(page.url()).pathname === '/sign-in') {
      await page.locator('form[data-passkey="get"] button').first().click()
      await page.waitForURL(/\/(me|inbox)$/)
      await page.goto('/me')
    }
    await lookAt(user, 'me-suspended')
    expect(await page.locator('.tag-warn').first().innerText()).toBe('等待你确认')
    await page.locator('a[href^="/me/grants/"]').first().click()
    await lookAt(user, 'grant-suspended')
    await page.click('button[name=do][value=confirm]')
    if (/\/step-up\?/.test(page.url())) await page.click('form[data-passkey] button')
    await page.waitForSelector('.notice-good')
    await lookAt(user, 'grant-confirmed')
    expect(await page.locator('button[value=confirm]').count()).toBe(0)
    const program2 = await registerProgram(world, 'Morning helper')
    expect(program2.clientId).not.toBe(program.clientId)
    const shown = await world.api(user).get('/v1/grants')
    expect(readAs(shown, 200, z.looseObject({})).items).toMatchObject([{ state: 'active' }])
  })

  it('gives the browser nothing to complain of', () => {
    expect(world.complaints).toEqual([])
  })
})
