import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { beforeEach, describe, expect, it } from 'vitest'
import { CONSENT_DETAIL_TYPE } from '../../src/oauth/consent-detail.ts'
import {
  begin,
  callbackOf,
  connect,
  newClient,
  REDIRECT,
  refresh,
  register,
  sayYes,
  tell,
} from '../support/oauth-client.ts'
import { type OauthWorld, openOauthWorld } from '../support/oauth-world.ts'

let world: OauthWorld
beforeEach(async () => {
  world = await openOauthWorld()
})

const token = (fields: Record<string, string>, headers = {}) =>
  tell(`${world.url}/oauth/token`, fields, headers)

describe('redirect URIs', () => {
  it.each([
    ['plain http to a host on the internet', 'http://agent.example/cb'],
    ['a scheme of a program', 'cursor://callback'],
    ['a script', 'javascript:alert(1)'],
    ['user info', 'https://agent.example@evil.example/cb'],
    ['a fragment', 'https://agent.example/cb#x'],
    ['a wildcard', 'https://*.agent.example/cb'],
    ['a wildcard in the path', 'https://agent.example/*'],
    ['dots in the path', 'https://agent.example/cb/../other'],
    ['encoded dots in the path', 'https://agent.example/cb/%2e%2e/other'],
    ['a backslash', 'https://agent.example\\@evil.example/cb'],
    ['loopback as a mere prefix', 'http://127.0.0.1.evil.example/cb'],
    ['another spelling of loopback', 'http://2130706433/cb'],
  ])('are not registered with %s', async (_, uri) => {
    const { status, body } = await register(world, { redirect_uris: [uri] })
    expect([status, body.error]).toEqual([400, 'invalid_redirect_uri'])
  })

  it.each([
    ['a longer path', 'https://agent.example/cb/more'],
    ['a shorter path', 'https://agent.example/'],
    ['dots in the path', 'https://agent.example/cb/../cb'],
    ['a host with a suffix', 'https://agent.example.evil.example/cb'],
    ['another port', 'https://agent.example:8443/cb'],
    ['user info', 'https://agent.example@evil.example/cb'],
    ['a fragment', 'https://agent.example/cb#x'],
    ['a query', 'https://agent.example/cb?x=1'],
    ['another scheme', 'http://agent.example/cb'],
  ])('must be the registered one exactly: %s leads nowhere', async (_, uri) => {
    const clientId = await newClient(world, { redirect_uris: ['https://agent.example/cb'] })
    const { browser } = await world.signIn()
    const page = await browser.send('GET', begin(world, clientId, { redirect_uri: uri }).url)
    // It is shown to the person and never sent to where the request wants it.
    expect([page.status, page.location]).toEqual([400, null])
    expect(page.text).toContain('redirect_uri')
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
  })

  it('on this machine may vary in their port (RFC 8252 section 7.3) and in nothing else', async () => {
    const clientId = await newClient(world)
    const { browser } = await world.signIn()
    const open = (redirect_uri: string) => browser.send('GET', begin(world, clientId, { redirect_uri }).url)
    expect((await open('http://127.0.0.1:1234/callback')).status).toBe(303)
    expect((await open('http://127.0.0.1:1234/callback2')).status).toBe(400)
    expect((await open('http://localhost:53211/callback')).status).toBe(400)
    expect((await open('http://127.0.0.1:1234@evil.example/callback')).status).toBe(400)
  })

  it('are checked again when the code is redeemed', async () => {
    const { browser } = await world.signIn()
    const clientId = await newClient(world)
    const begun = begin(world, clientId)
    const code = (await sayYes(browser, begun.url)).get('code') ?? ''
    const redeemed = await token({
      grant_type: 'authorization_code',
      client_id: clientId,
      code,
      redirect_uri: 'http://127.0.0.1:1/callback',
      code_verifier: begun.verifier,
    })
    expect([redeemed.status, redeemed.body.error]).toEqual([400, 'invalid_grant'])
  })
})

