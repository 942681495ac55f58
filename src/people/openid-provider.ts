import * as client from 'openid-client'
import { z } from 'zod'
import type { IdentityProvider, ProviderAnswer } from '../ports/identity-provider.ts'

export type OpenidOptions = {
  readonly issuer: string
  readonly clientId: string
  /** Null for a public client. */
  readonly clientSecret: string | null
  /** Where the provider sends people back to. */
  readonly redirectUri: string
  /** Lets a provider on this machine be plain http. */
  readonly allowsPlainHttp: boolean
}

const WITHIN_SECONDS = 10

const claimsShape = z.object({
  iss: z.string().min(1).max(500),
  sub: z.string().min(1).max(500),
  auth_time: z.number().optional(),
})

/**
 * The platform's own OpenID Connect provider by `openid-client`: code flow with PKCE, state and nonce, and the id
 * token's signature, issuer and audience checked. It is discovered when it is first asked for, so that a provider that
 * is down keeps nobody from starting.
 */
export function openOpenidProvider(options: OpenidOptions): IdentityProvider {
  let discovered: Promise<client.Configuration> | undefined
  async function configuration(): Promise<client.Configuration> {
    discovered ??= discover(options).catch((error: unknown) => {
      discovered = undefined
      throw error
    })
    return discovered
  }
  return {
    origins: [new URL(options.issuer).origin],
    async begin(fresh) {
      const codeVerifier = client.randomPKCECodeVerifier()
      const [state, nonce] = [client.randomState(), client.randomNonce()]
      const url = client.buildAuthorizationUrl(await configuration(), {
        redirect_uri: options.redirectUri,
        scope: 'openid',
        state,
        nonce,
        code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
        ...(fresh ? { prompt: 'login', max_age: '0' } : {}),
      })
      return { url: url.href, state, nonce, codeVerifier }
    },
    async finish(query, request): Promise<ProviderAnswer> {
      const returned = new URL(options.redirectUri)
      returned.search = query
      try {
        const tokens = await client.authorizationCodeGrant(await configuration(), returned, {
          pkceCodeVerifier: request.codeVerifier,
          expectedState: request.state,
          expectedNonce: request.nonce,
          idTokenExpected: true,
        })
        const claims = claimsShape.safeParse(tokens.claims())
        if (!claims.success) return { kind: 'refused', code: 'claims_missing' }
        const { iss, sub, auth_time: authTime } = claims.data
        return {
          kind: 'identified',
          issuer: iss,
          subject: sub,
          authenticatedAtMs: authTime === undefined ? null : authTime * 1000,
        }
      } catch (error) {
        return { kind: 'refused', code: codeOf(error) }
      }
    },
  }
}

function discover(options: OpenidOptions): Promise<client.Configuration> {
  const { issuer, clientId, clientSecret, allowsPlainHttp } = options
  const authentication = clientSecret === null ? client.None() : client.ClientSecretPost(clientSecret)
  return client.discovery(new URL(issuer), clientId, {}, authentication, {
    timeout: WITHIN_SECONDS,
    ...(allowsPlainHttp ? { execute: [client.allowInsecureRequests] } : {}),
  })
}

/** A code of the library's or the provider's, never a message: those repeat what came over the wire. */
function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^[A-Z0-9_]{1,60}$/i.test(code) ? code : 'failed'
}
