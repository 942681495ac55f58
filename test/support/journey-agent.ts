import { createHash, randomBytes } from 'node:crypto'
import { z } from 'zod'
import { type ApiCaller, bearer, openApiClient, readAs } from '../../src/demo/api-client.ts'
import { CONSENT_DETAIL_TYPE } from '../../src/oauth/consent-detail.ts'
import type { JourneyWorld } from './journey-world.ts'

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'
const anObject = z.looseObject({})
const issued = z.looseObject({ access_token: z.string(), client_id: z.string().optional() })

/** What an agent asks for at its authorization request: coffee for up to CN¥500 a week, asked above CN¥100. */
export const COFFEE_REQUEST = {
  skill: 'coffee.order',
  actions: ['search_stores', 'get_menu', 'quote', 'get_quote', 'order_and_pay', 'get_order'].map((name) => ({
    name,
  })),
  budgets: [
    { measure: 'amount', currency: 'CNY', window: { kind: 'calendar', period: 'week' }, limit: 50_000 },
  ],
  askFirst: [{ kind: 'above_amount', currency: 'CNY', amountMinor: 10_000 }],
  categories: ['store', 'basket', 'order', 'price', 'payment'],
  retentionDays: { order_history: 90 },
  purpose: 'Morning coffee for you and your flatmate',
}

/** A program that is no part of the broker, as far as it is from any browser. */
export type JourneyAgent = {
  readonly clientId: string
  /** Where it sends its user's browser. */
  authorizeUrl(request?: object): string
  /** Trades what it was called back with for a token. */
  redeem(): Promise<ApiCaller>
}

async function post(url: string, body: string | URLSearchParams, type?: string): Promise<Response> {
  return fetch(url, { method: 'POST', body, ...(type ? { headers: { 'content-type': type } } : {}) })
}

async function register({ url }: JourneyWorld, about: object): Promise<string> {
  const response = await post(`${url}/oauth/register`, JSON.stringify(about), 'application/json')
  return z.looseObject({ client_id: z.string() }).parse(await response.json()).client_id
}

export function detailsOf(request: object): string {
  return JSON.stringify([{ type: CONSENT_DETAIL_TYPE, request }])
}

/** Registers a program that has a browser beside it. */
export async function registerProgram(world: JourneyWorld, name: string): Promise<JourneyAgent> {
  const { url, callback } = world
  const redirect = callback.uri
  const clientId = await register(world, { client_name: name, redirect_uris: [redirect], scope: 'agent' })
  const verifier = randomBytes(32).toString('base64url')
  const state = randomBytes(8).toString('hex')
  return {
    clientId,
    authorizeUrl(request) {
      const asked = new URLSearchParams({
        client_id: clientId,
        redirect_uri: redirect,
        response_type: 'code',
        scope: 'agent',
        state,
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
        ...(request === undefined ? {} : { authorization_details: detailsOf(request) }),
      })
      return `${url}/oauth/authorize?${asked}`
    },
    async redeem() {
      const back = callback.last()
      if (back.get('state') !== state || back.get('iss') !== url) throw new Error(`called back with ${back}`)
      const response = await post(
        `${url}/oauth/token`,
        new URLSearchParams({
          grant_type: 'authorization_code',
          client_id: clientId,
          redirect_uri: redirect,
          code: back.get('code') ?? '',
          code_verifier: verifier,
        }),
      )
      const { access_token } = issued.parse(await response.json())
      return openApiClient(
        url,
        bearer(async () => access_token),
      )
    },
  }
}

/** A program without a browser, and the code its screen shows. */
export async function startDevice(world: JourneyWorld, name: string, request?: object) {
  const { url } = world
  const clientId = await register(world, {
    client_name: name,
    redirect_uris: [],
    response_types: [],
    grant_types: [DEVICE_GRANT, 'refresh_token'],
  })
  const asked = new URLSearchParams({
    client_id: clientId,
    ...(request === undefined ? {} : { authorization_details: detailsOf(request) }),
  })
  const started = z
    .object({ user_code: z.string(), device_code: z.string(), verification_uri: z.string() })
    .parse(await (await post(`${url}/oauth/device_authorization`, asked)).json())
  return {
    ...started,
    async poll(): Promise<z.infer<typeof anObject>> {
      const { device_code } = started
      const answer = await post(
        `${url}/oauth/token`,
        new URLSearchParams({ grant_type: DEVICE_GRANT, client_id: clientId, device_code }),
      )
      return anObject.parse(await answer.json())
    },
  }
}

/** Orders so many bags of beans, CN¥88.00 each; the same key orders the same thing again. */
export async function orderBeans(agent: ApiCaller, quantity: number, key: string, quoteId?: string) {
  const ask = (action: string, args: object, idempotencyKey: string) =>
    agent.post(
      '/v1/actions',
      { skill: 'coffee.order', action, arguments: args },
      { 'idempotency-key': idempotencyKey },
    )
  let quote_id = quoteId
  if (quote_id === undefined) {
    const items = [{ sku: 'beans-250g', quantity }]
    const quoted = await ask('quote', { store_id: 'HZ-01', items, currency: 'CNY' }, `${key}-quote`)
    const shape = z.looseObject({ result: z.looseObject({ quote_id: z.string() }) })
    quote_id = readAs(quoted, 200, shape).result.quote_id
  }
  const args = {
    quote_id,
    store_id: 'HZ-01',
    currency: 'CNY',
    pickup: 'store',
    total_amount: 8_800 * quantity,
  }
  return { quoteId: quote_id, answer: await ask('order_and_pay', args, key) }
}
