import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { beforeEach, describe, expect, it } from 'vitest'
import { disconnectAgent } from '../../src/broker/disconnect-agent.ts'
import { freeze, unfreeze } from '../../src/broker/freeze.ts'
import { pauseAgent } from '../../src/broker/pause-agent.ts'
import { CONSENT_DETAIL_TYPE } from '../../src/oauth/consent-detail.ts'
import { sweepOauth } from '../../src/oauth/sweep.ts'
import { COFFEE_WISH, giveConsent } from '../support/connected-agent.ts'
import { decodeJwt } from '../support/decode-jwt.ts'
import { begin, connect, newClient, refresh, sayYes, tell } from '../support/oauth-client.ts'
import { type OauthWorld, openOauthWorld } from '../support/oauth-world.ts'

let world: OauthWorld
beforeEach(async () => {
  world = await openOauthWorld()
})

const MENU = { skill: 'coffee.order', action: 'get_menu', arguments: { store_id: 'LK-0571-022' } }

const agentsOf = (userId: string) => world.running.broker.store.read(async (tx) => tx.agents.list(userId))
const agentIn = (tokens: { body: Record<string, unknown> }) =>
  String(decodeJwt(String(tokens.body.access_token)).client_id)
const call = (path: string, accessToken: unknown, init: RequestInit = {}) =>
  fetch(`${world.url}${path}`, {
    ...init,
    headers: {
      authorization: `Bearer ${String(accessToken)}`,
      'content-type': 'application/json',
      ...init.headers,
    },
  })
const act = (accessToken: unknown, key: string) =>
  call('/v1/actions', accessToken, {
    method: 'POST',
    headers: { 'idempotency-key': key },
    body: JSON.stringify(MENU),
  })

