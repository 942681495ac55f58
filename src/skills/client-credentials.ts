import { z } from 'zod'
import type { McpAccess } from '../ports/mcp-access.ts'

const answerShape = z.object({
  access_token: z.string().regex(/^[\x21-\x7e]{1,8192}$/),
  token_type: z.string().regex(/^bearer$/i),
  expires_in: z.number().positive().optional(),
})

/** A token is not used in the last seconds of its life: it would be refused after the call had left. */
const MARGIN_MS = 30_000
/** What is believed of a token that does not say how long it lives. */
const UNSTATED_LIFE_MS = 300_000

export interface TokenSource {
  /** @throws (rejects) when the authorization server gives none. */
  token(): Promise<string>
  /** The resource refused the newest token: the next one is fetched anew. */
  drop(): void
}

/**
 * Fetches the broker's own access token for one skill (RFC 6749 section 4.4), bound to the server it is for (RFC 8707),
 * and keeps it while it is good. Callers who come at once share one request.
 *
 * @param fetch through the egress guard, as everything that leaves.
 */
export function openTokenSource(
  access: Extract<McpAccess, { kind: 'client_credentials' }>,
  resource: string,
  fetch: (url: string, init: RequestInit) => Promise<Response>,
  nowMs: () => number,
): TokenSource {
  let kept: { token: string; untilMs: number } | undefined
  let coming: Promise<string> | undefined

  async function ask(): Promise<string> {
    const { tokenEndpoint, clientId, clientSecret, scope } = access
    const form = new URLSearchParams({ grant_type: 'client_credentials', resource })
    if (scope !== null) form.set('scope', scope)
    const basic = Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`)
    const response = await fetch(tokenEndpoint, {
      method: 'POST',
      headers: {
        authorization: `Basic ${basic.toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
        accept: 'application/json',
      },
      body: form.toString(),
      signal: AbortSignal.timeout(10_000),
    })
    if (response.status !== 200) throw new Error(`the token endpoint answered ${response.status}`)
    const answer = answerShape.parse(await response.json())
    const lifeMs = answer.expires_in === undefined ? UNSTATED_LIFE_MS : answer.expires_in * 1000
    kept = { token: answer.access_token, untilMs: nowMs() + lifeMs - MARGIN_MS }
    return answer.access_token
  }

  return {
    async token() {
      if (kept && nowMs() < kept.untilMs) return kept.token
      coming ??= ask().finally(() => {
        coming = undefined
      })
      return coming
    },
    drop() {
      kept = undefined
    },
  }
}
