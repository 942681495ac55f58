import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

type Json = { readonly [name: string]: unknown }

/** One `tools/call` as it came in. */
export type ToolCalled = {
  readonly id: unknown
  readonly name: string
  readonly arguments: unknown
  readonly meta: Json
  readonly session: string | undefined
  readonly headers: IncomingMessage['headers']
}

/** What becomes of a call; nothing of it is checked, as with a server of a stranger. */
export type Behaviour =
  | { readonly result: unknown }
  | { readonly error: { readonly code: number; readonly message: string } }
  /** Notices and requests of the server first, on the call's own stream. */
  | { readonly before: readonly Json[]; readonly result: unknown }
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
  /** Takes the call and closes the connection. */
  | 'cut'
  /** Begins an answer and closes the connection. */
  | 'cut_in_stream'
  | 'silent'

export type ScriptedMcpServer = {
  readonly url: string
  readonly calls: ToolCalled[]
  /** Every JSON-RPC message that came in, by method; answers of the client as `(response)`. */
  readonly methods: string[]
  readonly messages: Json[]
  readonly authorizations: (string | undefined)[]
  sessions(): number
  /** What is listed from now on. */
  list(tools: readonly Json[]): void
  /** Tells every session that the list changed. */
  announce(): void
  behave(behaviour: Behaviour | ((call: ToolCalled) => Behaviour | Promise<Behaviour>)): void
  /** Forgets every session, as a restart does. */
  restart(): void
  /** Refuses whoever does not bring this. */
  requireAuthorization(value: string): void
  close(): Promise<void>
}

export const ECHO_TOOL = {
  name: 'echo',
  description: 'Says it again',
  inputSchema: { type: 'object', properties: { message: { type: 'string' } }, required: ['message'] },
  annotations: { readOnlyHint: true },
} as const

/** An MCP server of the 2025 protocol that does as it is told, on a port of its own. */
export async function startScriptedMcpServer(
  tools: readonly Json[] = [ECHO_TOOL],
): Promise<ScriptedMcpServer> {
  let listed = tools
  let behaviour: Behaviour | ((call: ToolCalled) => Behaviour | Promise<Behaviour>) = {
    result: { content: [{ type: 'text', text: 'ok' }] },
  }
  let required: string | undefined
  let sessions = new Map<string, ServerResponse | undefined>()
  let count = 0
  const calls: ToolCalled[] = []
  const methods: string[] = []
  const messages: Json[] = []
  const authorizations: (string | undefined)[] = []

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    authorizations.push(request.headers.authorization)
    if (required !== undefined && request.headers.authorization !== required)
      return end(response, 401, {}, 'who?')
    const session = single(request.headers['mcp-session-id'])
    if (request.method === 'DELETE') {
      sessions.delete(session ?? '')
      return end(response, 200)
    }
    if (request.method === 'GET') {
      if (session === undefined || !sessions.has(session)) return end(response, 404)
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.flushHeaders()
      sessions.set(session, response)
      return
    }
    const message = JSON.parse(await bodyOf(request)) as Json
    const method = typeof message.method === 'string' ? message.method : '(response)'
    methods.push(method)
    messages.push(message)
    if (method === 'initialize') {
      count += 1
      sessions.set(`session-${count}`, undefined)
      return end(
        response,
        200,
        { 'mcp-session-id': `session-${count}` },
        reply(message.id, {
          protocolVersion: '2025-11-25',
          capabilities: { tools: { listChanged: true } },
          serverInfo: { name: 'scripted', version: '1' },
        }),
      )
    }
    if (method === 'server/discover') return end(response, 400, {}, 'no session')
    if (session === undefined || !sessions.has(session)) return end(response, 404, {}, 'no session')
    if (message.id === undefined || method === '(response)') return end(response, 202)
    if (method === 'tools/list') return end(response, 200, {}, reply(message.id, { tools: listed }))
    if (method === 'tools/call') return call(message, session, request, response)
    return end(response, 200, {}, reply(message.id, {}))
  }

  async function call(
    message: Json,
    session: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const params = message.params as { name: string; arguments: unknown; _meta: Json }
    const called: ToolCalled = {
      id: message.id,
      name: params.name,
      arguments: params.arguments,
      meta: params._meta,
      session,
      headers: request.headers,
    }
    calls.push(called)
    const does = typeof behaviour === 'function' ? await behaviour(called) : behaviour
    if (does === 'silent') return
    if (does === 'cut') return void request.socket.destroy()
    if (does === 'cut_in_stream') {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(
        event({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'x' } }),
      )
      return void setTimeout(() => request.socket.destroy(), 20)
    }
    if ('status' in does) return end(response, does.status, does.headers, does.body)
    if ('error' in does)
      return end(response, 200, {}, JSON.stringify({ jsonrpc: '2.0', id: message.id, error: does.error }))
    if (!('before' in does)) return end(response, 200, {}, reply(message.id, does.result))
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const earlier of does.before) response.write(event(earlier))
    response.end(event({ jsonrpc: '2.0', id: message.id, result: does.result }))
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    calls,
    methods,
    messages,
    authorizations,
    sessions: () => sessions.size,
    list(now) {
      listed = now
    },
    announce() {
      for (const stream of sessions.values())
        stream?.write(event({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' }))
    },
    behave(now) {
      behaviour = now
    },
    restart() {
      for (const stream of sessions.values()) stream?.destroy()
      sessions = new Map()
    },
    requireAuthorization(value) {
      required = value
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function end(
  response: ServerResponse,
  status: number,
  headers: Record<string, string> = {},
  body = '',
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
}

function reply(id: unknown, result: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', id, result })
}

function event(message: Json): string {
  return `event: message\ndata: ${JSON.stringify(message)}\n\n`
}

function single(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