describe('PKCE', () => {
  it.each([
    ['is missing', { code_challenge: '', code_challenge_method: '' }],
    ['is plain', { code_challenge_method: 'plain' }],
    ['does not name its method', { code_challenge_method: '' }],
  ])('a request is refused where it %s', async (_, extra) => {
    const clientId = await newClient(world)
    const { browser } = await world.signIn()
    const { location } = await browser.send('GET', begin(world, clientId, extra).url)
    const callback = new URL(location ?? '')
    expect(callback.searchParams.get('error')).toBe('invalid_request')
    expect(callback.searchParams.get('iss')).toBe(world.url)
  })

  it('a code is refused with the verifier of another, or with none', async () => {
    const clientId = await newClient(world)
    const { browser } = await world.signIn()
    for (const code_verifier of ['', 'x'.repeat(43)]) {
      const code = (await sayYes(browser, begin(world, clientId).url)).get('code') ?? ''
      const fields = { grant_type: 'authorization_code', client_id: clientId, code, redirect_uri: REDIRECT }
      const redeemed = await token(code_verifier === '' ? fields : { ...fields, code_verifier })
      expect([redeemed.status, redeemed.body.error]).toEqual([400, 'invalid_grant'])
    }
  })
})

describe('mix-up', () => {
  it('every answer names its issuer, errors too (RFC 9207)', async () => {
    const clientId = await newClient(world)
    const { browser } = await world.signIn()
    expect((await sayYes(browser, begin(world, clientId).url)).get('iss')).toBe(world.url)
    const refused = await browser.submit(await browser.open(begin(world, clientId).url), { answer: 'no' })
    const callback = await callbackOf(browser, refused)
    expect([callback.get('error'), callback.get('iss')]).toEqual(['access_denied', world.url])
  })
})

