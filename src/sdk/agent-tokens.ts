import { z } from 'zod'
import type { Credential } from './agent-credential.ts'
import { type Answered, failed, succeeded } from './agent-fault.ts'
import { boundedText } from './bounded-body.ts'
import type { DpopKey } from './dpop-key.ts'

/** What an agent keeps between two runs. Secret: whoever has it is the agent. */
export type AgentTokens = {
  readonly clientId: string
  readonly accessToken: string
  readonly refreshToken: string | null
  readonly expiresAtMs: number
}

/** Where tokens are kept. A refresh token is good once, so what is saved replaces what was there. */
export interface TokenStore {
  load(): Promise<AgentTokens | undefined>
  /** Undefined: the tokens are worthless and go. */
  save(tokens: AgentTokens | undefined): Promise<void>
  /** Lets one process at a time do this, where several share the tokens. */
  exclusive?<Value>(work: () => Promise<Value>): Promise<Value>
}

export type TokenOptions = {
  readonly broker: string
  readonly store: TokenStore
  /** The key the tokens are bound to, where they are. */
  readonly dpop?: DpopKey
  readonly fetch?: typeof fetch
  readonly now?: () => number
}

const REFRESH_BEFORE_MS = 60_000
const TOKEN_BYTES_MOST = 65_536
const TOKEN_MS_MOST = 30_000

export const issuedTokens = z.object({
  access_token: z.string().min(1),
  refresh_token: z.string().min(1).optional(),
  expires_in: z.number().min(1),
})
const refusal = z.object({ error: z.string() })

/**
 * Makes the credential of a connected agent: its tokens are refreshed a minute before they end and when the broker
 * refuses them, one refresh at a time, and each request is proven where the tokens are bound to a key.
 */
export function agentTokens(options: TokenOptions): Credential {
  const { store, dpop, broker } = options
  const now = options.now ?? Date.now
  const request = options.fetch ?? fetch
  let tokens: AgentTokens | undefined
  let refreshing: Promise<Answered<AgentTokens>> | undefined

  function refresh(used: AgentTokens | undefined): Promise<Answered<AgentTokens>> {
    const work = () => refreshOnce(used)
    refreshing ??= (store.exclusive?.(work) ?? work()).finally(() => {
      refreshing = undefined
    })
    return refreshing
  }

  async function refreshOnce(used: AgentTokens | undefined): Promise<Answered<AgentTokens>> {
    // Another process of this agent may have refreshed meanwhile, and a refresh token that is used twice ends all of them.
    const kept = await store.load()
    if (kept && kept.accessToken !== used?.accessToken && kept.expiresAtMs > now() + REFRESH_BEFORE_MS) {
      tokens = kept
      return succeeded(kept)
    }
    if (!kept || kept.refreshToken === null) return failed('signed_out')
    const asked = await askForTokens(request, `${broker}/oauth/token`, dpop, now, {
      grant_type: 'refresh_token',
      client_id: kept.clientId,
      refresh_token: kept.refreshToken,
    })
    if (asked.kind === 'unreachable') return failed('unreachable')
    if (asked.kind === 'refused') {
      if (asked.error !== 'invalid_grant' && asked.error !== 'invalid_client')
        return failed('unexpected_answer')
      tokens = undefined
      await store.save(undefined).catch(() => {})
      return failed('signed_out')
    }
    tokens = tokensFrom(asked.issued, kept, now())
    // What was issued is good, and used, even where it cannot be kept.
    await store.save(tokens).catch(() => {})
    return succeeded(tokens)
  }

  return {
    async headers({ method, url }) {
      tokens ??= await store.load()
      if (!tokens) return failed('signed_out')
      if (tokens.expiresAtMs <= now() + REFRESH_BEFORE_MS && tokens.refreshToken !== null) {
        const fresh = await refresh(tokens)
        // One that still lives is used while no other can be had.
        if (!fresh.ok && (fresh.fault.code !== 'unreachable' || tokens.expiresAtMs <= now())) return fresh
      }
      const { accessToken } = tokens
      if (!dpop) return succeeded({ authorization: `Bearer ${accessToken}` })
      const proof = dpop.prove({ method, url, accessToken, nowMs: now() })
      return succeeded({ authorization: `DPoP ${accessToken}`, dpop: proof })
    },
    async renew() {
      return (await refresh(tokens)).ok
    },
  }
}

/** Keeps tokens in memory, for a program that is connected anew each time it starts. */
export function memoryTokenStore(initial?: AgentTokens): TokenStore {
  let tokens = initial
  return {
    async load() {
      return tokens
    },
    async save(next) {
      tokens = next
    },
  }
}

export function tokensFrom(
  issued: z.infer<typeof issuedTokens>,
  before: { readonly clientId: string; readonly refreshToken: string | null },
  nowMs: number,
): AgentTokens {
  return {
    clientId: before.clientId,
    accessToken: issued.access_token,
    refreshToken: issued.refresh_token ?? before.refreshToken,
    expiresAtMs: nowMs + issued.expires_in * 1000,
  }
}

export type TokensAsked =
  | { readonly kind: 'issued'; readonly issued: z.infer<typeof issuedTokens> }
  | { readonly kind: 'refused'; readonly error: string }
  | { readonly kind: 'unreachable' }

/** Asks the token endpoint once. Errors are told by their OAuth code alone. */
export async function askForTokens(
  request: typeof fetch,
  url: string,
  dpop: DpopKey | undefined,
  now: () => number,
  fields: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<TokensAsked> {
  const timeout = AbortSignal.timeout(TOKEN_MS_MOST)
  try {
    const response = await request(url, {
      method: 'POST',
      redirect: 'error',
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      headers: {
        accept: 'application/json',
        ...(dpop ? { dpop: dpop.prove({ method: 'POST', url, nowMs: now() }) } : {}),
      },
      body: new URLSearchParams(fields),
    })
    const text = await boundedText(response, TOKEN_BYTES_MOST)
    const body: unknown = JSON.parse(text ?? 'null')
    const issued = issuedTokens.safeParse(body)
    if (response.ok && issued.success) return { kind: 'issued', issued: issued.data }
    const told = refusal.safeParse(body)
    if (response.status >= 500) return { kind: 'unreachable' }
    return { kind: 'refused', error: told.success ? told.data.error : 'unexpected_answer' }
  } catch {
    return { kind: 'unreachable' }
  }
}
