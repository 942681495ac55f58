import * as client from 'openid-client'
import { describe, expect, it } from 'vitest'
import { refreshOf } from '../../src/demo/browser-by-hand.ts'
import { decodeJwt } from '../support/decode-jwt.ts'
import { newClient, REDIRECT } from '../support/oauth-client.ts'
import { openOauthWorld } from '../support/oauth-world.ts'

describe('a client nobody here wrote: openid-client', () => {
  it('registers, pushes its request, is called back, gets tokens with DPoP, refreshes and revokes', async () => {
    const world = await openOauthWorld()
    const config = await client.dynamicClientRegistration(
      new URL(world.url),
      { client_name: 'Errand runner', redirect_uris: [REDIRECT], token_endpoint_auth_method: 'none' },
      client.None(),
      { algorithm: 'oauth2', execute: [client.allowInsecureRequests] },
    )
    const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
    const pkceCodeVerifier = client.randomPKCECodeVerifier()
    const expectedState = client.randomState()
    const begin = await client.buildAuthorizationUrlWithPAR(
      config,
      {
        redirect_uri: REDIRECT,
        code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: 'S256',
        state: expectedState,
        resource: `${world.url}/mcp`,
      },
      { DPoP },
    )
    const { browser, userId } = await world.signIn()
    const answered = await browser.submit(await browser.open(begin.href), { answer: 'yes' })
    const { location } = await browser.open(refreshOf(answered))
    const tokens = await client.authorizationCodeGrant(
      config,
      new URL(location ?? ''),
      { pkceCodeVerifier, expectedState },
      undefined,
      { DPoP },
    )
    expect(decodeJwt(tokens.access_token)).toMatchObject({ sub: userId, aud: `${world.url}/mcp` })
    const next = await client.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, { DPoP })
    expect(decodeJwt(next.access_token).cnf).toEqual(decodeJwt(tokens.access_token).cnf)
    await client.tokenRevocation(config, next.refresh_token ?? '')
    await expect(
      client.refreshTokenGrant(config, next.refresh_token ?? '', undefined, { DPoP }),
    ).rejects.toMatchObject({ error: 'invalid_grant' })
  })

  it('polls for a device until its user has answered', async () => {
    const world = await openOauthWorld()
    const clientId = await newClient(world, {
      redirect_uris: [],
      response_types: [],
      grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
    })
    const config = await client.discovery(new URL(world.url), clientId, undefined, client.None(), {
      algorithm: 'oauth2',
      execute: [client.allowInsecureRequests],
    })
    const device = await client.initiateDeviceAuthorization(config, {})
    const polling = client.pollDeviceAuthorizationGrant(config, { ...device, interval: 1 })
    const { browser, userId } = await world.signIn()
    const { user_code } = device
    const question = await browser.submit(await browser.open(device.verification_uri), { user_code })
    await browser.submit(question, { user_code, answer: 'yes' }, '/device')
    expect(decodeJwt((await polling).access_token).sub).toBe(userId)
  })
})