describe('replay', () => {
  it('of a code is refused and ends the whole family', async () => {
    const { browser } = await world.signIn()
    const { clientId, redemption, refreshToken, tokens } = await connect(world, browser)
    expect(tokens.status).toBe(200)
    const again = await token(redemption)
    expect([again.status, again.body.error]).toEqual([400, 'invalid_grant'])
    const dead = await refresh(world, clientId, refreshToken)
    expect([dead.status, dead.body.error]).toEqual([400, 'invalid_grant'])
  })

  it('of a refresh token is refused and ends the whole family', async () => {
    const { browser } = await world.signIn()
    const { clientId, refreshToken } = await connect(world, browser)
    const next = await refresh(world, clientId, refreshToken)
    expect(next.status).toBe(200)
    expect((await refresh(world, clientId, refreshToken)).body.error).toBe('invalid_grant')
    expect((await refresh(world, clientId, String(next.body.refresh_token))).body.error).toBe('invalid_grant')
  })

  it('ten redemptions of one code at once give tokens once', async () => {
    const { browser } = await world.signIn()
    const clientId = await newClient(world)
    const begun = begin(world, clientId)
    const code = (await sayYes(browser, begun.url)).get('code') ?? ''
    const fields = {
      grant_type: 'authorization_code',
      client_id: clientId,
      code,
      redirect_uri: REDIRECT,
      code_verifier: begun.verifier,
    }
    const all = await Promise.all(Array.from({ length: 10 }, () => token(fields)))
    expect(all.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(all.filter(({ body }) => body.error === 'invalid_grant')).toHaveLength(9)
  })

  it('ten uses of one refresh token at once give tokens once at most', async () => {
    const { browser } = await world.signIn()
    const { clientId, refreshToken } = await connect(world, browser)
    const all = await Promise.all(Array.from({ length: 10 }, () => refresh(world, clientId, refreshToken)))
    expect(all.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1)
    const [won] = all.filter(({ status }) => status === 200)
    if (won)
      expect((await refresh(world, clientId, String(won.body.refresh_token))).body.error).toBe(
        'invalid_grant',
      )
  })

  it('of a code by another client is refused', async () => {
    const { browser } = await world.signIn()
    const clientId = await newClient(world)
    const begun = begin(world, clientId)
    const code = (await sayYes(browser, begun.url)).get('code') ?? ''
    const stolen = await token({
      grant_type: 'authorization_code',
      client_id: await newClient(world),
      code,
      redirect_uri: REDIRECT,
      code_verifier: begun.verifier,
    })
    expect(stolen.body.error).toBe('invalid_grant')
  })

  it('two yeses to one request make one connection', async () => {
    const { browser, userId } = await world.signIn()
    const page = await browser.open(begin(world, await newClient(world)).url)
    await Promise.all([
      browser.submit(page, { answer: 'yes' }),
      browser.submit(page, { answer: 'yes' }),
      browser.submit(page, { answer: 'yes' }),
    ])
    const agents = await world.running.broker.store.read(async (tx) => tx.agents.list(userId))
    expect(agents).toHaveLength(1)
  })
})

describe('whose request it is', () => {
  it('cannot be answered in a browser that did not begin it', async () => {
    const attacker = await world.signIn()
    const victim = await world.signIn()
    const begun = await attacker.browser.send('GET', begin(world, await newClient(world)).url)
    const link = new URL(begun.location ?? '', world.url).href
    const page = await victim.browser.open(link)
    expect(page.status).toBe(404)
    const posted = await victim.browser.submit({ ...page, url: link }, { answer: 'yes' })
    expect(posted.status).toBe(404)
    const agents = await world.running.broker.store.read(async (tx) => tx.agents.list(victim.userId))
    expect(agents).toHaveLength(0)
  })

  it('a form from another site connects nothing', async () => {
    const { browser, userId } = await world.signIn()
    const page = await browser.open(begin(world, await newClient(world)).url)
    const posted = await browser.submit({ ...page, text: '' }, { answer: 'yes' })
    expect(posted.status).toBe(403)
    expect(await world.running.broker.store.read(async (tx) => tx.agents.list(userId))).toHaveLength(0)
  })

  it('a pushed request is good for its own client alone, and once', async () => {
    const { browser } = await world.signIn()
    const clientId = await newClient(world)
    const begun = begin(world, clientId)
    const pushed = await tell(`${world.url}/oauth/par`, begun.params)
    expect(pushed.status).toBe(201)
    const request_uri = String(pushed.body.request_uri)
    const open = (client_id: string) =>
      browser.send('GET', `${world.url}/oauth/authorize?${new URLSearchParams({ client_id, request_uri })}`)
    const stolen = await open(await newClient(world))
    expect(stolen.location).toContain('error=invalid_request_object')
    expect(stolen.location).not.toContain('code=')
    await sayYes(
      browser,
      `${world.url}/oauth/authorize?${new URLSearchParams({ client_id: clientId, request_uri })}`,
    )
    const again = await open(clientId)
    expect(again.location).toContain('error=invalid_request_uri')
    expect(again.location).not.toContain('code=')
  })

  it('a request object without a signature is not read', async () => {
    const clientId = await newClient(world)
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{}').toString('base64url')}.`
    const { status, body } = await tell(`${world.url}/oauth/par`, {
      ...begin(world, clientId).params,
      request: none,
    })
    expect([status, body.error]).toEqual([400, 'request_not_supported'])
  })
})

describe('what is asked for', () => {
  const detail = {
    type: CONSENT_DETAIL_TYPE,
    request: { skill: 'coffee.order', actions: [{ name: 'get_menu' }] },
  }

  it.each([
    ['of an unknown type', [{ type: 'payment_initiation' }]],
    ['of another user', [{ ...detail, request: { ...detail.request, userId: 'usr_1' } }]],
    ['that is already granted, by its own word', [{ ...detail, grantId: 'grt_1' }]],
    ['for a skill nobody knows', [{ ...detail, request: { ...detail.request, skill: 'no.such' } }]],
    [
      'for an action nobody declares',
      [{ ...detail, request: { ...detail.request, actions: [{ name: 'rm' }] } }],
    ],
    [
      'to renew a grant of another agent',
      [{ ...detail, request: { ...detail.request, renewsGrantId: 'grt_1' } }],
    ],
    ['that is no list', { ...detail }],
    ['that is no JSON', 'x'],
  ])('authorization_details %s are refused', async (_, details) => {
    const { status, body } = await tell(`${world.url}/oauth/par`, {
      ...begin(world, await newClient(world)).params,
      authorization_details: typeof details === 'string' ? details : JSON.stringify(details),
    })
    expect([status, body.error]).toEqual([400, 'invalid_authorization_details'])
  })

  it.each([
    ['for what was never granted', [{ type: CONSENT_DETAIL_TYPE, grantId: 'grt_1' }]],
    ['with terms of its own', [{ ...detail }]],
  ])('authorization_details %s are refused at the token endpoint', async (_, details) => {
    const { browser } = await world.signIn()
    const { clientId, refreshToken } = await connect(world, browser)
    const { status, body } = await refresh(world, clientId, refreshToken, {
      authorization_details: JSON.stringify(details),
    })
    expect([status, body.error]).toEqual([400, 'invalid_authorization_details'])
  })

  it.each(['https://other.example', 'http://127.0.0.1:1/', 'urn:x'])(
    'a token for %s is refused, at once and later',
    async (resource) => {
      const clientId = await newClient(world)
      const { status, body } = await tell(`${world.url}/oauth/par`, {
        ...begin(world, clientId).params,
        resource,
      })
      expect([status, body.error]).toEqual([400, 'invalid_target'])
      const { browser } = await world.signIn()
      const connected = await connect(world, browser)
      const later = await refresh(world, connected.clientId, connected.refreshToken, { resource })
      expect([later.status, later.body.error]).toEqual([400, 'invalid_target'])
    },
  )

  it('a token for the API alone is not turned into one for the MCP endpoint', async () => {
    const { browser } = await world.signIn()
    const { clientId, refreshToken } = await connect(world, browser)
    const { body } = await refresh(world, clientId, refreshToken, { resource: `${world.url}/mcp` })
    expect(body.error).toBe('invalid_target')
  })

  it.each([
    ['an implicit token', { response_type: 'token' }, 'unsupported_response_type'],
    ['an ID token', { response_type: 'id_token', nonce: 'n' }, 'unsupported_response_type'],
    ['a form that posts itself', { response_mode: 'form_post' }, 'unsupported_response_mode'],
  ])('%s is not to be had', async (_, extra, error) => {
    const { status, body } = await tell(`${world.url}/oauth/par`, {
      ...begin(world, await newClient(world), extra).params,
    })
    expect([status, body.error]).toEqual([400, error])
  })

  it.each(['password', 'client_credentials', 'urn:ietf:params:oauth:grant-type:token-exchange'])(
    'the grant type %s is not to be had',
    async (grant_type) => {
      const { status, body } = await token({
        grant_type,
        client_id: await newClient(world),
        username: 'a',
        password: 'b',
      })
      expect([status, body.error]).toEqual([400, 'unsupported_grant_type'])
    },
  )
})

describe('DPoP', () => {
  type Key = { privateKey: Awaited<ReturnType<typeof generateKeyPair>>['privateKey']; jwk: JWK }
  const newKey = async (): Promise<Key> => {
    const { privateKey, publicKey } = await generateKeyPair('ES256')
    return { privateKey, jwk: await exportJWK(publicKey) }
  }
  const proof = (key: Key, claims: Record<string, unknown> = {}) =>
    new SignJWT({
      jti: crypto.randomUUID(),
      htm: 'POST',
      htu: `${world.url}/oauth/token`,
      iat: Math.floor(Date.now() / 1000),
      ...claims,
    })
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: key.jwk })
      .sign(key.privateKey)

  async function codeFor(clientId: string) {
    const { browser } = await world.signIn()
    const begun = begin(world, clientId)
    const code = (await sayYes(browser, begun.url)).get('code') ?? ''
    return {
      grant_type: 'authorization_code',
      client_id: clientId,
      code,
      redirect_uri: REDIRECT,
      code_verifier: begun.verifier,
    }
  }

  it.each([
    ['for another address', { htu: 'https://evil.example/oauth/token' }],
    ['for another method', { htm: 'GET' }],
    ['that is an hour old', { iat: Math.floor(Date.now() / 1000) - 3_600 }],
    ['without an id', { jti: undefined }],
  ])('a proof %s is refused', async (_, claims) => {
    const fields = await codeFor(await newClient(world))
    const { status, body } = await token(fields, { dpop: await proof(await newKey(), claims) })
    expect([status, body.error]).toEqual([400, 'invalid_dpop_proof'])
  })

  it('a proof is good once, also for two requests at the same time', async () => {
    const key = await newKey()
    const clientId = await newClient(world)
    const first = await codeFor(clientId)
    const second = await codeFor(clientId)
    const dpop = await proof(key)
    const both = await Promise.all([token(first, { dpop }), token(second, { dpop })])
    expect(both.map(({ status }) => status).sort()).toEqual([200, 400])
    expect(both.find(({ status }) => status === 400)?.body.error).toBe('invalid_dpop_proof')
  })

  it('a refresh token of a public client is worth nothing with another key, or with none', async () => {
    const key = await newKey()
    const clientId = await newClient(world)
    const tokens = await token(await codeFor(clientId), { dpop: await proof(key) })
    expect(tokens.body.token_type).toBe('DPoP')
    const fields = {
      grant_type: 'refresh_token',
      client_id: clientId,
      refresh_token: String(tokens.body.refresh_token),
    }
    expect((await token(fields)).body.error).toBe('invalid_grant')
    expect((await token(fields, { dpop: await proof(await newKey()) })).body.error).toBe('invalid_grant')
    expect((await token(fields, { dpop: await proof(key) })).status).toBe(200)
  })
})