describe('a connection', () => {
  it('has a claimed name, no key, no model, and no authority', async () => {
    const { browser, userId } = await world.signIn()
    const { tokens } = await connect(world, browser)
    const [agent] = await agentsOf(userId)
    expect(agent).toMatchObject({
      id: agentIn(tokens),
      name: 'Errand runner',
      keyThumbprint: '',
      clientHost: '127.0.0.1:53211',
      deployments: '[]',
      status: 'connected',
    })
    const refused = await act(tokens.body.access_token, 'no-consent-1')
    const problem = (await refused.json()) as Record<string, string>
    expect([refused.status, problem.code]).toEqual([403, 'consent_required'])
    // The link works for its user in any browser, and for nobody else.
    expect((await browser.open(problem.consentUrl ?? '')).status).toBe(200)
    const other = await world.signIn()
    expect((await other.browser.open(problem.consentUrl ?? '')).status).toBe(404)
  })

  it('shows what a program calls itself, and cannot be made to show more', async () => {
    const { browser } = await world.signIn()
    const clientId = await newClient(world, { client_name: '<script>alert(1)</script>\u202Egro.knab' })
    const page = await browser.open(begin(world, clientId).url)
    expect(page.text).not.toContain('<script>alert')
    expect(page.text).toContain('&lt;script&gt;')
    expect(page.text).not.toContain('\u202E')
    expect(page.text).toContain('127.0.0.1:53211')
  })

  it('is asked for each time, and each time begins with nothing', async () => {
    const { browser, userId } = await world.signIn()
    const first = await connect(world, browser)
    const second = await connect(world, browser, { clientId: first.clientId })
    expect(agentIn(second.tokens)).not.toBe(agentIn(first.tokens))
    expect(await agentsOf(userId)).toHaveLength(2)
  })

  it('of a client that proves itself goes on as what it was', async () => {
    const { privateKey, publicKey } = await generateKeyPair('EdDSA')
    const clientId = await newClient(world, {
      redirect_uris: ['https://agent.example/cb'],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [{ ...(await exportJWK(publicKey)), alg: 'EdDSA', kid: 'k1' }] },
    })
    const assertion = (claims: Record<string, unknown> = {}) =>
      new SignJWT({ jti: crypto.randomUUID(), iss: clientId, sub: clientId, aud: world.url, ...claims })
        .setProtectedHeader({ alg: 'EdDSA', kid: 'k1' })
        .setIssuedAt()
        .setExpirationTime('1m')
        .sign(privateKey)
    const plain = await world.signIn()
    const { userId } = plain
    const { browser } = await world.signIn({ userId, isSteppedUp: true })
    const connectOnce = async (signed: string) => {
      const begun = begin(world, clientId, { redirect_uri: 'https://agent.example/cb' })
      const code = (await sayYes(browser, begun.url)).get('code') ?? ''
      return tell(`${world.url}/oauth/token`, {
        grant_type: 'authorization_code',
        client_id: clientId,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: signed,
        code,
        redirect_uri: 'https://agent.example/cb',
        code_verifier: begun.verifier,
      })
    }
    const signed = await assertion()
    const first = await connectOnce(signed)
    const second = await connectOnce(await assertion())
    expect([first.status, second.status]).toEqual([200, 200])
    expect(agentIn(second)).toBe(agentIn(first))
    expect(await agentsOf(userId)).toHaveLength(1)
    // A stolen cookie alone must not hand what was given before to somebody else's account at the same program.
    const asked = await plain.browser.open(
      begin(world, clientId, { redirect_uri: 'https://agent.example/cb' }).url,
    )
    expect(asked.text).toContain('goes on with this connection')
    const csrf = /name="csrf" value="([^"]+)"/.exec(asked.text)?.[1] ?? ''
    const sent = await plain.browser.send('POST', asked.url, { csrf, answer: 'yes' })
    expect(sent.location).toMatch(/^\/step-up\?next=/)
    await world.running.broker.store.transaction(async (tx) =>
      tx.people.setRecovered({ kind: 'user', id: userId }, tx.nowMs),
    )
    expect(agentIn(await connectOnce(await assertion()))).not.toBe(agentIn(first))
    for (const bad of [signed, await assertion({ aud: 'https://other.example' }), 'none', '']) {
      const refused = await connectOnce(bad)
      expect([400, 401]).toContain(refused.status)
      expect(['invalid_client', 'invalid_request']).toContain(refused.body.error)
    }
  })

  it('takes an older one’s place, with a step-up: grants go on, the older one ends', async () => {
    const { browser, userId } = await world.signIn()
    const older = await connect(world, browser)
    const [agent] = await agentsOf(userId)
    if (!agent) throw new Error('no agent')
    const grant = await giveConsent(world.running.broker, agent, COFFEE_WISH)

    const clientId = await newClient(world)
    const question = await browser.open(begin(world, clientId).url)
    const sent = await browser.send('POST', question.url, {
      csrf: /name="csrf" value="([^"]+)"/.exec(question.text)?.[1] ?? '',
      answer: 'yes',
      replaces: agent.id,
    })
    expect(sent.location).toMatch(/^\/step-up\?next=/)
    expect(await agentsOf(userId)).toHaveLength(1)

    const steppedUp = await world.signIn({ userId, isSteppedUp: true })
    const newer = await connect(world, steppedUp.browser, { clientId, fields: { replaces: agent.id } })
    const moved = await world.running.broker.store.read(async (tx) => tx.grants.find(grant.id))
    expect(moved).toMatchObject({
      agentId: agentIn(newer.tokens),
      lineageId: agent.lineageId,
      status: 'active',
    })
    expect((await refresh(world, older.clientId, older.refreshToken)).body.error).toBe('invalid_grant')
    expect((await refresh(world, newer.clientId, newer.refreshToken)).status).toBe(200)
  })

  it('cannot take the place of somebody else’s', async () => {
    const other = await world.signIn()
    await connect(world, other.browser)
    const [theirs] = await agentsOf(other.userId)
    const mine = await world.signIn({ isSteppedUp: true })
    const question = await mine.browser.open(begin(world, await newClient(world)).url)
    const answered = await mine.browser.submit(question, { answer: 'yes', replaces: theirs?.id ?? '' })
    expect(answered.status).toBe(409)
    expect((await agentsOf(other.userId))[0]?.status).toBe('connected')
  })
})

