import { z } from 'zod'
import { type JwsFault, type VerificationKey, verifyCompactJws } from '../execution/compact-jws.ts'
import { type IdKind, isId } from '../ids.ts'

/** Whose tokens the broker signs. */
export const TOKEN_KINDS = ['agent', 'user', 'operator'] as const
export type TokenKind = (typeof TOKEN_KINDS)[number]

/** Who may call. They are never interchangeable (DESIGN section 2): each has its own credential and audience. */
export const CALLER_KINDS = [...TOKEN_KINDS, 'enforcement_point'] as const
export type CallerKind = (typeof CALLER_KINDS)[number]

/** `typ` of each kind's token; agents' is the one of RFC 9068. */
export const ACCESS_TOKEN_TYPS = {
  agent: 'at+jwt',
  user: 'countersign-user+jwt',
  operator: 'countersign-operator+jwt',
} as const satisfies Record<TokenKind, string>

/** The longest life of a token in seconds. An agent runs unattended, so its token lives shortest. */
export const ACCESS_TOKEN_TTL_SECONDS_MOST = { agent: 900, user: 3_600, operator: 3_600 } as const

/** How far ahead of our clock an issuer's may run, in seconds. */
const CLOCK_SKEW_SECONDS = 30

/** Scopes a token can carry. Everything else is decided by the store, never by a token. */
export const SCOPES = ['log:read'] as const
export type Scope = (typeof SCOPES)[number]

/** The audience of a kind's tokens at this broker. */
export function audienceOf(issuer: string, kind: CallerKind): string {
  return `${issuer}/${kind.replace('_', '-')}`
}

const seconds = z.int().min(0)
const idShape = (kind: IdKind) => z.string().refine((text) => isId(kind, text))
const common = {
  iss: z.string().min(1).max(300),
  aud: z.string().min(1).max(320),
  jti: z.string().min(1).max(128),
  iat: seconds,
  exp: seconds,
  nbf: seconds.optional(),
  /** The session this token belongs to (DESIGN section 3). */
  sid: idShape('session'),
  scope: z.string().max(300).optional(),
  /** Minted from the key folder for development, not by an authorization server. */
  dev: z.boolean().optional(),
  /** RFC 9449 section 6: the thumbprint of the key each request must prove. */
  cnf: z.strictObject({ jkt: z.string().regex(/^[A-Za-z0-9_-]{43}$/) }).optional(),
}
const userId = idShape('user')

/** Claims nobody reads are ignored, as RFC 9068 section 4 asks; an agent's name on a person's token is refused. */
const CLAIMS = {
  agent: z.object({ ...common, sub: userId, client_id: idShape('agent') }),
  user: z.object({ ...common, sub: userId, client_id: z.never().optional() }),
  operator: z.object({
    ...common,
    sub: z.string().regex(/^[a-z0-9][a-z0-9._@-]{0,63}$/),
    client_id: z.never().optional(),
  }),
} as const

type Identity =
  | { readonly kind: 'agent'; readonly userId: string; readonly agentId: string }
  | { readonly kind: 'user'; readonly userId: string }
  | { readonly kind: 'operator'; readonly operatorId: string }

/** Who calls with a token that the broker signed. */
export type TokenCaller = Identity & { readonly sessionId: string; readonly scopes: readonly string[] }

/** Who calls. What they may do is read from the store each time. */
export type Caller = TokenCaller | { readonly kind: 'enforcement_point'; readonly pointId: string }

export type VerifiedAccessToken = {
  readonly caller: TokenCaller
  readonly expiresAtMs: number
  readonly isDevelopment: boolean
  /** Thumbprint of the key the caller must prove; null for a bearer token. */
  readonly boundTo: string | null
}

export type AccessTokenFault =
  | JwsFault
  | 'invalid_claims'
  | 'wrong_issuer'
  | 'wrong_audience'
  | 'lifetime_too_long'
  | 'not_yet_valid'
  | 'expired'

export type AccessTokenVerdict =
  | { readonly ok: true; readonly token: VerifiedAccessToken }
  | { readonly ok: false; readonly code: AccessTokenFault }

export type AccessTokenExpectation = {
  readonly issuer: string
  /** A resource of the broker's (RFC 8707) that agents' tokens may be meant for as well, such as `<issuer>/mcp`. */
  readonly resource?: string
  readonly keys: readonly VerificationKey[]
  readonly nowMs: number
}

/**
 * Verifies an access token of any kind (RFC 9068 section 4) and says whose it is. The kind follows from the signed
 * `typ`, and audience and claims must then be that kind's: no claim can turn an agent's token into its user's.
 */
export function verifyAccessToken(token: string, expected: AccessTokenExpectation): AccessTokenVerdict {
  let furthest: JwsFault = 'wrong_type'
  for (const kind of TOKEN_KINDS) {
    const verdict = verifyCompactJws(token, {
      typ: ACCESS_TOKEN_TYPS[kind],
      keys: expected.keys,
      purpose: 'access',
    })
    // The header names one `typ`, so at most one kind gets as far as its signature.
    if (verdict.ok) return checkClaims(kind, verdict.payload, expected)
    if (verdict.code !== 'wrong_type') furthest = verdict.code
  }
  return refused(furthest)
}

function checkClaims(
  kind: TokenKind,
  payload: unknown,
  expected: AccessTokenExpectation,
): AccessTokenVerdict {
  const parsed = CLAIMS[kind].safeParse(payload)
  if (!parsed.success) return refused('invalid_claims')
  const claims = parsed.data
  if (claims.iss !== expected.issuer) return refused('wrong_issuer')
  const isForResource =
    kind === 'agent' && expected.resource !== undefined && claims.aud === expected.resource
  if (claims.aud !== audienceOf(expected.issuer, kind) && !isForResource) return refused('wrong_audience')
  const lifetime = claims.exp - claims.iat
  if (lifetime <= 0 || lifetime > ACCESS_TOKEN_TTL_SECONDS_MOST[kind]) return refused('lifetime_too_long')
  const startsAtMs = (Math.max(claims.iat, claims.nbf ?? 0) - CLOCK_SKEW_SECONDS) * 1000
  if (expected.nowMs < startsAtMs) return refused('not_yet_valid')
  if (expected.nowMs >= claims.exp * 1000) return refused('expired')
  return {
    ok: true,
    token: {
      caller: {
        ...identityOf(kind, claims.sub, claims.client_id),
        sessionId: claims.sid,
        scopes: claims.scope === undefined ? [] : claims.scope.split(' '),
      },
      expiresAtMs: claims.exp * 1000,
      isDevelopment: claims.dev ?? false,
      boundTo: claims.cnf?.jkt ?? null,
    },
  }
}

function identityOf(kind: TokenKind, subject: string, clientId: string | undefined): Identity {
  switch (kind) {
    case 'agent':
      return { kind, userId: subject, agentId: clientId ?? '' }
    case 'user':
      return { kind, userId: subject }
    case 'operator':
      return { kind, operatorId: subject }
  }
}

function refused(code: AccessTokenFault): AccessTokenVerdict {
  return { ok: false, code }
}
