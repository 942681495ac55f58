import { StreamableHTTPClientTransport, type Transport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import type { McpAccess } from '../ports/mcp-access.ts'
import type { TokenSource } from './client-credentials.ts'
import { EXCHANGE_HEADER, type McpExchanges } from './mcp-exchange.ts'
import type { McpFetch } from './mcp-fetch.ts'

/** Over Streamable HTTP. Nobody is asked to sign in, no scope is stepped up and no redirect followed on the way. */
export function httpTransport(
  url: string,
  access: McpAccess,
  tokens: TokenSource | undefined,
  http: McpFetch,
): Transport {
  const token = tokens
    ? () => tokens.token()
    : access.kind === 'bearer'
      ? async () => access.token
      : undefined
  return new StreamableHTTPClientTransport(new URL(url), {
    fetch: http.fetch,
    onInsufficientScope: 'throw',
    ...(token ? { authProvider: { token } } : {}),
    ...(access.kind === 'header' ? { requestInit: { headers: { [access.name]: access.value } } } : {}),
  })
}

/** A message of this size ends the session: what a program writes is read into memory before it is looked at. */
const MESSAGE_BYTES_MOST = 4_194_304

/**
 * A program of the operator's, over its standard streams. It gets the variables it was given and those that every
 * program needs, none of the broker's; what it writes to its error stream is not read.
 */
export function stdioTransport(
  access: Extract<McpAccess, { kind: 'command' }>,
  exchanges: McpExchanges,
): Transport {
  const transport = new StdioClientTransport({
    command: access.command,
    args: [...access.args],
    env: { PATH: process.env.PATH ?? '', ...access.env },
    stderr: 'ignore',
    maxBufferSize: MESSAGE_BYTES_MOST,
  })
  const send = transport.send.bind(transport)
  // Where there is no request on a wire to look at, this is the moment in which a call leaves.
  const watched: Transport['send'] = (message, options) => {
    const id = options?.headers?.[EXCHANGE_HEADER]
    if (id !== undefined && !exchanges.get(id).start(() => {}))
      return Promise.reject(new Error('not to be sent twice'))
    return send(message)
  }
  return Object.assign(transport, { send: watched })
}