describe('the end of a connection', () => {
  it('takes its tokens with it: disconnected, its refresh token is worth nothing', async () => {
    const { browser, userId } = await world.signIn()
    const { clientId, refreshToken, tokens } = await connect(world, browser)
    await disconnectAgent(world.running.broker, { userId, agentId: agentIn(tokens) }, async () => [])
    expect((await refresh(world, clientId, refreshToken)).body.error).toBe('invalid_grant')
  })

  it.each(['agent', 'user', 'platform'] as const)('a freeze of the %s lets no token out', async (kind) => {
    const { broker } = world.running
    const { browser, userId } = await world.signIn()
    const { clientId, refreshToken, tokens } = await connect(world, browser)
    const target = { agent: agentIn(tokens), user: userId, platform: '*' }[kind]
    const by = { operatorId: 'lin.wei', reason: 'incident 7' }
    await freeze(broker, async () => [], { ...by, kind, target, includesCleanUp: false })
    expect((await refresh(world, clientId, refreshToken)).body.error).toBe('invalid_grant')
    await unfreeze(broker, { ...by, freezeId: `${kind}:${target}` })
  })

  it('a revoked family decides nothing more, whatever access tokens are out', async () => {
    const { broker } = world.running
    const { browser, userId } = await world.signIn()
    const { clientId, refreshToken, tokens, redemption } = await connect(world, browser)
    const [agent] = await agentsOf(userId)
    if (!agent) throw new Error('no agent')
    await giveConsent(broker, agent, COFFEE_WISH)
    const preview = async () => {
      const body = JSON.stringify({ ...MENU, dryRun: true })
      const answer = await call('/v1/actions', tokens.body.access_token, { method: 'POST', body })
      return ((await answer.json()) as { decision: string }).decision
    }
    expect(await preview()).toBe('permit')
    await tell(`${world.url}/oauth/token`, redemption)
    expect(await preview()).toBe('deny')
    expect((await refresh(world, clientId, refreshToken)).body.error).toBe('invalid_grant')
    // What was granted to the connection stays; it is the tokens that are gone.
    expect((await agentsOf(userId))[0]?.status).toBe('connected')
  })

  it.each(['revoke', 'pause', 'disconnect'] as const)('answers nothing more after a %s', async (end) => {
    const { broker } = world.running
    const { browser, userId } = await world.signIn()
    const { clientId, refreshToken, tokens } = await connect(world, browser)
    const token = tokens.body.access_token
    const resource = { resource: `${world.url}/mcp` }
    const inMcp = await connect(world, browser, { extra: resource })
    const statuses = async () => {
      const body = JSON.stringify({ skill: 'coffee.order', actions: [{ name: 'get_menu' }] })
      const answers = await Promise.all([
        call('/v1/actions', token),
        call('/v1/skills/coffee.order', token),
        call('/v1/consent-requests', token, { method: 'POST', body }),
        call('/mcp', inMcp.tokens.body.access_token),
      ])
      return answers.map(({ status }) => status)
    }
    expect(await statuses()).toEqual([200, 200, 201, 405])
    for (const agent of await agentsOf(userId)) {
      const which = { userId, agentId: agent.id }
      if (end === 'pause') await pauseAgent(broker, which)
      if (end === 'disconnect') await disconnectAgent(broker, which, async () => [])
    }
    if (end === 'revoke') {
      await tell(`${world.url}/oauth/revoke`, { token: refreshToken, client_id: clientId })
      await tell(`${world.url}/oauth/revoke`, { token: inMcp.refreshToken, client_id: inMcp.clientId })
    }
    expect(await statuses()).toEqual([401, 401, 401, 401])
  })
})