describe('registration', () => {
  it.each([
    ['names no method', {}],
    ['names none', { token_endpoint_auth_method: 'none' }],
    ['brings a secret', { client_secret: 's'.repeat(40) }],
  ])('makes and keeps no secret for a client that %s', async (_, metadata) => {
    const { status, body } = await register(world, metadata)
    expect([status, body.token_endpoint_auth_method]).toEqual([201, 'none'])
    expect(body).not.toHaveProperty('client_secret')
    const kept = await world.running.broker.store.read(async (tx) =>
      tx.oauthClients.find(String(body.client_id)),
    )
    expect(kept?.metadata).not.toContain('secret')
  })

  it.each([
    ['a shared secret', { token_endpoint_auth_method: 'client_secret_basic' }],
    ['a key nobody gave', { token_endpoint_auth_method: 'private_key_jwt' }],
    ['a name without end', { client_name: 'x'.repeat(300) }],
  ])('is refused for %s', async (_, metadata) => {
    const { status, body } = await register(world, metadata)
    expect([status, body.error]).toEqual([400, 'invalid_client_metadata'])
  })
})

describe('the surface', () => {
  it('answers no other host, no foreign origin, and nothing that is not offered', async () => {
    const foreign = await tell(`${world.url}/oauth/token`, {}, { origin: 'https://evil.example' })
    expect([foreign.status, foreign.body.code]).toEqual([403, 'origin_not_allowed'])
    for (const path of [
      '/oauth/introspect',
      '/oauth/userinfo',
      '/oauth/jwks',
      '/session/end/confirm',
      '/.well-known/openid-configuration',
    ]) {
      expect((await fetch(`${world.url}${path}`)).status).toBe(404)
    }
  })

  it('limits how often one address registers', async () => {
    const all = []
    for (let i = 0; i < 12; i++) all.push(await register(world))
    expect(all.filter(({ status }) => status === 201)).toHaveLength(10)
    const [refused] = all.filter(({ status }) => status === 429)
    expect(refused?.headers.get('retry-after')).toBeTruthy()
  })

  it('is the same whatever a proxy in front claims', async () => {
    const { browser } = await world.signIn()
    const clientId = await newClient(world)
    const response = await fetch(begin(world, clientId).url, {
      redirect: 'manual',
      headers: { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' },
    })
    expect(response.headers.get('location')).toMatch(/^\/connect\//)
    expect(response.headers.get('set-cookie')).not.toContain('evil.example')
    expect((await browser.open(begin(world, clientId).url)).status).toBe(200)
  })
})
