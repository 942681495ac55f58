import { Client, type ClientOptions, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { storedDeployments } from '../../src/broker/agent-deployments.ts'
import { AuthorityChanges } from '../../src/broker/authority-changes.ts'
import { watchStore } from '../../src/broker/watched-store.ts'
import type { GrantTerms } from '../../src/core/grant/terms.ts'
import type { Manifest } from '../../src/core/manifest/manifest.ts'
import type { StreamSurface } from '../../src/http/surface-route.ts'
import { openMcpSurface } from '../../src/mcp/mcp-surface.ts'
import { COFFEE, coffeeSkill } from '../support/coffee-test.ts'
import { QWEN } from '../support/connected-agent.ts'
import { type Granted, grantAll, SECRET } from '../support/granted-agent.ts'
import { createTestApp, HOST, type TestApp } from '../support/test-app.ts'
import { insertAgent } from '../support/test-broker.ts'

export const MCP_URL = new URL(`https://${HOST}/mcp`)
export const ACCEPT = 'application/json, text/event-stream'

export type Posted = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: Json
}
type Json = { readonly [name: string]: unknown }

export type McpWorld = {
  readonly app: TestApp
  readonly surface: StreamSurface
  readonly alice: Granted
  readonly token: string
  /** `fetch` in process, with a token where one is given. */
  fetchAs(token?: string): (url: string | URL, init?: RequestInit) => Promise<Response>
  /** A v2 client that is connected, by default as Alice's agent on the newest protocol. */
  connect(about?: About): Promise<Client>
  /** A client of the v1 SDK, likewise. */
  connectV1(about?: Pick<About, 'token'>): Promise<Client1>
  /** One raw message. */
  post(
    body: unknown,
    about?: { token?: string; headers?: Record<string, string>; raw?: string },
  ): Promise<Posted>
  /** Opens a session of the 2025 protocol and returns its id. */
  openSession(token?: string): Promise<string>
  close(): Promise<void>
}

type About = {
  readonly token?: string
  readonly protocol?: '2026-07-28' | '2025-11-25'
  readonly options?: ClientOptions
  /** Runs before it connects, to set what it answers. */
  readonly prepare?: (client: Client) => void
}

export type WorldOptions = {
  readonly manifest?: Manifest
  readonly terms?: Partial<GrantTerms>
  readonly holdMs?: number
}

/** A broker with the MCP endpoint, in process, and Alice's agent that may order coffee. */
export async function openMcpWorld({ manifest, terms, holdMs = 150 }: WorldOptions = {}): Promise<McpWorld> {
  let surface: StreamSurface | undefined
  const serving = (): StreamSurface => {
    if (!surface) throw new Error('not open yet')
    return surface
  }
  const app = await createTestApp({
    app: {
      streams: [
        {
          path: '/mcp',
          resource: `https://${HOST}/mcp`,
          respond: (raw) => serving().respond(raw),
          stop: () => serving().stop(),
          idle: () => serving().idle(),
        },
      ],
    },
  })
  const { broker } = app
  const changes = new AuthorityChanges()
  broker.store = watchStore(broker.store, changes)
  surface = openMcpSurface({ broker, changes, holdMs, monotonicMs: () => app.clock.nowMs() })
  app.secrets.set('coffee.order /payment_token', SECRET)
  app.skill.replyAlways(coffeeSkill)
  const agent = await insertAgent(broker, {
    userId: broker.newId('user'),
    deployments: storedDeployments([QWEN]),
  })
  const alice = await grantAll(broker, manifest ?? COFFEE, terms, { userId: agent.userId, agent })
  const token = await app.tokenFor({ kind: 'agent', userId: alice.userId, agentId: alice.agent.id })
  const clients: { close(): Promise<void> }[] = []

  const fetchAs =
    (as?: string) =>
    async (url: string | URL, init: RequestInit = {}): Promise<Response> => {
      const headers = new Headers(init.headers)
      if (as !== undefined) headers.set('authorization', `Bearer ${as}`)
      return app.app.request(
        String(url),
        { ...init, headers },
        { incoming: { socket: { remoteAddress: '192.0.2.1' } } },
      )
    }

  async function post(
    body: unknown,
    about: { token?: string; headers?: Record<string, string>; raw?: string } = {},
  ): Promise<Posted> {
    const headers = { 'content-type': 'application/json', accept: ACCEPT, ...about.headers }
    const response = await fetchAs(about.token ?? token)(MCP_URL, {
      method: 'POST',
      headers,
      body: about.raw ?? JSON.stringify(body),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, json: lastMessage(text) }
  }

  return {
    app,
    surface,
    alice,
    token,
    fetchAs,
    post,
    async connect({ token: as = token, protocol = '2026-07-28', options = {}, prepare } = {}) {
      const mode = protocol === '2026-07-28' ? { pin: protocol } : ('legacy' as const)
      const client = new Client({ name: 'test', version: '1' }, { ...options, versionNegotiation: { mode } })
      prepare?.(client)
      await client.connect(new StreamableHTTPClientTransport(MCP_URL, { fetch: fetchAs(as) }))
      clients.push(client)
      return client
    },
    async connectV1({ token: as = token } = {}) {
      const client = new Client1({ name: 'test', version: '1' })
      await client.connect(
        new Transport1(MCP_URL, { fetch: fetchAs(as) }) as Parameters<Client1['connect']>[0],
      )
      clients.push(client)
      return client
    },
    async openSession(as = token) {
      const opened = await post(INITIALIZE, { token: as })
      const id = opened.headers.get('mcp-session-id')
      if (id === null) throw new Error(`no session: ${opened.status} ${opened.text}`)
      return id
    },
    async close() {
      for (const client of clients) await client.close().catch(() => undefined)
      serving().stop()
      await serving().idle()
      await app.close()
    },
  }
}

export const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
}

/** A `tools/call` of the 2026 protocol with the headers that belong to it. */
export function modernCall(name: string, args: unknown, extra: Json = {}, capabilities: Json = {}) {
  return {
    body: {
      jsonrpc: '2.0',
      id: 7,
      method: 'tools/call',
      params: {
        name,
        arguments: args,
        ...extra,
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientCapabilities': capabilities,
          'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
          ...(extra._meta as Json | undefined),
        },
      },
    },
    headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': name },
  }
}

/** The answer in a body of JSON or of server-sent events, whose last message it is. */
function lastMessage(text: string): Json {
  const data = text
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .map((line) => line.slice('data: '.length))
  const last = data.at(-1) ?? (text.startsWith('{') ? text : '{}')
  return JSON.parse(last)
}

/** The first block of a result's text. */
export function textOf(result: unknown): string {
  const { content } = result as { content: { type: string; text?: string }[] }
  return content[0]?.text ?? ''
}