describe('keys', () => {
  it('rotate without anybody noticing: old tokens stay good, new ones are signed by the new key', async () => {
    const { keys } = world.running
    const { browser } = await world.signIn()
    const { clientId, refreshToken, tokens } = await connect(world, browser)
    const kidOf = (token: unknown) =>
      JSON.parse(Buffer.from(String(token).split('.')[0] ?? '', 'base64url').toString()).kid
    const kid = await keys.rotate('access', Date.now())
    expect((await call('/v1/actions', tokens.body.access_token)).status).toBe(200)
    const next = await refresh(world, clientId, refreshToken)
    expect(kidOf(next.body.access_token)).toBe(kid)
    expect(kidOf(tokens.body.access_token)).not.toBe(kid)
    expect((await call('/v1/actions', next.body.access_token)).status).toBe(200)
    const published = (await (await fetch(`${world.url}/.well-known/jwks.json`)).json()) as {
      keys: { kid: string }[]
    }
    expect(published.keys.map((key) => key.kid)).toContain(kid)
  })
})

describe('what is stored', () => {
  it('holds no secret that a client or a browser holds', async () => {
    const { broker } = world.running
    const { browser } = await world.signIn()
    const clientId = await newClient(world)
    const begun = begin(world, clientId, { state: 'state-of-a-client', login_hint: 'alice@example.org' })
    const question = await browser.open(begun.url)
    const { refreshToken, callback } = await connect(world, browser, { clientId })
    const rows = await broker.store.read(async (tx) => {
      const refs = await tx.oauthRecords.expired(Number.MAX_SAFE_INTEGER, 500)
      return Promise.all(refs.map(async (ref) => tx.oauthRecords.find(ref)))
    })
    const everything = JSON.stringify(rows)
    expect(rows.length).toBeGreaterThan(3)
    const uid = new URL(question.url).pathname.split('/').at(-1) ?? ''
    for (const secret of [
      refreshToken,
      callback.get('code') ?? '',
      uid,
      'state-of-a-client',
      'alice@example.org',
    ]) {
      expect(secret).not.toBe('')
      expect(everything).not.toContain(secret)
    }
  })

  it('is swept: what has expired, and clients nobody connected within a day', async () => {
    const { broker } = world.running
    const clientId = await newClient(world)
    const old = { id: 'old-client', metadata: '{}', createdAtMs: 1, connectedAtMs: 0 }
    await broker.store.transaction(async (tx) => {
      await tx.oauthClients.insert(old)
      await tx.oauthRecords.save({
        model: 'Interaction',
        recordKey: 'x',
        userId: '',
        familyId: '',
        userCodeTag: '',
        payload: '',
        expiresAtMs: 1,
      })
    })
    expect(await sweepOauth(broker)).toBe(2)
    expect(await broker.store.read(async (tx) => tx.oauthClients.find(clientId))).toBeDefined()
    expect(await broker.store.read(async (tx) => tx.oauthClients.find(old.id))).toBeUndefined()
  })
})

