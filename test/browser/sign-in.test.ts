import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type RunningBroker, startBroker } from '../../src/compose.ts'
import { readConfig } from '../../src/config.ts'

const AXE = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8')

const folder = mkdtempSync(join(tmpdir(), 'countersign-browser-'))
let running: RunningBroker
let browser: Browser
/** What browsers complain of: errors of scripts and of the content security policy. */
const complaints: string[] = []

beforeAll(async () => {
  const read = readConfig({
    COUNTERSIGN_DATA: folder,
    COUNTERSIGN_PORT: '0',
    COUNTERSIGN_LOG_LEVEL: 'silent',
    COUNTERSIGN_SIGN_UP: 'open',
  })
  if (!read.ok) throw new Error(read.faults.join('\n'))
  running = await startBroker(read.config)
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  })
}, 60_000)
afterAll(async () => {
  await browser?.close()
  await running?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** A device with an authenticator of its own, which verifies its owner. */
async function device(about: { locale?: string; width?: number } = {}): Promise<Page> {
  const { locale = 'en-US', width = 1200 } = about
  const context = await browser.newContext({ locale, viewport: { width, height: 800 } })
  const page = await context.newPage()
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    // A page that says no has a status that says so too.
    if (message.type() === 'error' && !message.text().includes('403')) complaints.push(message.text())
  })
  const cdp = await context.newCDPSession(page)
  await cdp.send('WebAuthn.enable')
  await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  return page
}

/** Rules of axe-core a page breaks. The debugger runs it: the page's own policy lets no other script in. */
async function violations(page: Page): Promise<string[]> {
  const cdp = await page.context().newCDPSession(page)
  const expression = `${AXE};axe.run().then((found) => found.violations.map((one) => one.id))`
  const { result } = await cdp.send('Runtime.evaluate', {
    expression,
    awaitPromise: true,
    returnByValue: true,
  })
  return result.value
}

const at = (path: string) => `${running.url}${path}`

async function enrol(page: Page, link: string, operator?: string): Promise<string[]> {
  await page.goto(link)
  expect(await violations(page)).toEqual([])
  if (operator !== undefined) await page.fill('[name=operator]', operator)
  await page.fill('[name=name]', 'This phone')
  await page.click('form[data-passkey] button')
  await page.waitForSelector('.codes')
  expect(await violations(page)).toEqual([])
  return page.locator('.codes code').allInnerTexts()
}

describe('people in a browser', { timeout: 120_000 }, () => {
  it('set the broker up, invite, sign in, step up, let a terminal in, and come back by a code', async () => {
    const operator = await device()
    const codes = await enrol(operator, running.setUpLink ?? '', 'lin.wei')
    expect(codes).toHaveLength(10)
    await operator.goto(at('/operator/people'))
    expect(await violations(operator)).toEqual([])
    await operator.locator('form[action="/operator/people/invite"] button').first().click()
    const link = await operator.locator('code.mono').innerText()

    const user = await device({ locale: 'zh-CN', width: 390 })
    await enrol(user, link)
    await user.goto(at('/security'))
    expect(await user.locator('html').getAttribute('lang')).toBe('zh-CN')
    expect(await user.locator('h1').innerText()).toBe('安全')
    expect(await violations(user)).toEqual([])
    await user.goto(at('/sign-out'))
    await user.click('main form button')
    await user.waitForURL('**/sign-in')

    // An address is no name a passkey can be for, so the page sends its visitors to the name.
    await user.goto(`${running.url.replace('localhost', '127.0.0.1')}/sign-in?next=%2Fsecurity`)
    expect(user.url()).toBe(at('/sign-in?next=%2Fsecurity'))
    expect(await violations(user)).toEqual([])
    await user.click('form[action="/sign-in"] button')
    await user.waitForURL(at('/security'))
    await user.goto(at('/step-up?next=%2Fsecurity'))
    await user.click('form[data-passkey] button')
    await user.waitForURL(at('/security'))

    const json = { 'content-type': 'application/json' }
    const answerShape = z
      .object({ userCode: z.string(), deviceCode: z.string(), token: z.string() })
      .partial()
    const post = async (path: string, body: object) => {
      const response = await fetch(at(path), { method: 'POST', headers: json, body: JSON.stringify(body) })
      return answerShape.parse(await response.json())
    }
    const login = await post('/v1/terminal-logins', { kind: 'operator' })
    await operator.goto(at('/sign-in/terminal'))
    await operator.fill('[name=code]', login.userCode ?? '')
    await operator.click('main form button')
    expect(await violations(operator)).toEqual([])
    await operator.click('button[value=allow]')
    await operator.waitForSelector('.notice-good')
    const polled = await post('/v1/terminal-logins/poll', { deviceCode: login.deviceCode })
    const authorization = `Bearer ${polled.token}`
    expect((await fetch(at('/v1/operator/freezes'), { headers: { authorization } })).status).toBe(200)

    const newPhone = await device()
    await newPhone.goto(at('/recover'))
    await newPhone.fill('[name=code]', codes[0] ?? '')
    await newPhone.click('main form button')
    await newPhone.waitForURL('**/enrol/**')
    await newPhone.click('form[data-passkey] button')
    await newPhone.waitForSelector('main a.button:has-text("Go on")')
    await operator.goto(at('/security'))
    expect(operator.url()).toContain('/sign-in?next=')
    expect((await fetch(at('/v1/operator/freezes'), { headers: { authorization } })).status).toBe(401)
  })

  it('make an account of their own where that is allowed', async () => {
    const page = await device()
    await page.goto(at('/sign-in'))
    expect(await violations(page)).toEqual([])
    await page.click('form[action="/sign-up"] button')
    await page.waitForSelector('.codes')
  })

  it('are told without script that a passkey needs one', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false })
    const page = await context.newPage()
    await page.goto(at('/sign-in'))
    expect(await page.locator('noscript').first().innerText()).not.toBe('')
    await context.close()
  })

  it('meet nothing that their browser complains of', () => {
    expect(complaints).toEqual([])
  })
})
