import * as oauth from 'oauth4webapi'
import { beforeEach, describe, expect, it } from 'vitest'
import { type BrowserByHand, refreshOf } from '../../src/demo/browser-by-hand.ts'
import { CONSENT_DETAIL_TYPE } from '../../src/oauth/consent-detail.ts'
import { decodeJwt } from '../support/decode-jwt.ts'
import { type OauthWorld, openOauthWorld, untilNextSecond } from '../support/oauth-world.ts'

const REDIRECT = 'http://127.0.0.1:53211/callback'
const insecure = { [oauth.allowInsecureRequests]: true }

let world: OauthWorld
let as: oauth.AuthorizationServer

/** What the agent asks consent for in its authorization request. */
const DETAIL = {
  type: CONSENT_DETAIL_TYPE,
  request: {
    skill: 'coffee.order',
    actions: [{ name: 'get_menu' }, { name: 'search_stores' }],
    categories: ['store', 'order', 'price'],
  },
}

async function register(): Promise<oauth.Client> {
  const response = await oauth.dynamicClientRegistrationRequest(
    as,
    { client_name: 'Errand runner', redirect_uris: [REDIRECT], token_endpoint_auth_method: 'none' },
    insecure,
  )
  return oauth.processDynamicClientRegistrationResponse(response)
}

/** Pushes an authorization request and lets the person answer; returns what the program is called back with. */
async function authorize(
  client: oauth.Client,
  DPoP: oauth.DPoPHandle,
  verifier: string,
  details: unknown,
  answer: (browser: BrowserByHand, url: string) => Promise<URL>,
): Promise<URLSearchParams> {
  const state = oauth.generateRandomState()
  const parameters = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: REDIRECT,
    response_type: 'code',
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    resource: world.url,
    ...(details === undefined ? {} : { authorization_details: JSON.stringify(details) }),
  })
  const pushed = await oauth.processPushedAuthorizationResponse(
    as,
    client,
    await oauth.pushedAuthorizationRequest(as, client, oauth.None(), parameters, { DPoP, ...insecure }),
  )
  const begin = new URL(as.authorization_endpoint ?? '')
  begin.searchParams.set('client_id', client.client_id)
  begin.searchParams.set('request_uri', pushed.request_uri)
  const { browser } = await world.signIn()
  return oauth.validateAuthResponse(as, client, await answer(browser, begin.href), state)
}

async function redeem(
  client: oauth.Client,
  DPoP: oauth.DPoPHandle,
  verifier: string,
  callback: URLSearchParams,
) {
  const response = await oauth.authorizationCodeGrantRequest(
    as,
    client,
    oauth.None(),
    callback,
    REDIRECT,
    verifier,
    { DPoP, ...insecure },
  )
  return oauth.processAuthorizationCodeResponse(as, client, response)
}

const back = (page: Awaited<ReturnType<BrowserByHand['open']>>, browser: BrowserByHand) =>
  browser.open(refreshOf(page)).then(({ location }) => new URL(location ?? ''))

