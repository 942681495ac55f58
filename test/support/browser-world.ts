import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { listen } from '../../src/http/server.ts'
import { openPages } from '../../src/pages/open-pages.ts'
import { peoplePages } from '../../src/pages/people-pages.ts'
import { createGuessThrottle } from '../../src/people/guess-throttle.ts'
import type { PeopleDeps } from '../../src/people/people-deps.ts'
import { findPerson, isSteppedUp } from '../../src/people/person.ts'
import { createTestApp, type TestApp } from './test-app.ts'

export const CHROMIUM = '/usr/bin/chromium'

/** Whether there is a browser to test with. */
export const HAS_CHROMIUM = existsSync(CHROMIUM)

export type BrowserWorld = {
  readonly test: TestApp
  readonly people: PeopleDeps
  readonly origin: string
  readonly browser: Browser
  /** A browser window of its own, with an authenticator that says yes. */
  open(about?: WindowAbout): Promise<Window>
  close(): Promise<void>
}

export type WindowAbout = {
  readonly locale?: 'en-US' | 'zh-CN'
  readonly width?: number
  readonly hasScript?: boolean
  readonly isDark?: boolean
  /** Cookies of another window, to be who it is. */
  readonly like?: BrowserContext
}

export type Window = {
  readonly context: BrowserContext
  readonly page: Page
  readonly hasScript: boolean
  /** What the browser complained about. */
  readonly complaints: string[]
}

const require = createRequire(import.meta.url)
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')

/** The pages over a test broker on a real socket, and a real browser. */
export async function openBrowserWorld(): Promise<BrowserWorld> {
  const server = await listen('127.0.0.1', 0)
  const host = `localhost:${server.port}`
  const origin = `http://${host}`
  let people: PeopleDeps | undefined
  const test = await createTestApp({
    settings: { issuer: origin },
    app: { allowedHosts: [host] },
    pages(broker, publisher) {
      const nowMs = () => broker.store.now().nowMs
      people = {
        broker,
        settings: { origin, rpId: 'localhost', signUp: 'invited' },
        messenger: { tell: async () => undefined },
        provider: null,
        throttle: createGuessThrottle(nowMs),
      }
      const sessions = {
        findPerson: (value: string, atMs: number) => findPerson({ broker }, value, atMs),
        isSteppedUp,
      }
      return openPages(
        { broker, publisher, cancel: async () => [], nowMs },
        sessions,
        peoplePages({ ...people, isSecure: false }),
      )
    },
  })
  server.serve(test.app)
  if (!people) throw new Error('the pages were not opened')
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
    ],
  })
  return {
    test,
    people,
    origin,
    browser,
    async open({ locale = 'en-US', width = 1280, hasScript = true, isDark = false, like } = {}) {
      const context = await browser.newContext({
        baseURL: origin,
        locale,
        viewport: { width, height: 844 },
        javaScriptEnabled: hasScript,
        colorScheme: isDark ? 'dark' : 'light',
      })
      if (like) await context.addCookies(await like.cookies())
      const page = await context.newPage()
      page.setDefaultTimeout(15_000)
      const complaints: string[] = []
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
      })
      page.on('pageerror', (error) => complaints.push(error.message))
      page.on('request', (request) => {
        if (request.url().endsWith('/csp-report')) complaints.push(`csp-report ${request.postData() ?? ''}`)
      })
      return { context, page, hasScript, complaints }
    },
    async close() {
      await browser.close()
      await server.stop(0)
      await test.close()
    },
  }
}

/** Gives a window an authenticator that holds passkeys and knows its user. */
export async function addAuthenticator({ context, page }: Pick<Window, 'context' | 'page'>): Promise<void> {
  const devtools = await context.newCDPSession(page)
  await devtools.send('WebAuthn.enable')
  await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
}

/** What axe-core finds wrong with the page as it stands: rule, and where. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  return page.evaluate<string[]>(
    `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
      violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => id + ' ' + target.join(' ') + ' ' + failureSummary)))`,
  )
}

/** Whether the page has to be scrolled sideways. */
export function isTooWide(page: Page): Promise<boolean> {
  return page.evaluate<boolean>('document.documentElement.scrollWidth > innerWidth')
}
