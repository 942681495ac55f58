import type { IncomingMessage, ServerResponse } from 'node:http'
import type { VerifiedCall } from '../core/execution/verify-action-token.ts'
import { refusalHeaders } from './guard-refusal.ts'
import { readRawBody } from './raw-body.ts'
import type { SkillGuard } from './skill-guard.ts'

export type GuardedHandler = (
  call: VerifiedCall,
  body: Buffer,
  request: IncomingMessage,
  response: ServerResponse,
) => void | Promise<void>

/**
 * Request listener for node:http: `createServer(nodeSkillGuard(createSkillGuard({ … }), handler))`. The handler runs
 * for permitted calls only; if it throws, the caller gets a bare 500. Bodies above `maxBodyBytes` are refused.
 */
export function nodeSkillGuard(guard: SkillGuard, handler: GuardedHandler, maxBodyBytes = 1_048_576) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    handle(guard, handler, maxBodyBytes, request, response).catch(() => {
      if (response.headersSent) response.destroy()
      else answer(response, 500, 'internal_error', { 'content-type': 'application/json' })
    })
  }
}

async function handle(
  guard: SkillGuard,
  handler: GuardedHandler,
  maxBodyBytes: number,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readRawBody(request, maxBodyBytes)
  if (!body) {
    const headers = { 'content-type': 'application/json', connection: 'close' }
    return answer(response, 413, 'body_too_large', headers)
  }
  const { authorization } = request.headers
  const verdict = await guard.verify({
    method: request.method ?? '',
    url: request.url ?? '',
    authorization,
    body,
  })
  if (!verdict.ok) return answer(response, verdict.status, verdict.code, refusalHeaders(verdict))
  await handler(verdict.call, body, request, response)
}

function answer(
  response: ServerResponse,
  status: number,
  code: string,
  headers: Record<string, string>,
): void {
  response.writeHead(status, headers).end(JSON.stringify({ error: { code } }))
}
