import {
  type Client,
  ProtocolError,
  SdkError,
  SdkErrorCode,
  SdkHttpError,
  type Tool,
  UnauthorizedError,
} from '@modelcontextprotocol/client'
import type { SkillCall, SkillReply, ToolTarget } from '../ports/skill-caller.ts'
import { EXCHANGE_HEADER, McpExchange, type McpExchanges } from './mcp-exchange.ts'
import { replyOf } from './mcp-result.ts'

/** Names in `_meta` of a call, for a server that wants to verify it or to know it again. */
export const CALL_META = {
  token: 'countersign/actionToken',
  idempotencyKey: 'countersign/idempotencyKey',
} as const

/** After its stream broke, this long is waited for whoever knows better why. */
const GRACE_MS = 100

export interface MadeCall {
  readonly reply: SkillReply
  /** Nobody should call in this session again. */
  readonly isSessionBroken: boolean
  readonly isUnauthorized: boolean
}

export interface ToBeCalled {
  readonly request: SkillCall
  readonly tool: ToolTarget
  readonly definition: Tool
  /** What is left of the time limit. */
  readonly timeoutMs: number
}

/** Makes one call in a session, once, and says what came back or what its end proves. Never rejects. */
export async function callTool(
  client: Client,
  exchanges: McpExchanges,
  { request, tool, definition, timeoutMs }: ToBeCalled,
): Promise<MadeCall> {
  const exchange = new McpExchange(request.maxResponseBytes)
  const id = exchanges.add(exchange)
  let isAnswered = false
  try {
    const { outputSchema: _, ...withoutOutput } = definition
    const called = client.callTool(
      {
        name: tool.name,
        arguments: JSON.parse(request.body.toString('utf8')) as { [name: string]: unknown },
        _meta: { [CALL_META.token]: tool.token, [CALL_META.idempotencyKey]: tool.brokerKey },
      },
      {
        headers: { [EXCHANGE_HEADER]: id },
        timeout: Math.max(1, timeoutMs),
        // The result is held against the manifest's schema, not against the server's own.
        toolDefinition: withoutOutput,
        ...(request.signal ? { signal: request.signal } : {}),
      },
    )
    const result = await Promise.race([called, lost(exchange)])
    isAnswered = true
    return whole(replyOf(result, tool.answers, request.maxResponseBytes))
  } catch (error) {
    return ended(error, exchange, request)
  } finally {
    exchanges.remove(id)
    exchange.close(isAnswered)
  }
}

function whole(reply: SkillReply): MadeCall {
  return { reply, isSessionBroken: false, isUnauthorized: false }
}

async function lost(exchange: McpExchange): Promise<never> {
  await exchange.lost
  await new Promise((resolve) => setTimeout(resolve, GRACE_MS))
  throw new Error('the stream ended without an answer')
}

function ended(error: unknown, exchange: McpExchange, request: SkillCall): MadeCall {
  if (!exchange.isStarted) {
    // Whatever it was, not a byte of the call has left; the session may be the reason.
    const reply = exchange.replyTo(error)
    return { reply, isSessionBroken: true, isUnauthorized: false }
  }
  // The server's own words, in the form of the protocol: an error, or a question that nobody answers.
  if (error instanceof ProtocolError) return whole(toolError('tool_error'))
  if (error instanceof SdkError) {
    if (error.code === SdkErrorCode.UnsupportedResultType) return whole(toolError('input_required'))
    if (error.code === SdkErrorCode.InvalidResult) return whole({ kind: 'broken', code: 'protocol_error' })
    if (error.code === SdkErrorCode.RequestTimeout)
      return whole({ kind: 'broken', code: request.signal?.aborted ? 'cancelled' : 'timed_out' })
  }
  const status =
    error instanceof UnauthorizedError ? 401 : error instanceof SdkHttpError ? error.status : undefined
  const reply: SkillReply =
    status === undefined
      ? exchange.replyTo(error)
      : { kind: 'answered', status, contentType: '', headers: {}, body: Buffer.alloc(0) }
  return { reply, isSessionBroken: true, isUnauthorized: status === 401 }
}

function toolError(code: 'tool_error' | 'input_required'): SkillReply {
  return { kind: 'tool_error', code, body: Buffer.alloc(0) }
}
