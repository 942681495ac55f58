import { createHash, randomBytes } from 'node:crypto'
import { z } from 'zod'
import { type BrowserByHand, refreshOf } from './browser-by-hand.ts'
import { mustHold } from './story-failed.ts'

/** Where the agent would listen for its answer; only the browser is sent there, and says what it was sent with. */
const REDIRECT = 'http://127.0.0.1:53211/callback'
const REFRESH_BEFORE_MS = 60_000

const registered = z.looseObject({ client_id: z.string() })
const issued = z.looseObject({
  access_token: z.string(),
  refresh_token: z.string(),
  expires_in: z.int(),
})

/** A program that was connected to a person's account over OAuth. */
export interface AgentConnection {
  readonly agentId: string
  /** An access token that is good for a minute at least. */
  token(): Promise<string>
}

/**
 * Connects a program as any OAuth client does: it registers, sends the person's browser to the broker, is called
 * back with a code and trades it for tokens (PKCE, RFC 7636). The yes gives it no authority.
 *
 * @param replaces the older connection whose grants the person moves to this one.
 */
export async function connectAgent(
  url: string,
  browser: BrowserByHand,
  about: { readonly name: string; readonly scope: string; readonly replaces?: string },
): Promise<AgentConnection> {
  const client = registered.parse(
    await posted(
      `${url}/oauth/register`,
      JSON.stringify({ client_name: about.name, redirect_uris: [REDIRECT], scope: about.scope }),
      { 'content-type': 'application/json' },
    ),
  )
  const verifier = randomBytes(32).toString('base64url')
  const state = randomBytes(16).toString('base64url')
  const asked = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: REDIRECT,
    response_type: 'code',
    scope: about.scope,
    state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  })
  const page = await browser.open(`${url}/oauth/authorize?${asked}`)
  const answered = await browser.submit(page, { answer: 'yes', replaces: about.replaces ?? '' })
  const { location } = await browser.open(refreshOf(answered))
  const callback = new URL(location ?? '', url).searchParams
  mustHold(callback.get('state') === state && callback.get('iss') === url, 'another answer came back')
  const redemption = {
    grant_type: 'authorization_code',
    client_id: client.client_id,
    redirect_uri: REDIRECT,
    code: callback.get('code') ?? '',
    code_verifier: verifier,
  }
  let tokens = issued.parse(await posted(`${url}/oauth/token`, new URLSearchParams(redemption)))
  let goodUntilMs = Date.now() + tokens.expires_in * 1000
  return {
    agentId: agentIn(tokens.access_token),
    async token() {
      if (Date.now() < goodUntilMs - REFRESH_BEFORE_MS) return tokens.access_token
      const again = {
        grant_type: 'refresh_token',
        client_id: client.client_id,
        refresh_token: tokens.refresh_token,
      }
      tokens = issued.parse(await posted(`${url}/oauth/token`, new URLSearchParams(again)))
      goodUntilMs = Date.now() + tokens.expires_in * 1000
      return tokens.access_token
    },
  }
}

async function posted(url: string, body: string | URLSearchParams, headers = {}): Promise<unknown> {
  const response = await fetch(url, { method: 'POST', headers, body })
  const text = await response.text()
  mustHold(response.ok, `${new URL(url).pathname} answered ${response.status}: ${text.slice(0, 300)}`)
  return JSON.parse(text)
}

/** The connection a token speaks for, as the token itself has it. */
function agentIn(token: string): string {
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')
  return AGENT_CLAIM.parse(JSON.parse(payload)).client_id
}
const AGENT_CLAIM = z.looseObject({ client_id: z.string() })