describe('the device flow', () => {
  const GRANT = 'urn:ietf:params:oauth:grant-type:device_code'
  const deviceClient = () =>
    newClient(world, { redirect_uris: [], response_types: [], grant_types: [GRANT, 'refresh_token'] })

  async function start(clientId: string, extra: Record<string, string> = {}) {
    const { body, status } = await tell(`${world.url}/oauth/device_authorization`, {
      client_id: clientId,
      ...extra,
    })
    expect(status).toBe(200)
    return body as { device_code: string; user_code: string; verification_uri: string }
  }
  const poll = (clientId: string, device_code: string) =>
    tell(`${world.url}/oauth/token`, { grant_type: GRANT, client_id: clientId, device_code })

  it('connects a program without a browser when its user types the code and says yes', async () => {
    const clientId = await deviceClient()
    const details = [
      { type: CONSENT_DETAIL_TYPE, request: { skill: 'coffee.order', actions: [{ name: 'get_menu' }] } },
    ]
    const started = await start(clientId, { authorization_details: JSON.stringify(details) })
    expect(started.verification_uri).toBe(`${world.url}/device`)
    expect((await poll(clientId, started.device_code)).body.error).toBe('authorization_pending')
    const { browser, userId } = await world.signIn()
    const entry = await browser.open(started.verification_uri)
    const question = await browser.submit(entry, { user_code: started.user_code.toLowerCase() })
    expect(question.text).toContain('Errand runner')
    expect(question.text).toContain(started.user_code)
    expect(question.text).toContain('no authority')
    expect(await agentsOf(userId)).toHaveLength(0)
    const consent = await browser.submit(question, { user_code: started.user_code, answer: 'yes' }, '/device')
    expect(new URL(consent.url).pathname).toMatch(/^\/consents\/crq_/)
    const tokens = await poll(clientId, started.device_code)
    expect([tokens.status, agentIn(tokens)]).toEqual([200, (await agentsOf(userId))[0]?.id])
    expect((await refresh(world, clientId, String(tokens.body.refresh_token))).status).toBe(200)
    // The code is used up, on both sides.
    expect((await poll(clientId, started.device_code)).body.error).toBe('invalid_grant')
    expect((await browser.submit(entry, { user_code: started.user_code })).status).toBe(404)
  })

  it('tells the device when its user says no', async () => {
    const clientId = await deviceClient()
    const { device_code, user_code } = await start(clientId)
    const { browser } = await world.signIn()
    const question = await browser.submit(await browser.open(`${world.url}/device`), { user_code })
    await browser.submit(question, { user_code, answer: 'no' }, '/device')
    expect((await poll(clientId, device_code)).body.error).toBe('access_denied')
  })

  it('answers nothing because a link was opened, and stops guessing', async () => {
    const clientId = await deviceClient()
    const { device_code, user_code } = await start(clientId)
    const { browser } = await world.signIn()
    const entry = await browser.open(`${world.url}/device?user_code=${user_code}`)
    expect((await poll(clientId, device_code)).body.error).toBe('authorization_pending')
    const statuses = []
    for (let i = 0; i < 12; i++) {
      statuses.push((await browser.submit(entry, { user_code: 'BCDF-GHJK' })).status)
    }
    expect(statuses.slice(0, 10)).toEqual(Array(10).fill(404))
    expect(statuses.slice(10)).toEqual([429, 429])
  })

  it('gives nothing to whoever read the database', async () => {
    const clientId = await deviceClient()
    const { device_code } = await start(clientId)
    const keys = await world.running.broker.store.read(async (tx) => {
      const refs = await tx.oauthRecords.expired(Number.MAX_SAFE_INTEGER, 500)
      return refs.filter(({ model }) => model === 'DeviceCode').map(({ recordKey }) => recordKey)
    })
    expect(keys).toHaveLength(1)
    expect(keys[0]).not.toBe(device_code)
    for (const guess of [keys[0] ?? '', `#${keys[0]}`]) {
      expect((await poll(clientId, guess)).body.error).toBe('invalid_grant')
    }
  })
})

describe('waiting for an answer', () => {
  it('is told as soon as the person has answered', async () => {
    const { browser, userId } = await world.signIn()
    const { tokens } = await connect(world, browser)
    const asked = (await (
      await call('/v1/consent-requests', tokens.body.access_token, {
        method: 'POST',
        body: JSON.stringify({ skill: 'coffee.order', actions: [{ name: 'get_menu' }] }),
      })
    ).json()) as { requestId: string; consentUrl: string }
    const waiting = call(`/v1/consent-requests/${asked.requestId}?wait=20`, tokens.body.access_token)
    const page = await browser.open(asked.consentUrl)
    const startedMs = performance.now()
    await browser.submit(page, { answer: 'refuse' })
    expect(await (await waiting).json()).toMatchObject({ requestId: asked.requestId, state: 'refused' })
    expect(performance.now() - startedMs).toBeLessThan(5_000)
    const theirs = await world.signIn()
    const other = await connect(world, theirs.browser)
    expect(
      (await call(`/v1/consent-requests/${asked.requestId}?wait=1`, other.tokens.body.access_token)).status,
    ).toBe(404)
    expect(
      (await call(`/v1/consent-requests/${asked.requestId}?wait=31`, tokens.body.access_token)).status,
    ).toBe(400)
    expect(userId).not.toBe(theirs.userId)
  })
})
