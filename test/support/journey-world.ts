import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import { type RunningBroker, startBroker } from '../../src/compose.ts'
import { readConfig } from '../../src/config.ts'
import type { Manifest } from '../../src/core/manifest/manifest.ts'
import { type ApiCaller, openApiClient } from '../../src/demo/api-client.ts'
import { openDemoKeys } from '../../src/demo/demo-keys.ts'
import { freePort } from '../../src/demo/free-port.ts'
import { registerSkill } from '../../src/demo/register-skill.ts'
import { loadSampleManifest } from '../../src/demo/skills/sample-skill.ts'
import { type RunningSkill, startSkill } from '../../src/demo/skills/start-skill.ts'
import { publicHalfOf } from '../../src/keys/publisher-key-file.ts'
import { hashSecret } from '../../src/people/bearer-secret.ts'
import { addAuthenticator, CHROMIUM, type Window, type WindowAbout } from './browser-world.ts'
import { type LinkServer, startLinkServer } from './link-server.ts'

/** A broker as `npm start` starts it, a skill that is a server of its own, and a browser people use both with. */
export type JourneyWorld = {
  readonly url: string
  readonly folder: string
  readonly coffee: RunningSkill
  readonly wallet: LinkServer
  /** Where programs on this computer are called back. */
  readonly callback: Callback
  running(): RunningBroker
  /** Stops the broker, lets its folder be changed, and starts it again under the same address. */
  restart(meanwhile: () => Promise<string>): Promise<void>
  /** A browser window of its own; what it complains of ends up in `complaints`. */
  open(about?: WindowAbout): Promise<Window>
  /** Lets the last passkey use of whoever is signed in there be an hour ago. */
  letPasskeyGrowOld(window: Window): Promise<void>
  /** An operator sets the broker up by its first link and approves what the skill publishes. */
  setUp(): Promise<Window>
  /** The API as a page of the broker calls it, for whoever is signed in there. */
  api(window: Window): ApiCaller
  /** Somebody the operator invited, with a passkey of theirs. */
  invite(operator: Window, about?: WindowAbout): Promise<Window>
  /** Errors of scripts and of the content security policy, and reports of the latter. */
  readonly complaints: string[]
  close(): Promise<void>
}

export type Callback = {
  readonly uri: string
  /** What the program was last called back with. */
  last(): URLSearchParams
}

const LINK = 'wallet'
const HOUR_MS = 3_600_000
const SILENT = { info() {}, warn() {}, error() {} }
const SECRETS = { 'coffee.order': { '/payment_token': 'tok_test_card' } }

export async function openJourneyWorld(env: Readonly<Record<string, string>> = {}): Promise<JourneyWorld> {
  const closers: (() => Promise<unknown> | unknown)[] = []
  const close = async () => {
    for (const one of closers.splice(0).reverse()) await one()
  }
  try {
    return await openAll(env, closers, close)
  } catch (error) {
    await close()
    throw error
  }
}

