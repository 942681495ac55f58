import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Manifest } from '../../src/core/manifest/manifest.ts'
import { channelPages } from '../../src/pages/channels-page.ts'
import { linkedPages } from '../../src/pages/linked-page.ts'
import { createFakeCarriers, type FakeCarriers } from '../support/fake-carriers.ts'
import { grantAll } from '../support/granted-agent.ts'
import { type LinkServer, startLinkServer } from '../support/link-server.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { NOW_MS } from '../support/test-broker.ts'
import { createTestPages, type TestPages } from '../support/test-pages.ts'

let test: TestPages
let carriers: FakeCarriers
let as: string
let userId: string

beforeEach(async () => {
  carriers = createFakeCarriers()
  test = await createTestPages({
    more: (broker) => [...linkedPages({ broker }), ...channelPages({ broker, carriers })],
  })
  userId = test.broker.newId('user')
  as = test.signIn({ id: userId, steppedUpAtMs: NOW_MS })
})
afterEach(() => test.close())

describe('the page of channels', () => {
  it('adds a mail address, takes its code and removes it again', async () => {
    const added = await test.visit('/channels', { as, form: { do: 'mail', address: 'alice@example.com' } })
    expect(added).toMatchObject({ status: 303, location: '/channels' })
    const page = await test.visit('/channels', { as })
    expect(page.text).toContain('alice@example.com')
    const channel = /name="channel" value="(chn_\w+)"/.exec(page.text)?.[1] ?? ''
    const wrong = await test.visit('/channels', { as, form: { do: 'verify', channel, code: '1' } })
    expect(wrong).toMatchObject({ status: 409, text: expect.stringContaining('not right') })
    const { code = '' } = carriers.codes[0] ?? {}
    expect((await test.visit('/channels', { as, form: { do: 'verify', channel, code } })).status).toBe(303)
    expect((await test.visit('/channels', { as, form: { do: 'remove', channel } })).status).toBe(303)
    expect((await test.visit('/channels', { as })).text).not.toContain('alice@example.com')
  })

  it('changes nothing without a step-up, and comes back to itself', async () => {
    const cold = test.signIn({ id: userId, steppedUpAtMs: null })
    const form = { do: 'mail', address: 'eve@example.com' }
    expect(await test.visit('/channels', { as: cold, form })).toMatchObject({
      status: 303,
      location: '/step-up?next=%2Fchannels',
    })
    expect((await test.visit('/channels', { as, form, csrf: null })).status).toBe(403)
    expect(carriers.codes).toEqual([])
  })

  it('shows nothing of another user', async () => {
    await test.visit('/channels', { as, form: { do: 'mail', address: 'alice@example.com' } })
    const eve = test.signIn({ id: test.broker.newId('user'), steppedUpAtMs: NOW_MS })
    expect((await test.visit('/channels', { as: eve })).text).not.toContain('alice')
  })

  it('serves a service worker whose scope holds no page', async () => {
    const worker = await test.visit('/push-worker.js')
    expect(worker.status).toBe(200)
    expect(worker.headers.get('content-type')).toContain('javascript')
    expect(worker.headers.get('service-worker-allowed')).toBe('/push-worker/')
  })
})

describe('the page of linked accounts', () => {
  let server: LinkServer
  beforeEach(async () => {
    server = await startLinkServer()
    const { origin } = server
    const manifest: Manifest = {
      ...sampleManifest('pay.transfer'),
      links: [
        {
          id: 'wallet',
          means: 'payment',
          title: { en: '<script>alert(1)</script>', zh: '钱包' },
          issuer: origin,
          authorizationEndpoint: `${origin}/authorize`,
          tokenEndpoint: `${origin}/token`,
          scopes: ['pay'],
          fills: ['/from_account'],
        },
      ],
    }
    test.linkClients.set('pay.transfer wallet', server)
    await grantAll(test.broker, manifest, {}, { userId })
    test.skill.replyAlways((call) => ({
      kind: 'answered',
      status: 200,
      contentType: 'application/json',
      headers: {},
      body: Buffer.from(
        call.endpoint.endsWith('/token') ? '{"access_token":"at.1","token_type":"Bearer"}' : '{}',
      ),
    }))
  })
  afterEach(() => server.close())

  it('links and unlinks, and a GET does neither', async () => {
    const page = await test.visit('/linked', { as })
    expect(page.text).not.toContain('<script>alert')
    expect(page.headers.get('content-security-policy')).toContain(server.origin)
    const started = await test.visit('/linked', { as, form: { skill: 'pay.transfer', link: 'wallet' } })
    const back = server.authorize(started.location ?? '')
    const callback = `${back.pathname}${back.search}`
    const asked = await test.visit(callback, { as })
    expect(asked).toMatchObject({ status: 200, text: expect.stringContaining('Finish linking') })
    expect((await test.visit('/linked', { as })).text).toContain('Not linked')

    const form = Object.fromEntries(back.searchParams)
    const stranger = test.signIn({ id: test.broker.newId('user'), steppedUpAtMs: NOW_MS })
    expect((await test.visit('/linked/callback', { as, form, csrf: null })).status).toBe(403)
    expect(await test.visit('/linked/callback', { as, form })).toMatchObject({
      status: 303,
      location: '/linked',
    })
    expect((await test.visit('/linked/callback', { as, form })).status).toBe(409)
    const linked = await test.visit('/linked', { as })
    expect(linked.text).not.toContain('at.1')
    const account = /name="account" value="(lnk_\w+)"/.exec(linked.text)?.[1] ?? ''
    expect((await test.visit('/linked', { as: stranger, form: { account } })).status).toBe(404)
    expect((await test.visit('/linked', { as, form: { account } })).status).toBe(303)
    expect((await test.visit('/linked', { as })).text).toContain('Not linked')
  })

  it('sends nobody anywhere without a step-up', async () => {
    const cold = test.signIn({ id: userId, steppedUpAtMs: null })
    const form = { skill: 'pay.transfer', link: 'wallet' }
    expect((await test.visit('/linked', { as: cold, form })).location).toBe('/step-up?next=%2Flinked')
  })
})
