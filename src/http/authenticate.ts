import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { importVerificationKeys, type VerificationKey } from '../core/execution/compact-jws.ts'
import { type Caller, type VerifiedAccessToken, verifyAccessToken } from '../core/tokens/access-token.ts'
import { verifyDpopProof } from '../core/tokens/dpop-proof.ts'
import type { Signer } from '../ports/signer.ts'
import { InvalidRequest } from './problem.ts'
import type { ProblemCode } from './problem-codes.ts'
import { createProofReplays } from './proof-replays.ts'

export type AuthenticateOptions = {
  readonly issuer: string
  /** Agents' tokens may be meant for this resource (RFC 8707) as well. */
  readonly resource?: string
  readonly signer: Signer
  /** Whether tokens minted from the key folder are good here. */
  readonly allowsDevelopmentTokens: boolean
  readonly nowMs: () => number
}

/** What of a request says who calls. */
export type Presented = {
  readonly authorization: string | null
  readonly proof: string | null
  /** Upper case, as RFC 9449 compares it. */
  readonly method: string
  /** The request's URL; only its path is looked at. */
  readonly url: string
}

export type Authenticate = (presented: Presented) => Caller

/** Verified tokens remembered; a token is some hundred bytes. */
const TOKENS_MOST = 50_000
const TOKEN_CHARACTERS_MOST = 8_192

/**
 * Makes the function that says who calls, by access token (RFC 6750) and, where the token is bound to a key, by
 * proof of possession (RFC 9449).
 *
 * A verified token is remembered under its SHA-256, so that its signature is checked once; its expiry is looked at
 * with each use, and everything is forgotten when the broker's keys change.
 *
 * @throws (the function) InvalidRequest `token_required`, `token_invalid` or `proof_invalid`.
 */
export function createAuthenticator(options: AuthenticateOptions): Authenticate {
  const { issuer, signer, allowsDevelopmentTokens, nowMs } = options
  const forWhom = { issuer, ...(options.resource === undefined ? {} : { resource: options.resource }) }
  const unauthenticated = refusals(
    options.resource === undefined ? `${issuer}/.well-known/oauth-protected-resource` : '',
  )
  const verified = new LRUCache<string, VerifiedAccessToken>({ max: TOKENS_MOST })
  const replays = createProofReplays()
  // Which proofs were used before a restart is not known any more, so none from before it is taken.
  const oldestProofMs = Math.ceil(nowMs() / 1000) * 1000
  let published: readonly unknown[] | undefined
  let keys: readonly VerificationKey[] = []

  function currentKeys(): readonly VerificationKey[] {
    const now = signer.jwks().keys
    if (now !== published) {
      published = now
      keys = importVerificationKeys(now)
      verified.clear()
    }
    return keys
  }

  function verify(text: string, atMs: number): VerifiedAccessToken {
    const trusted = currentKeys()
    const digest = hash('sha256', text, 'base64url')
    const known = verified.get(digest)
    if (known && atMs < known.expiresAtMs) return known
    const verdict = verifyAccessToken(text, { ...forWhom, keys: trusted, nowMs: atMs })
    if (!verdict.ok) throw unauthenticated('token_invalid', `The token was refused: ${verdict.code}.`)
    const { token } = verdict
    if (token.isDevelopment && !allowsDevelopmentTokens) {
      throw unauthenticated('token_invalid', 'Development tokens are not accepted here.')
    }
    verified.set(digest, token)
    return token
  }

  function prove(
    token: VerifiedAccessToken & { boundTo: string },
    text: string,
    by: Presented,
    atMs: number,
  ) {
    if (by.proof === null) throw unauthenticated('proof_invalid', 'The DPoP header is missing.')
    const verdict = verifyDpopProof(by.proof, {
      method: by.method,
      url: `${issuer}${new URL(by.url).pathname}`,
      accessToken: text,
      boundTo: token.boundTo,
      nowMs: atMs,
    })
    if (!verdict.ok) throw unauthenticated('proof_invalid', `The proof was refused: ${verdict.code}.`)
    if (verdict.issuedAtMs < oldestProofMs) {
      throw unauthenticated('proof_invalid', 'The proof is older than this server. Make a new one.')
    }
    switch (replays.remember(verdict.proofId, verdict.expiresAtMs, atMs)) {
      case 'new':
        return
      case 'seen':
        throw unauthenticated('proof_invalid', 'The proof was used before. Make a new one for each request.')
      case 'full':
        throw new InvalidRequest('rate_limited', { headers: { 'retry-after': '60' } })
    }
  }

  return (presented) => {
    const { authorization } = presented
    if (authorization === null) throw unauthenticated('token_required')
    const space = authorization.indexOf(' ')
    const scheme = authorization.slice(0, space).toLowerCase()
    const text = authorization.slice(space + 1)
    if ((scheme !== 'bearer' && scheme !== 'dpop') || text.length > TOKEN_CHARACTERS_MOST) {
      throw unauthenticated('token_invalid', 'Send Authorization: Bearer or DPoP, and one token.')
    }
    const atMs = nowMs()
    const token = verify(text, atMs)
    const { boundTo } = token
    // A bound token sent as a bearer token may be stolen; an unbound one proves nothing by a proof.
    if ((scheme === 'dpop') !== (boundTo !== null)) {
      throw unauthenticated('proof_invalid', 'The scheme is DPoP for bound tokens and Bearer for others.')
    }
    if (boundTo !== null) prove({ ...token, boundTo }, text, presented, atMs)
    return token.caller
  }
}

type Unauthenticated = Extract<ProblemCode, 'token_required' | 'token_invalid' | 'proof_invalid'>

/**
 * Makes the refusals of one resource, with the challenge each takes (RFC 6750 section 3, RFC 9449 section 7.1).
 *
 * @param metadata where clients learn how to get a token (RFC 9728 section 5.1); empty where the surface says so itself.
 */
function refusals(metadata: string): (code: Unauthenticated, detail?: string) => InvalidRequest {
  const where = metadata === '' ? '' : `, resource_metadata="${metadata}"`
  const challenges = {
    token_required: `Bearer realm="countersign"${where}`,
    token_invalid: `Bearer realm="countersign", error="invalid_token"${where}`,
    proof_invalid: `DPoP algs="Ed25519 EdDSA ES256", error="invalid_dpop_proof"${where}`,
  }
  return (code, detail) =>
    new InvalidRequest(code, {
      ...(detail === undefined ? {} : { detail }),
      headers: { 'www-authenticate': challenges[code] },
    })
}
