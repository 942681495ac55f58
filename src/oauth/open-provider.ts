import { generateKeyPairSync } from 'node:crypto'
import Provider, {
  type Configuration,
  errors,
  interactionPolicy,
  type JWK,
  type KoaContextWithOIDC,
} from 'oidc-provider'
import type { Broker } from '../broker/broker.ts'
import { findFamily } from '../broker/token-family.ts'
import { issueOurTokens } from './access-tokens.ts'
import { SIGNING_ALGORITHMS } from './algorithms.ts'
import { clientAdapter } from './client-adapter.ts'
import type { FetchDocument } from './client-documents.ts'
import { checkClientMetadata } from './client-rules.ts'
import { withBegun } from './connect-cookie.ts'
import { CONSENT_DETAIL_TYPE, detailFault } from './consent-detail.ts'
import { checkTokenDetails } from './granted-details.ts'
import { LIFETIMES } from './lifetimes.ts'
import { OAUTH_PATHS } from './oauth-paths.ts'
import { recordAdapter } from './record-adapter.ts'
import { audienceFor } from './resources.ts'
import { BASE_SCOPE, OFFERED_SCOPES } from './scopes.ts'

export type ProviderOptions = {
  /** Fetches client metadata and client keys from the internet, and from nowhere else. */
  readonly fetchDocument: FetchDocument
  readonly nowMs: () => number
  /** What a person sees of an error that cannot be told to the client. */
  readonly renderError: (ctx: KoaContextWithOIDC, error: string, description: string) => Promise<void>
}

/**
 * Opens the authorization server: OAuth 2.1 and nothing else of what the library can do. People sign in and answer
 * on our own pages; it keeps no session of theirs.
 */
export function openProvider(broker: Broker, options: ProviderOptions): Provider {
  const provider = new Provider(broker.settings.issuer, configurationOf(broker, options))
  // Host and scheme are set from our own issuer before a request gets here.
  provider.proxy = true
  provider.silent = true
  issueOurTokens(provider, broker, options.nowMs)
  provider.on('server_error', (_ctx, error) => broker.logger.error('oauth_failed', { error }))
  provider.on('registration_create.success', tellRegistered)
  provider.on('grant.error', (ctx, error) => nameReplays(ctx, error))
  return provider
}

function configurationOf(broker: Broker, options: ProviderOptions): Configuration {
  const { issuer } = broker.settings
  return {
    adapter: (model) => (model === 'Client' ? clientAdapter(broker) : recordAdapter(broker, model)),
    jwks: { keys: [unusedKey()] },
    routes: { ...OAUTH_PATHS, jwks: '/oauth/jwks' },
    responseTypes: ['code'],
    scopes: [...OFFERED_SCOPES],
    claims: {},
    clientAuthMethods: ['none', 'private_key_jwt'],
    enabledJWA: {
      clientAuthSigningAlgValues: [...SIGNING_ALGORITHMS],
      dPoPSigningAlgValues: [...SIGNING_ALGORITHMS],
    },
    clientDefaults: {
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      authorization_details_types: [CONSENT_DETAIL_TYPE],
      id_token_signed_response_alg: 'EdDSA',
    },
    // Two members of RFC 7591 we keep; being asked about them is where all metadata is held to our rules.
    extraClientMetadata: {
      properties: ['software_id', 'software_version'],
      validator(_ctx, key, _value, metadata) {
        if (key === 'software_id') checkClientMetadata(metadata)
      },
    },
    extraParams: {
      // Asked about last, whether it was sent or not: what was left out is filled in, what we do not offer is refused.
      countersign: (ctx, value) => completeRequest(ctx, value),
    },
    pkce: { required: () => true },
    cookies: {
      names: { session: 'oauth-session', interaction: 'oauth-connect', resume: 'oauth-resume' },
      long: { httpOnly: true, sameSite: 'lax', signed: false },
      short: { httpOnly: true, sameSite: 'lax', signed: false },
    },
    interactions: {
      policy: connectPolicy(),
      url(ctx, { uid }) {
        const isSecure = issuer.startsWith('https:')
        ctx.append('set-cookie', withBegun(ctx.req, uid, isSecure, LIFETIMES.interaction))
        return `/connect/${uid}`
      },
    },
    async findAccount(_ctx, accountId, token) {
      const account = { accountId, claims: async () => ({ sub: accountId }) }
      // Nobody gets a token for a connection that has ended; a code that was just replayed is told apart elsewhere.
      if (token && 'grantId' in token && typeof token.grantId === 'string') {
        const family = await findFamily(broker, token.grantId)
        if (!family || (family.hasEnded && token.kind === 'RefreshToken')) return undefined
      }
      return account
    },
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    expiresWithSession: async () => false,
    clientBasedCORS: () => false,
    acrValues: [],
    renderError: (ctx, out) => options.renderError(ctx, out.error, out.error_description ?? ''),
    fetch: (url) => options.fetchDocument(String(url)),
    ttl: {
      AccessToken: LIFETIMES.accessToken,
      AuthorizationCode: LIFETIMES.authorizationCode,
      RefreshToken: LIFETIMES.refreshToken,
      DeviceCode: LIFETIMES.deviceCode,
      Interaction: LIFETIMES.interaction,
      Grant: LIFETIMES.family,
      Session: LIFETIMES.interaction,
    },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
      introspection: { enabled: false },
      claimsParameter: { enabled: false },
      requestObjects: { enabled: false },
      clientCredentials: { enabled: false },
      dPoP: { enabled: true },
      pushedAuthorizationRequests: { enabled: true },
      revocation: {
        enabled: true,
        allowedPolicy: async (_ctx, client, token) => token.clientId === client.clientId,
      },
      deviceFlow: { enabled: true, charset: 'base-20', mask: '****-****' },
      registration: { enabled: true, initialAccessToken: false, issueRegistrationAccessToken: false },
      registrationManagement: { enabled: false },
      clientIdMetadataDocument: {
        enabled: true,
        ack: 'draft-02',
        allowFetch: async () => true,
        allowClient: async () => true,
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: async (_ctx, _client, oneOf) => oneOf?.[0] ?? issuer,
        useGrantedResource: async () => true,
        getResourceServerInfo: async (_ctx, resource) => {
          const audience = audienceFor(issuer, resource)
          if (audience === undefined) throw new errors.InvalidTarget()
          return {
            scope: OFFERED_SCOPES.join(' '),
            audience,
            accessTokenTTL: LIFETIMES.accessToken,
            accessTokenFormat: 'jwt',
          }
        },
      },
      richAuthorizationRequests: {
        enabled: true,
        types: {
          [CONSENT_DETAIL_TYPE]: {
            async validate(ctx, detail) {
              // At the token endpoint what was granted is named, not asked for: looked at where it is answered.
              if (ctx.oidc.route === 'token') return
              const fault = await detailFault(broker, detail)
              if (fault !== undefined) throw new errors.InvalidAuthorizationDetails(fault)
            },
          },
        },
        authorizationDetailsForGrantSource: async (ctx) => ctx.oidc.entities.Grant?.rar,
        authorizationDetailsForAccessToken: async (ctx, _token, source) =>
          checkTokenDetails(broker, ctx.oidc.params?.authorization_details, source?.grantId, source?.rar),
      },
    },
  }
}