async function openAll(
  env: Readonly<Record<string, string>>,
  closers: (() => Promise<unknown> | unknown)[],
  close: () => Promise<void>,
): Promise<JourneyWorld> {
  const home = mkdtempSync(join(tmpdir(), 'countersign-journey-'))
  closers.push(() => rmSync(home, { recursive: true, force: true }))
  let folder = join(home, 'data')
  mkdirSync(folder, { mode: 0o700 })
  const port = (await freePort(0)) ?? 0
  const url = `http://localhost:${port}`
  const demoKeys = await openDemoKeys(join(home, 'keys.json'))
  const [keys, payKeys] = [demoKeys.get('coffee.order'), demoKeys.get('pay.transfer')]
  if (!keys || !payKeys) throw new Error('no keys')
  const broker = { issuer: url, keys: { url: `${url}/.well-known/jwks.json` } }
  const coffee = await startSkill({ name: 'coffee.order', runtimeKey: keys.runtimeKey, broker })
  closers.push(coffee.stop)
  const wallet = await startLinkServer({ clientSecret: 'a-secret/with-odd+characters' })
  closers.push(wallet.close)
  const { callback, server } = await listenForCallback()
  closers.push(() => server.close())

  const write = (name: string, value: unknown) => {
    const file = join(home, name)
    writeFileSync(file, JSON.stringify(value), { mode: 0o600 })
    return file
  }
  const { clientId, clientSecret } = wallet
  const settings = {
    COUNTERSIGN_PORT: String(port),
    COUNTERSIGN_LOG_LEVEL: 'silent',
    COUNTERSIGN_SKILL_DEV_ORIGINS: [coffee.baseUrl, wallet.origin].join(','),
    COUNTERSIGN_SKILL_SECRETS_FILE: write('skill-secrets.json', SECRETS),
    COUNTERSIGN_LINK_CLIENTS_FILE: write('clients.json', {
      'pay.transfer': { [LINK]: { clientId, clientSecret } },
    }),
    ...env,
  }
  const start = () => {
    const read = readConfig({ ...settings, COUNTERSIGN_DATA: folder })
    if (!read.ok) throw new Error(read.faults.join('; '))
    return startBroker(read.config, { logger: SILENT })
  }
  let running = await start()
  closers.push(() => running.stop({ withinMs: 100 }))
  const browser: Browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  })
  closers.push(() => browser.close())
  const complaints: string[] = []

  async function open(about: WindowAbout = {}): Promise<Window> {
    const { locale = 'en-US', width = 1280, hasScript = true, isDark = false, like } = about
    const context = await browser.newContext({
      baseURL: url,
      locale,
      viewport: { width, height: 844 },
      javaScriptEnabled: hasScript,
      colorScheme: isDark ? 'dark' : 'light',
    })
    if (like) await context.addCookies(await like.cookies())
    const page = await context.newPage()
    page.setDefaultTimeout(15_000)
    const own: string[] = []
    const complain = (text: string) => {
      own.push(text)
      complaints.push(`${page.url()} ${text}`)
    }
    page.on('pageerror', (error) => complain(error.message))
    page.on('request', (request) => {
      if (request.url().includes('/csp-report')) complain(`csp-report ${request.postData() ?? ''}`)
    })
    page.on('console', (message) => {
      // A page that says no has a status that says so too.
      if (message.type() === 'error' && !/status of 4\d\d/.test(message.text())) complain(message.text())
    })
    const window = { context, page, hasScript, complaints: own }
    if (hasScript) await addAuthenticator(window)
    return window
  }

  async function enrol(window: Window, link: string, operator?: string): Promise<Window> {
    const { page } = window
    await page.goto(link)
    if (operator !== undefined) await page.fill('[name=operator]', operator)
    await page.fill('[name=name]', 'This phone')
    await page.click('form[data-passkey] button')
    await page.waitForSelector('.codes')
    return window
  }

  const api = ({ context }: Window): ApiCaller =>
    openApiClient(url, async () => {
      const page = await (await context.request.get('/security')).text()
      return {
        cookie: (await context.cookies()).map(({ name, value }) => `${name}=${value}`).join('; '),
        'sec-fetch-site': 'same-origin',
        'countersign-csrf': /name="csrf" value="([^"]+)"/.exec(page)?.[1] ?? '',
      }
    })

  async function approveSkill(operator: Window): Promise<void> {
    const by = { operator: api(operator), publisher: openApiClient(url, null) }
    if (keys) await registerSkill(by, coffee.manifest, keys)
    const runtimeKeys = payKeys ? [publicHalfOf(payKeys.runtimeKey)] : []
    if (payKeys) await registerSkill(by, { ...withLink(wallet.origin), runtimeKeys }, payKeys)
  }

  return {
    url,
    get folder() {
      return folder
    },
    coffee,
    wallet,
    callback,
    running: () => running,
    async restart(meanwhile) {
      await running.stop({ withinMs: 100 })
      folder = await meanwhile()
      running = await start()
    },
    open,
    api,
    async letPasskeyGrowOld({ context }) {
      const cookie = (await context.cookies()).find(({ name }) => name === 'countersign-dev')
      const hash = hashSecret(cookie?.value ?? '')
      await running.broker.store.transaction(async (tx) => {
        const session = await tx.personSessions.findByToken(hash)
        if (!session) throw new Error('nobody is signed in')
        await tx.personSessions.rotate(session.id, hash, hash, tx.nowMs - HOUR_MS)
      })
    },
    async setUp() {
      const operator = await enrol(await open(), running.setUpLink ?? '', 'lin.wei')
      await operator.page.goto('/operator')
      await approveSkill(operator)
      return operator
    },
    async invite(operator, about) {
      await operator.page.goto('/operator/people')
      await operator.page.locator('form[action="/operator/people/invite"] button').first().click()
      return enrol(await open(about), await operator.page.locator('code.mono').innerText())
    },
    complaints,
    close,
  }
}

/** Another sample skill, with accounts of its own that a user can link. */
function withLink(origin: string): Manifest {
  return {
    ...loadSampleManifest('pay.transfer'),
    endpoint: { transport: 'http', baseUrl: origin },
    links: [
      {
        id: LINK,
        means: 'payment',
        title: { en: 'Wallet', zh: '钱包' },
        issuer: origin,
        authorizationEndpoint: `${origin}/authorize`,
        tokenEndpoint: `${origin}/token`,
        scopes: ['pay'],
        fills: ['/from_account'],
      },
    ],
  }
}

async function listenForCallback(): Promise<{ callback: Callback; server: Server }> {
  let last = new URLSearchParams()
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1')
    if (pathname === '/callback') last = searchParams
    response.writeHead(pathname === '/callback' ? 200 : 404, { 'content-type': 'text/html' })
    response.end('<!doctype html><title>Back</title><p>You can close this window.</p>')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { callback: { uri: `http://127.0.0.1:${address.port}/callback`, last: () => last }, server }
}
