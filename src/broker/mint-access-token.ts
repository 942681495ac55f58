import { randomUUID } from 'node:crypto'
import type { JsonValue } from '../core/json-value.ts'
import {
  ACCESS_TOKEN_TTL_SECONDS_MOST,
  ACCESS_TOKEN_TYPS,
  audienceOf,
  type TokenCaller,
} from '../core/tokens/access-token.ts'
import type { Signer } from '../ports/signer.ts'

export type AccessTokenInput = {
  readonly issuer: string
  readonly caller: TokenCaller
  readonly nowMs: number
  /** At most what the kind allows, which is also the default. */
  readonly ttlSeconds?: number
  /** Marks a token that no authorization server issued; a broker refuses it unless configured for development. */
  readonly isDevelopment?: boolean
  /** RFC 7638 thumbprint of the key each request must prove by DPoP. */
  readonly boundTo?: string
  /** The one resource it is for (RFC 8707); the whole API where left out. */
  readonly audience?: string
  /** What a grant is named by (RFC 9396 section 9.1); it carries none. */
  readonly authorizationDetails?: readonly JsonValue[]
}

/** Signs an access token (RFC 9068) with the broker's access key. */
export function mintAccessToken(signer: Signer, input: AccessTokenInput): Promise<string> {
  const { caller, issuer, boundTo } = input
  const issuedAt = Math.floor(input.nowMs / 1000)
  return signer.sign(
    'access',
    { typ: ACCESS_TOKEN_TYPS[caller.kind] },
    {
      iss: issuer,
      aud: input.audience ?? audienceOf(issuer, caller.kind),
      sub: caller.kind === 'operator' ? caller.operatorId : caller.userId,
      ...(caller.kind === 'agent' ? { client_id: caller.agentId } : {}),
      jti: randomUUID(),
      iat: issuedAt,
      exp: issuedAt + (input.ttlSeconds ?? ACCESS_TOKEN_TTL_SECONDS_MOST[caller.kind]),
      sid: caller.sessionId,
      ...(caller.scopes.length > 0 ? { scope: caller.scopes.join(' ') } : {}),
      ...(input.isDevelopment ? { dev: true } : {}),
      ...(boundTo === undefined ? {} : { cnf: { jkt: boundTo } }),
      ...(input.authorizationDetails === undefined
        ? {}
        : { authorization_details: input.authorizationDetails }),
    },
  )
}