describe('a client nobody here wrote: oauth4webapi', () => {
  beforeEach(async () => {
    world = await openOauthWorld()
    const issuer = new URL(world.url)
    as = await oauth.processDiscoveryResponse(
      issuer,
      await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }),
    )
  })

  it('discovers, registers, pushes its request with details, is narrowed, calls with DPoP, refreshes and revokes', async () => {
    const client = await register()
    const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'))
    const verifier = oauth.generateRandomCodeVerifier()
    const callback = await authorize(client, DPoP, verifier, [DETAIL], async (browser, url) => {
      const question = await browser.open(url)
      expect(question.text).toContain('Errand runner')
      expect(question.text).toContain('no authority')
      const consent = await browser.submit(question, { answer: 'yes' })
      expect(new URL(consent.url).pathname).toMatch(/^\/consents\/crq_/)
      const shown = /name="shown" value="([^"]+)"/.exec(consent.text)?.[1] ?? ''
      const next = /name="next" value="(\/connect[^"]+)"/.exec(consent.text)?.[1] ?? ''
      const after = await browser.submit(consent, {
        shown,
        next,
        action: 'get_menu',
        category: 'store',
        recipient: 'coffee.example',
        expires: '86400000',
        answer: 'allow',
      })
      return back(after, browser)
    })

    const tokens = await redeem(client, DPoP, verifier, callback)
    expect(tokens).toMatchObject({ token_type: 'dpop', expires_in: 600, scope: 'agent' })
    expect(tokens.authorization_details).toMatchObject([
      {
        type: CONSENT_DETAIL_TYPE,
        grantId: expect.stringMatching(/^grt_/),
        skill: 'coffee.order',
        terms: { actions: [{ name: 'get_menu', constraints: [] }], categories: ['store'] },
      },
    ])
    const claims = decodeJwt(tokens.access_token)
    expect(claims).toMatchObject({
      iss: world.url,
      aud: `${world.url}/agent`,
      client_id: expect.stringMatching(/^agt_/),
      sid: expect.stringMatching(/^ses_/),
      cnf: { jkt: expect.any(String) },
    })
    // A token says who calls and which grants there are, and carries no terms that anybody could take for authority.
    expect(JSON.stringify(claims.authorization_details)).not.toContain('terms')

    await untilNextSecond()
    const actions = await oauth.protectedResourceRequest(
      tokens.access_token,
      'GET',
      new URL(`${world.url}/v1/actions`),
      undefined,
      undefined,
      { DPoP, ...insecure },
    )
    expect([actions.status, await actions.json()]).toMatchObject([200, { items: [] }])

    const refreshed = await oauth.processRefreshTokenResponse(
      as,
      client,
      await oauth.refreshTokenGrantRequest(as, client, oauth.None(), tokens.refresh_token ?? '', {
        DPoP,
        ...insecure,
      }),
    )
    expect(refreshed.refresh_token).not.toBe(tokens.refresh_token)
    expect(decodeJwt(refreshed.access_token)).toMatchObject({ client_id: claims.client_id, sid: claims.sid })

    await oauth.processRevocationResponse(
      await oauth.revocationRequest(as, client, oauth.None(), refreshed.refresh_token ?? '', insecure),
    )
    const dead = await oauth.refreshTokenGrantRequest(
      as,
      client,
      oauth.None(),
      refreshed.refresh_token ?? '',
      { DPoP, ...insecure },
    )
    expect([dead.status, await dead.json()]).toMatchObject([400, { error: 'invalid_grant' }])
  })

  it('is connected with nothing granted when consent is refused', async () => {
    const client = await register()
    const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('EdDSA'))
    const verifier = oauth.generateRandomCodeVerifier()
    const callback = await authorize(client, DPoP, verifier, [DETAIL], async (browser, url) => {
      const consent = await browser.submit(await browser.open(url), { answer: 'yes' })
      const next = /name="next" value="(\/connect[^"]+)"/.exec(consent.text)?.[1] ?? ''
      return back(await browser.submit(consent, { next, answer: 'refuse' }), browser)
    })
    const tokens = await redeem(client, DPoP, verifier, callback)
    expect(tokens.access_token).toBeTypeOf('string')
    expect(tokens.authorization_details).toBeUndefined()
  })

  it('is told access_denied, with the issuer, when the person does not connect it', async () => {
    const client = await register()
    const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'))
    let callback: URL | undefined
    await expect(
      authorize(client, DPoP, oauth.generateRandomCodeVerifier(), undefined, async (browser, url) => {
        const page = await browser.submit(await browser.open(url), { answer: 'no' })
        callback = await back(page, browser)
        return callback
      }),
    ).rejects.toMatchObject({ error: 'access_denied' })
    expect(callback?.searchParams.get('iss')).toBe(world.url)
  })
})
