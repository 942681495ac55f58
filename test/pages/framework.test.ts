import { html } from 'hono/html'
import { describe, expect, it } from 'vitest'
import { formToken } from '../../src/pages/csrf.ts'
import { chooseLocale } from '../../src/pages/locale.ts'
import { ownPath } from '../../src/pages/own-path.ts'
import type { Page } from '../../src/pages/page.ts'
import { createPageSurface } from '../../src/pages/serve-page.ts'
import { createTestApp, HOST } from '../support/test-app.ts'
import { createTestPages } from '../support/test-pages.ts'

const SESSION = 'a'.repeat(43)
const PERSON = {
  kind: 'user' as const,
  id: 'usr_a',
  sessionId: 'ses_a',
  signedInAtMs: 0,
  steppedUpAtMs: null,
  viaProvider: false,
}

function surfaceOf(pages: readonly Page[], isSteppedUp = false) {
  return createPageSurface({
    pages,
    issuer: `https://${HOST}`,
    nowMs: () => 0,
    findPerson: async (value) => (value === SESSION ? { ...PERSON, channel: 'browser' } : null),
    isSteppedUp: () => isSteppedUp,
  })
}

/** An app with the given pages and one session. */
async function appWith(pages: readonly Page[], isSteppedUp = false) {
  const { app } = await createTestApp({ pages: () => surfaceOf(pages, isSteppedUp) })
  return (path: string, init: RequestInit = {}) => app.request(`https://${HOST}${path}`, init)
}

const PAGE: Page = {
  method: 'get',
  path: '/here',
  who: 'user',
  run: ({ csrf }) => ({ kind: 'html', title: 'Here', body: html`<p>in</p><i>${csrf}</i>` }),
}
const POSTED: Page = {
  method: 'post',
  path: '/here',
  who: 'user',
  run: ({ form }) => ({ kind: 'html', title: 'Done', body: html`<p>posted ${form.get('word')}</p>` }),
}
const AS = { cookie: `__Host-countersign=${SESSION}` }

function posting(body: string, headers: Record<string, string> = {}): RequestInit {
  return {
    method: 'POST',
    body,
    headers: {
      ...AS,
      'content-type': 'application/x-www-form-urlencoded',
      'sec-fetch-site': 'same-origin',
      origin: 'null',
      ...headers,
    },
  }
}
const GOOD = `word=yes&csrf=${formToken(SESSION)}`

describe('a page', () => {
  it('sends whoever is not signed in to sign in, and back to exactly where they were', async () => {
    const fetch = await appWith([PAGE])
    const answer = await fetch('/here?a=1')
    expect(answer.status).toBe(303)
    expect(answer.headers.get('location')).toBe('/sign-in?next=%2Fhere%3Fa%3D1')
  })

  it('does not exist for the wrong kind of person', async () => {
    const fetch = await appWith([{ ...PAGE, who: 'operator' }])
    expect((await fetch('/here', { headers: AS })).status).toBe(404)
  })

  it('is never kept, framed, referred from or given a device, and runs nothing inline', async () => {
    const fetch = await appWith([PAGE])
    const { headers } = await fetch('/here', { headers: AS })
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('referrer-policy')).toBe('no-referrer')
    expect(headers.get('x-frame-options')).toBe('DENY')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('permissions-policy')).toContain('camera=()')
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'")
    expect(policy).toContain("frame-ancestors 'none'; base-uri 'none'; report-uri /csp-report")
    expect(policy).not.toMatch(/unsafe|\*|nonce/)
  })

  it('is told a whole /64 as one address, so that guesses there are counted together', async () => {
    const told: string[] = []
    const page: Page = {
      ...PAGE,
      who: 'anyone',
      run({ address }) {
        told.push(address)
        return { kind: 'not_found' }
      },
    }
    const { app } = await createTestApp({ pages: () => surfaceOf([page]) })
    for (const remoteAddress of ['2001:db8:0:1::7', '2001:db8:0:1:ffff::1', '192.0.2.7'])
      await app.request(`https://${HOST}/here`, {}, { incoming: { socket: { remoteAddress } } })
    expect(told).toEqual(['2001:db8:0:1', '2001:db8:0:1', '192.0.2.7'])
  })

  it('sends whoever has used no passkey lately to do so, where it asks for that', async () => {
    const pages = [{ ...PAGE, needsStepUp: () => true }]
    const away = await (await appWith(pages))('/here?b=2', { headers: AS })
    expect(away.headers.get('location')).toBe('/step-up?next=%2Fhere%3Fb%3D2')
    expect((await (await appWith(pages, true))('/here', { headers: AS })).status).toBe(200)
  })
})

