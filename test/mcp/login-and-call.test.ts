import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client'
import { expect, it } from 'vitest'
import { refreshOf } from '../../src/demo/browser-by-hand.ts'
import { openClientWorld } from '../clients/client-world.ts'

const REDIRECT = 'http://localhost:7777/oauth/callback'

type Provider = NonNullable<
  NonNullable<ConstructorParameters<typeof StreamableHTTPClientTransport>[1]>['authProvider']
>
type Kept = {
  discovery?: unknown
  url?: URL
  verifier: string
  client?: unknown
  tokens?: { access_token: string }
}

/** What a program keeps between the steps of its login. */
function keeper<Kind = Provider>(kept: Kept): Kind {
  const provider = {
    redirectUrl: REDIRECT,
    clientMetadata: {
      client_name: 'A whole client',
      redirect_uris: [REDIRECT],
      token_endpoint_auth_method: 'none',
    },
    state: () => 'its-own-state',
    clientInformation: () => kept.client,
    saveClientInformation(client: unknown) {
      kept.client = client
    },
    tokens: () => kept.tokens,
    saveTokens(tokens: { access_token: string }) {
      kept.tokens = tokens
    },
    redirectToAuthorization(url: URL) {
      kept.url = url
    },
    saveCodeVerifier(verifier: string) {
      kept.verifier = verifier
    },
    codeVerifier: () => kept.verifier,
    saveDiscoveryState(discovery: unknown) {
      kept.discovery = discovery
    },
    discoveryState: () => kept.discovery,
  }
  return provider as Kind
}

it('a client is turned away, logs in by its own SDK, connects with what it got, and calls', async () => {
  const world = await openClientWorld()
  const kept: Kept = { verifier: '' }
  const url = new URL(world.mcpUrl)
  const first = new StreamableHTTPClientTransport(url, { authProvider: keeper(kept) })
  const turnedAway = new Client({ name: 'whole', version: '1' })
  await expect(turnedAway.connect(first)).rejects.toThrow(UnauthorizedError)

  const { browser } = world.user
  const answered = await browser.submit(await browser.open(kept.url?.href ?? ''), { answer: 'yes' })
  const { location } = await browser.open(refreshOf(answered))
  await first.finishAuth(new URL(location ?? '').searchParams)

  const client = new Client({ name: 'whole', version: '1' })
  await client.connect(new StreamableHTTPClientTransport(url, { authProvider: keeper(kept) }))
  const { tools } = await client.listTools()
  expect(tools.map(({ name }) => name)).toContain('countersign_ask_consent')
  const asked = await client.callTool({
    name: 'countersign_ask_consent',
    arguments: { skill: 'coffee.order', actions: [{ name: 'get_menu' }], categories: ['price', 'store'] },
  })
  const link = /http:\S+\/consents\/\w+/.exec(JSON.stringify(asked))?.[0] ?? ''
  await world.allow(link.replace(/\\.*/, ''))
  const menu = await client.callTool({ name: 'coffee_order_get_menu', arguments: { store_id: 'HZ-01' } })
  expect(JSON.stringify(menu.content)).toContain('Done: coffee.order get_menu')
  expect(world.coffee.calls.map(({ action }) => action)).toEqual(['get_menu'])
  await client.close()
})
