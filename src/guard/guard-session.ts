import { z } from 'zod'
import { readJson } from './broker-answer.ts'

/** What a guard was given when its user connected it: who it is, never what it may. */
export type GuardTokens = {
  readonly clientId: string
  readonly accessToken: string
  readonly refreshToken: string
  readonly expiresAtMs: number
}

export type TokenKeeper = {
  read(): GuardTokens | undefined
  /** Durable when it returns: the refresh token before is used up. */
  save(tokens: GuardTokens): void
}

/** The connection has ended: its user has to connect the guard again. */
export class SignedOut extends Error {}

export type GuardSession = {
  /** A token that is good for a while. @throws (rejects) SignedOut, or Error where the broker does not answer. */
  token(): Promise<string>
  /** The broker did not take the token: the next one is a new one. */
  refused(token: string): void
}

/** A token with less left is renewed first, in milliseconds. */
const RENEW_BEFORE_MS = 120_000
const RENEWAL_TIMEOUT_MS = 20_000

export const issuedShape = z.looseObject({
  access_token: z.string().min(1).max(8_192),
  refresh_token: z.string().min(1).max(8_192),
  expires_in: z.int().min(1),
})

/**
 * Keeps a guard's tokens fresh. One renewal at a time, and never broken off by whoever waits for it: the broker ends a
 * whole connection whose refresh token is used twice.
 */
export function openGuardSession(
  origin: string,
  keeper: TokenKeeper,
  nowMs: () => number = Date.now,
): GuardSession {
  let renewal: Promise<GuardTokens> | undefined
  let refusedToken: string | undefined

  async function renew(before: GuardTokens): Promise<GuardTokens> {
    const response = await fetch(new URL('/oauth/token', origin), {
      method: 'POST',
      headers: { accept: 'application/json' },
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        client_id: before.clientId,
        refresh_token: before.refreshToken,
      }),
      redirect: 'error',
      signal: AbortSignal.timeout(RENEWAL_TIMEOUT_MS),
    })
    if (response.status === 400 || response.status === 401) throw new SignedOut('the connection has ended')
    if (response.status !== 200) throw new Error(`the broker answered ${response.status}`)
    const issued = issuedShape.parse(await readJson(response))
    const tokens = tokensOf(before.clientId, issued, nowMs())
    keeper.save(tokens)
    return tokens
  }

  return {
    async token() {
      const kept = keeper.read()
      if (!kept) throw new SignedOut('nobody has connected this guard')
      const isGood = kept.accessToken !== refusedToken && nowMs() < kept.expiresAtMs - RENEW_BEFORE_MS
      if (isGood && renewal === undefined) return kept.accessToken
      renewal ??= renew(kept).finally(() => {
        renewal = undefined
      })
      return (await renewal).accessToken
    },
    refused(token) {
      refusedToken = token
    },
  }
}

export function tokensOf(clientId: string, issued: z.infer<typeof issuedShape>, nowMs: number): GuardTokens {
  return {
    clientId,
    accessToken: issued.access_token,
    refreshToken: issued.refresh_token,
    expiresAtMs: nowMs + issued.expires_in * 1000,
  }
}
