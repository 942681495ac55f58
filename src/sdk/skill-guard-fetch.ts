import type { VerifiedCall } from '../core/execution/verify-action-token.ts'
import { refusalResponse } from './guard-refusal.ts'
import { answerOnce, keptFrom, type OnceForEachKey, responseFrom } from './once-for-each-key.ts'
import type { SkillGuard } from './skill-guard.ts'

/** Handles a permitted call. The request still has its body. */
export type FetchHandler = (call: VerifiedCall, request: Request) => Response | Promise<Response>

export type FetchGuardOptions = {
  /** Bodies above are refused before they are read to the end; 1 MiB unless told otherwise. */
  readonly maxBodyBytes?: number
  /** Has each action done once for its broker key. */
  readonly once?: OnceForEachKey
}

const MAX_BODY_BYTES = 1_048_576

/**
 * Guard for whatever serves by `(request) => response`, such as Deno, Bun or workers: the handler runs for permitted calls
 * only. What it throws is thrown on.
 */
export function fetchSkillGuard(guard: SkillGuard, handler: FetchHandler, options: FetchGuardOptions = {}) {
  const { maxBodyBytes = MAX_BODY_BYTES, once } = options
  return async (request: Request): Promise<Response> => {
    const body = await readBody(request, maxBodyBytes)
    if (!body) return refusalResponse(413, 'body_too_large')
    const verdict = await guard.verify({
      method: request.method,
      url: request.url,
      authorization: request.headers.get('authorization') ?? undefined,
      body,
    })
    if (!verdict.ok) return refusalResponse(verdict.status, verdict.code)
    const { call } = verdict
    // Exactly the bytes that were verified, since a body can be read once.
    const verified = new Request(request.url, { method: 'POST', headers: request.headers, body })
    if (!once) return handler(call, verified)
    const answer = await answerOnce(once, call, async () => keptFrom(await handler(call, verified)))
    return answer === 'key_reused' ? refusalResponse(409, 'key_reused') : responseFrom(answer)
  }
}

async function readBody(
  request: Request,
  maxBodyBytes: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of request.body ?? []) {
    sizeBytes += chunk.byteLength
    if (sizeBytes > maxBodyBytes) return undefined
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks))
}
