import { createHash, randomBytes } from 'node:crypto'
import { type BrowserByHand, refreshOf, type Seen } from '../../src/demo/browser-by-hand.ts'
import type { OauthWorld } from './oauth-world.ts'

export const REDIRECT = 'http://127.0.0.1:53211/callback'

export type Told = {
  readonly status: number
  readonly body: Record<string, unknown>
  readonly headers: Headers
}

/** Sends what a client sends, right or wrong, and tells what came back. */
export async function tell(
  url: string,
  fields: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Told> {
  const response = await fetch(url, {
    method: 'POST',
    redirect: 'manual',
    headers: { accept: 'application/json', ...headers },
    body: new URLSearchParams(fields),
  })
  return told(response)
}

export async function register(
  world: OauthWorld,
  metadata: Readonly<Record<string, unknown>> = {},
): Promise<Told> {
  const response = await fetch(`${world.url}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ client_name: 'Errand runner', redirect_uris: [REDIRECT], ...metadata }),
  })
  return told(response)
}

async function told(response: Response): Promise<Told> {
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') === true
  return {
    status: response.status,
    headers: response.headers,
    body: isJson ? (JSON.parse(text) as Record<string, unknown>) : { text },
  }
}

export async function newClient(world: OauthWorld, metadata: Readonly<Record<string, unknown>> = {}) {
  const registered = await register(world, metadata)
  if (registered.status !== 201) throw new Error(JSON.stringify(registered.body))
  return String(registered.body.client_id)
}

export type Begun = {
  readonly url: string
  readonly verifier: string
  readonly params: Record<string, string>
}

/** A well-formed authorization request; what is set to an empty string is left out. */
export function begin(
  world: OauthWorld,
  clientId: string,
  extra: Readonly<Record<string, string>> = {},
): Begun {
  const verifier = randomBytes(32).toString('base64url')
  const all: Record<string, string> = {
    client_id: clientId,
    redirect_uri: REDIRECT,
    response_type: 'code',
    state: 'xyz',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...extra,
  }
  const params = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''))
  return { url: `${world.url}/oauth/authorize?${new URLSearchParams(params)}`, verifier, params }
}

/** Opens a request in a browser, says yes, and returns what the client is called back with. */
export async function sayYes(
  browser: BrowserByHand,
  url: string,
  fields: Readonly<Record<string, string>> = {},
): Promise<URLSearchParams> {
  const answered = await browser.submit(await browser.open(url), { answer: 'yes', ...fields })
  return callbackOf(browser, answered)
}

export async function callbackOf(browser: BrowserByHand, answered: Seen): Promise<URLSearchParams> {
  const { location } = await browser.open(refreshOf(answered))
  return new URL(location ?? '').searchParams
}

/** A whole connection of a public client: its first tokens and how it got them. */
export async function connect(
  world: OauthWorld,
  browser: BrowserByHand,
  about: {
    clientId?: string
    extra?: Readonly<Record<string, string>>
    fields?: Readonly<Record<string, string>>
  } = {},
) {
  const clientId = about.clientId ?? (await newClient(world))
  const begun = begin(world, clientId, about.extra)
  const callback = await sayYes(browser, begun.url, about.fields)
  const redemption = {
    grant_type: 'authorization_code',
    client_id: clientId,
    code: callback.get('code') ?? '',
    redirect_uri: begun.params.redirect_uri ?? '',
    code_verifier: begun.verifier,
  }
  const tokens = await tell(`${world.url}/oauth/token`, redemption)
  return { clientId, callback, redemption, tokens, refreshToken: String(tokens.body.refresh_token) }
}

export const refresh = (world: OauthWorld, clientId: string, refreshToken: string, extra = {}) =>
  tell(`${world.url}/oauth/token`, {
    grant_type: 'refresh_token',
    client_id: clientId,
    refresh_token: refreshToken,
    ...extra,
  })
