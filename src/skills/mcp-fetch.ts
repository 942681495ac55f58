import { rootCertificates } from 'node:tls'
import { Agent, type Dispatcher } from 'undici'
import { checkEndpoint, type EgressPolicy, type Resolve, resolveWithSystem } from './egress-guard.ts'
import { guardedConnector } from './guarded-connector.ts'
import { EXCHANGE_HEADER, type McpExchanges } from './mcp-exchange.ts'
import { sendRequest } from './mcp-send.ts'

export interface McpFetchConfig extends EgressPolicy {
  readonly connectionsPerOrigin?: number
  readonly connectTimeoutMs?: number
  readonly extraCa?: readonly string[]
  readonly resolve?: Resolve
}

/** Bytes of an answer that belongs to no call: a handshake, a list of tools. */
const HANDSHAKE_BYTES_MOST = 4_194_304
/** Bytes of a stream of notices, which stays open; a server that says more is not listened to. */
const NOTICES_BYTES_MOST = 16_777_216

export interface McpFetch {
  fetch(url: string | URL, init?: RequestInit): Promise<Response>
  close(): Promise<void>
}

/**
 * `fetch` as the MCP client library wants it, through the egress guard: no address of ours or of a private network, no
 * redirect, no cookie, and no more bytes than a call may answer with. Streams that stay open have connections of their
 * own, so that they never keep a call waiting.
 */
export function openMcpFetch(config: McpFetchConfig, exchanges: McpExchanges): McpFetch {
  const options = {
    allowH2: false,
    pipelining: 1,
    keepAliveTimeout: 4_000,
    keepAliveMaxTimeout: 60_000,
    maxHeaderSize: 16_384,
    // The client library's time limits cover everything; a stream of notices has none.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: guardedConnector({
      policy: { devOrigins: config.devOrigins },
      resolve: config.resolve ?? resolveWithSystem,
      connectTimeoutMs: config.connectTimeoutMs ?? 5_000,
      defaultCa: rootCertificates,
      ...(config.extraCa ? { extraCa: config.extraCa } : {}),
    }),
  }
  const calls = new Agent({ ...options, connections: config.connectionsPerOrigin ?? 32 })
  const streams = new Agent(options)

  return {
    async fetch(url, init = {}) {
      const verdict = checkEndpoint(String(url), config)
      const headers = plainHeaders(init.headers)
      const id = headers[EXCHANGE_HEADER]
      delete headers[EXCHANGE_HEADER]
      const exchange = id === undefined ? undefined : exchanges.get(id)
      if (!verdict.ok) throw new Error(verdict.code)
      const method = init.method ?? 'GET'
      const staysOpen = method === 'GET' || headers['mcp-method'] === 'subscriptions/listen'
      return sendRequest(staysOpen ? streams : calls, {
        origin: verdict.endpoint.origin,
        path: verdict.endpoint.path,
        method: method as Dispatcher.HttpMethod,
        headers,
        body: typeof init.body === 'string' ? init.body : null,
        signal: init.signal ?? undefined,
        exchange,
        bytesMost: exchange?.bytesMost ?? (staysOpen ? NOTICES_BYTES_MOST : HANDSHAKE_BYTES_MOST),
      })
    },
    async close() {
      await Promise.all([calls.destroy(), streams.destroy()])
    },
  }
}

function plainHeaders(given: RequestInit['headers']): Record<string, string> {
  const headers: Record<string, string> = {}
  new Headers(given).forEach((value, name) => {
    headers[name] = value
  })
  return headers
}