describe('a form', () => {
  it('is taken with the token of its session', async () => {
    const fetch = await appWith([PAGE, POSTED])
    const shown = await (await fetch('/here', { headers: AS })).text()
    const token = /<i>(.+)<\/i>/.exec(shown)?.[1]
    const answer = await fetch('/here', posting(`word=yes&csrf=${token}`))
    expect(await answer.text()).toContain('posted yes')
  })

  it.each([
    ['without a token', 'word=yes', {}],
    ['with a token of another session', `csrf=${formToken('b'.repeat(43))}`, {}],
    ['with its token twice', `${GOOD}&csrf=${formToken(SESSION)}`, {}],
    ['from another site', GOOD, { 'sec-fetch-site': 'cross-site' }],
    ['from another host of this site', GOOD, { 'sec-fetch-site': 'same-site' }],
    ['typed into the address bar', GOOD, { 'sec-fetch-site': 'none' }],
  ])('is refused %s', async (_, body, headers) => {
    const fetch = await appWith([PAGE, POSTED])
    const answer = await fetch('/here', posting(body, headers))
    expect(answer.status).toBe(403)
    expect(await answer.text()).not.toContain('posted')
  })

  it('is refused when nothing says where it was sent from', async () => {
    const fetch = await appWith([POSTED])
    const { headers, ...init } = posting(GOOD)
    const { 'sec-fetch-site': _, ...rest } = headers as Record<string, string>
    expect((await fetch('/here', { ...init, headers: rest })).status).toBe(403)
    const foreign = await fetch('/here', { ...init, headers: { ...rest, origin: 'https://evil.example' } })
    expect(foreign.status).toBe(403)
    const own = await fetch('/here', { ...init, headers: { ...rest, origin: `https://${HOST}` } })
    expect(own.status).toBe(200)
  })

  it.each([
    ['as JSON', '{}', { 'content-type': 'application/json' }, 415],
    ['as plain text', GOOD, { 'content-type': 'text/plain' }, 415],
    ['with too many fields', `${GOOD}${'&a=1'.repeat(2_001)}`, {}, 413],
    ['with too many bytes', `${GOOD}&a=${'1'.repeat(262_144)}`, {}, 413],
  ])('is refused %s', async (_, body, headers, status) => {
    const fetch = await appWith([POSTED])
    const answer = await fetch('/here', posting(body, headers))
    expect(answer.status).toBe(status)
    expect(answer.headers.get('content-type')).toContain('text/html')
  })

  it('of somebody not signed in is tied to the browser that opened it', async () => {
    const open: Page[] = [
      { ...PAGE, who: 'anyone' },
      { ...POSTED, who: 'anyone' },
    ]
    const fetch = await appWith(open)
    const answer = await fetch('/here')
    const [cookie = ''] = (answer.headers.get('set-cookie') ?? '').split(';')
    expect(cookie).toMatch(/^__Host-countersign-form=/)
    expect(answer.headers.get('set-cookie')).toMatch(/; Path=\/; HttpOnly; SameSite=Lax; Secure$/)
    const token = /<i>(.+)<\/i>/.exec(await answer.text())?.[1]
    const sent = `word=yes&csrf=${token}`
    expect((await fetch('/here', posting(sent, { cookie }))).status).toBe(200)
    const other = `__Host-countersign-form=${'c'.repeat(43)}`
    expect((await fetch('/here', posting(sent, { cookie: other }))).status).toBe(403)
    expect((await fetch('/here', posting(sent, { cookie: '' }))).status).toBe(403)
  })
})

describe('what does not exist', () => {
  it('is a page for browsers and a problem for programs', async () => {
    const { visit } = await createTestPages()
    const page = await visit('/nothing', { headers: { accept: 'text/html' } })
    expect(page.status).toBe(404)
    expect(page.text).toContain('<html lang="en">')
    expect((await visit('/nothing')).text).toContain('"code":"not_found"')
  })
})

describe('the language', () => {
  it.each([
    [undefined, null, 'en'],
    [undefined, 'zh-CN,zh;q=0.9,en;q=0.8', 'zh'],
    [undefined, 'fr-FR, en;q=0.4, zh-TW;q=0.7', 'zh'],
    [undefined, 'zh;q=0, en', 'en'],
    [undefined, `${'x,'.repeat(10_000)}zh`, 'en'],
    ['en', 'zh-CN', 'en'],
    ['zh', 'en', 'zh'],
    ['fr"><script>', 'zh', 'zh'],
  ])('for the choice %s and a browser of %s is %s', (cookie, header, locale) => {
    expect(chooseLocale(cookie, header)).toBe(locale)
  })

  it('is switched by a form that leads back to the page, and nowhere else', async () => {
    const { visit, signIn } = await createTestPages()
    const as = signIn({ id: 'usr_a' })
    const answer = await visit('/language', { as, form: { lang: 'zh', next: '/me?x=1' } })
    expect(answer.location).toBe('/me?x=1')
    expect(answer.headers.get('set-cookie')).toMatch(/^lang=zh; /)
    const away = await visit('/language', { as, form: { lang: 'zh', next: '//evil.example/' } })
    expect(away.location).toBe('/')
  })
})

describe('where a person may be sent on to', () => {
  it.each([
    ['/inbox', '/inbox'],
    ['/consents/csr_1?a=b&c=%2F', '/consents/csr_1?a=b&c=%2F'],
    ['//evil.example', '/x'],
    ['/\\evil.example', '/x'],
    ['/a\\..\\b', '/x'],
    ['https://evil.example', '/x'],
    ['javascript:alert(1)', '/x'],
    ['/\t/evil.example', '/x'],
    ['/a/..//evil.example', '/x'],
    ['/.//evil.example', '/x'],
    ['/a\r\nset-cookie: a=b', '/x'],
    ['', '/x'],
    ['inbox', '/x'],
    [`/${'a'.repeat(5_000)}`, '/x'],
  ])('for %j is %j', (next, path) => {
    expect(ownPath(next, '/x')).toBe(path)
  })
})
