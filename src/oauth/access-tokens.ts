import type Provider from 'oidc-provider'
import { errors } from 'oidc-provider'
import type { Broker } from '../broker/broker.ts'
import { mintAccessToken } from '../broker/mint-access-token.ts'
import { findFamily } from '../broker/token-family.ts'
import { LIFETIMES } from './lifetimes.ts'

/** What of the library's access token goes into ours. */
type Issued = {
  readonly grantId?: string
  readonly scope?: string
  readonly aud?: string
  readonly jkt?: string
  readonly rar?: readonly { type: string; grantId?: unknown; skill?: unknown }[]
}

/**
 * Makes access tokens the broker's own (RFC 9068): signed by its access key, whichever that is at the moment, and
 * saying who calls in the words its verifier reads. The library never holds a signing key.
 */
export function issueOurTokens(provider: Provider, broker: Broker, nowMs: () => number): void {
  Object.defineProperty(provider.AccessToken.prototype, 'getValueAndPayload', {
    async value(this: Issued) {
      const family = await findFamily(broker, this.grantId ?? '')
      if (!family) throw new errors.InvalidGrant('the connection has ended')
      const { userId, agentId, sessionId } = family
      const scopes = (this.scope ?? '').split(' ').filter((scope) => scope !== '')
      const value = await mintAccessToken(broker.signer, {
        issuer: broker.settings.issuer,
        caller: { kind: 'agent', userId, agentId, sessionId, scopes },
        nowMs: nowMs(),
        ttlSeconds: LIFETIMES.accessToken,
        ...(this.aud === undefined ? {} : { audience: this.aud }),
        ...(this.jkt === undefined ? {} : { boundTo: this.jkt }),
        ...(this.rar === undefined ? {} : { authorizationDetails: this.rar.map(named) }),
      })
      return { value }
    },
  })
}

/** A token names grants and does not carry their terms: those are read from the store each time. */
function named({ type, grantId, skill }: { type: string; grantId?: unknown; skill?: unknown }) {
  return { type, grantId: String(grantId), skill: String(skill) }
}
