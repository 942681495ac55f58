import { classifyInboundRequest, type createMcpHandler } from '@modelcontextprotocol/server'
import type { JsonValue } from '../core/json-value.ts'
import { isJsonArray, isJsonObject } from '../core/json-value.ts'
import { readJsonBody } from '../http/read-json-body.ts'
import type { AgentStreams } from './agent-streams.ts'
import { authInfoOf } from './brought.ts'
import type { AgentCaller } from './call-context.ts'
import { RPC, rpcErrorResponse } from './rpc-error.ts'
import type { Session, Sessions } from './sessions.ts'
import { wholeIfQuick } from './whole-answer.ts'

/** Bytes of a request: arguments of an action, and what the protocol wraps around them. */
const BODY_BYTES_MOST = 131_072

export type Serving = {
  readonly sessions: Sessions
  readonly streams: AgentStreams
  readonly modern: Pick<ReturnType<typeof createMcpHandler>, 'fetch'>
}

/** Answers one authenticated request of either protocol, by method and session. */
export async function answerRequest(
  serving: Serving,
  request: Request,
  caller: AgentCaller,
): Promise<Response> {
  const { sessions } = serving
  if (request.method === 'POST') return wholeIfQuick(await answerPost(serving, request, caller))
  const id = request.headers.get('mcp-session-id')
  if ((request.method !== 'GET' && request.method !== 'DELETE') || id === null) {
    const allow = id === null ? 'POST' : 'GET, POST, DELETE'
    const message =
      id === null ? 'There is no stream and nothing to end without a session.' : 'Method not allowed.'
    return rpcErrorResponse({ status: 405, code: RPC.other, message }, { allow })
  }
  const session = sessions.find(id, caller)
  return session ? session.transport.handleRequest(request) : sessionNotFound()
}

async function answerPost(serving: Serving, request: Request, caller: AgentCaller): Promise<Response> {
  const { sessions, streams, modern } = serving
  const body = await readJsonBody(request, { maxBytes: BODY_BYTES_MOST, isOptional: false })
  if (isJsonArray(body)) {
    const message = 'Batches are not part of the protocol: send one message.'
    return rpcErrorResponse({ status: 400, code: RPC.invalidRequest, message })
  }
  const authInfo = authInfoOf(caller, body)
  const { headers, method: httpMethod } = request
  const era = classifyInboundRequest({
    httpMethod,
    ...given('protocolVersionHeader', headers.get('mcp-protocol-version')),
    ...given('mcpMethodHeader', headers.get('mcp-method')),
    ...given('mcpNameHeader', headers.get('mcp-name')),
    body,
  })
  if (era.kind !== 'legacy') {
    const { agentId } = caller
    if (!isListening(body)) return modern.fetch(request, { authInfo, parsedBody: body })
    if (!streams.hasRoom(agentId)) {
      return rpcErrorResponse({ status: 429, code: RPC.other, message: 'Too many subscriptions are open.' })
    }
    const signal = AbortSignal.any([request.signal, streams.endingOf(agentId)])
    const endable = new Request(request.url, { method: request.method, headers, signal })
    return streams.as(agentId, () => modern.fetch(endable, { authInfo, parsedBody: body }))
  }
  const id = headers.get('mcp-session-id')
  const session = id === null ? await openSession(sessions, body, caller) : sessions.find(id, caller)
  if (session instanceof Response) return session
  if (!session) return sessionNotFound()
  return session.transport.handleRequest(request, { authInfo, parsedBody: body })
}

async function openSession(
  sessions: Sessions,
  body: JsonValue,
  caller: AgentCaller,
): Promise<Session | Response> {
  if (!isJsonObject(body) || body.method !== 'initialize') {
    const message = 'Mcp-Session-Id is missing: initialize a session first.'
    return rpcErrorResponse({ status: 400, code: RPC.other, message })
  }
  const session = await sessions.open(caller)
  if (session) return session
  const message = 'Too many sessions are open. Try again later.'
  return rpcErrorResponse({ status: 503, code: RPC.other, message }, { 'retry-after': '60' })
}

function sessionNotFound(): Response {
  return rpcErrorResponse({ status: 404, code: RPC.sessionNotFound, message: 'Session not found' })
}

function isListening(body: JsonValue): boolean {
  return isJsonObject(body) && body.method === 'subscriptions/listen'
}

function given<Name extends string>(name: Name, value: string | null): { [Key in Name]?: string } {
  return value === null ? {} : ({ [name]: value } as { [Key in Name]?: string })
}