/** The library wants a key for ID tokens, which nobody can ask for here: one that lives in memory and signs nothing. */
function unusedKey(): JWK {
  return { ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kty: 'OKP' }
}

const SIGN_IN_MEMBERS = [
  'id_token_signed_response_alg',
  'subject_type',
  'application_type',
  'require_auth_time',
] as const

/** A client is told what was registered of it, and nothing of sign-in, which is not offered. */
function tellRegistered(ctx: KoaContextWithOIDC): void {
  const told = bodyOf(ctx)
  for (const name of SIGN_IN_MEMBERS) delete told[name]
  ctx.body = told
}

function bodyOf(ctx: KoaContextWithOIDC): Record<string, unknown> {
  return typeof ctx.body === 'object' && ctx.body !== null ? { ...ctx.body } : {}
}

/** Every authorization request is asked about, each time: whoever can open a browser is not yet the user's choice. */
function connectPolicy(): interactionPolicy.DefaultPolicy {
  const { Prompt, Check, base } = interactionPolicy
  const policy = base()
  policy.clear()
  for (const name of ['login', 'consent'] as const) {
    const unanswered = new Check(
      `${name}_unanswered`,
      'the person has not answered yet',
      `${name}_required`,
      (ctx) => ctx.oidc.result?.[name] === undefined,
    )
    policy.add(new Prompt({ name, requestable: true }, unanswered))
  }
  return policy
}

function completeRequest(ctx: KoaContextWithOIDC, value: string | undefined): void {
  const { params } = ctx.oidc
  if (value !== undefined) throw new errors.InvalidRequest('countersign is not a parameter')
  if (!params) return
  if (params.response_mode !== undefined && params.response_mode !== 'query') {
    throw new errors.UnsupportedResponseMode()
  }
  const asked = String(params.scope ?? '')
    .split(' ')
    .filter((scope) => OFFERED_SCOPES.some((offered) => offered === scope))
  params.scope = [...new Set([BASE_SCOPE, ...asked])].join(' ')
}

/** RFC 9449 section 5 has a name of its own for what the library calls an invalid grant. */
function nameReplays(ctx: KoaContextWithOIDC, error: errors.OIDCProviderError): void {
  if (!error.error_detail?.includes('Replay detected') || ctx.get('dpop') === '') return
  ctx.body = { error: 'invalid_dpop_proof', error_description: 'the DPoP proof was used before' }
}
