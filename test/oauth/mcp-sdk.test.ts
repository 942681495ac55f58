import { auth as authV2, type OAuthClientProvider as ProviderV2 } from '@modelcontextprotocol/client'
import {
  auth as authV1,
  type OAuthClientProvider as ProviderV1,
} from '@modelcontextprotocol/sdk/client/auth.js'
import { describe, expect, it } from 'vitest'
import { refreshOf } from '../../src/demo/browser-by-hand.ts'
import { decodeJwt } from '../support/decode-jwt.ts'
import { openOauthWorld } from '../support/oauth-world.ts'

/** As Qwen Code and the inspector register: loopback, public, an empty scope and a field nobody knows. */
const METADATA = {
  client_name: 'Qwen Code MCP Client',
  redirect_uris: ['http://localhost:7777/oauth/callback'],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
  scope: '',
  code_challenge_method: ['S256'],
}

type Kept = {
  client?: unknown
  tokens?: { access_token: string; refresh_token?: string }
  verifier: string
  url?: URL
}

/** What an MCP client keeps between its steps; the same for both generations of the SDK. */
function keeper<Provider>(kept: Kept): Provider {
  const provider = {
    redirectUrl: METADATA.redirect_uris[0],
    clientMetadata: METADATA,
    state: () => 'a-state-of-the-client',
    clientInformation: () => kept.client,
    saveClientInformation(client: unknown) {
      kept.client = client
    },
    tokens: () => kept.tokens,
    saveTokens(tokens: NonNullable<Kept['tokens']>) {
      kept.tokens = tokens
    },
    redirectToAuthorization(url: URL) {
      kept.url = url
    },
    saveCodeVerifier(verifier: string) {
      kept.verifier = verifier
    },
    codeVerifier: () => kept.verifier,
  }
  return provider as Provider
}

type Step = { serverUrl: string; authorizationCode?: string; iss?: string }

describe.each([
  ['v2', (kept: Kept, step: Step) => authV2(keeper<ProviderV2>(kept), step)],
  ['v1', (kept: Kept, step: Step) => authV1(keeper<ProviderV1>(kept), step)],
] as const)('the OAuth code of the MCP client SDK, %s', (_, auth) => {
  it.each(['/mcp', ''])('discovers, registers, connects and refreshes for a server at %s', async (path) => {
    const { url, signIn } = await openOauthWorld()
    const serverUrl = `${url}${path}`
    const kept: Kept = { verifier: '' }
    expect(await auth(kept, { serverUrl })).toBe('REDIRECT')
    expect(kept.url?.searchParams.get('code_challenge_method')).toBe('S256')

    const { userId, browser } = await signIn()
    const question = await browser.open(kept.url?.href ?? '')
    expect(question.text).toContain('Qwen Code MCP Client')
    const answered = await browser.submit(question, { answer: 'yes' })
    const { location } = await browser.open(refreshOf(answered))
    const callback = new URL(location ?? '')
    expect(callback.origin + callback.pathname).toBe(METADATA.redirect_uris[0])
    expect(callback.searchParams.get('iss')).toBe(url)
    const authorizationCode = callback.searchParams.get('code') ?? ''
    expect(await auth(kept, { serverUrl, authorizationCode, iss: url })).toBe('AUTHORIZED')

    const first = kept.tokens
    const claims = decodeJwt(first?.access_token ?? '')
    expect(claims).toMatchObject({ sub: userId, aud: path === '/mcp' ? `${url}/mcp` : `${url}/agent` })
    expect(await auth(kept, { serverUrl })).toBe('AUTHORIZED')
    expect(kept.tokens?.refresh_token).not.toBe(first?.refresh_token)
    expect(decodeJwt(kept.tokens?.access_token ?? '').client_id).toBe(claims.client_id)
  })
})
