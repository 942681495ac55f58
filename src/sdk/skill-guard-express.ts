import type { IncomingMessage, ServerResponse } from 'node:http'
import type { VerifiedCall } from '../core/execution/verify-action-token.ts'
import { refusalHeaders } from './guard-refusal.ts'
import { answerOnce, type KeptAnswer, type OnceForEachKey } from './once-for-each-key.ts'
import { readRawBody } from './raw-body.ts'
import type { SkillGuard } from './skill-guard.ts'

/** The part of an Express request that is used, so that the SDK does not bring Express along. */
export interface ExpressRequest extends IncomingMessage {
  /** The whole path, wherever a router is mounted. */
  readonly originalUrl?: string
  body?: unknown
}

export type ExpressGuardOptions = {
  /** 1 MiB unless told otherwise. */
  readonly maxBodyBytes?: number
  /** Has each action done once for its broker key; repeats never reach the handler. */
  readonly once?: OnceForEachKey
}

type Next = (error?: unknown) => void

const MAX_BODY_BYTES = 1_048_576
const bodies = new WeakMap<IncomingMessage, Buffer>()
const calls = new WeakMap<IncomingMessage, VerifiedCall>()

/**
 * Express middleware: `app.use('/orders', expressSkillGuard(createSkillGuard({ … })))`. Then `callOf(req)` is the verified
 * call and `req.body` the JSON it speaks of. It reads the body by itself and stands before `express.json()`; where a
 * parser has to come first, give that `verify: keepRawBody`, because the token speaks of bytes.
 */
export function expressSkillGuard(guard: SkillGuard, options: ExpressGuardOptions = {}) {
  const { maxBodyBytes = MAX_BODY_BYTES, once } = options
  return (request: ExpressRequest, response: ServerResponse, next: Next): void => {
    handle().catch(next)

    async function handle(): Promise<void> {
      const kept = bodies.get(request)
      if (!kept && request.readableEnded) return refuse(response, 500, 'body_already_read')
      const body = kept ?? (await readRawBody(request, maxBodyBytes))
      if (!body) {
        response.setHeader('connection', 'close')
        return refuse(response, 413, 'body_too_large')
      }
      const verdict = await guard.verify({
        method: request.method ?? '',
        url: request.originalUrl ?? request.url ?? '',
        authorization: request.headers.authorization,
        body,
      })
      if (!verdict.ok) return refuse(response, verdict.status, verdict.code, refusalHeaders(verdict))
      const { call } = verdict
      calls.set(request, call)
      // What was verified, whatever a parser made of it: two readers could understand the same bytes differently.
      request.body = parse(body)
      Object.assign(request, { _body: true })
      if (!once || call.kind !== 'action') return next()
      await goOnOnce(once, call, response, next)
    }
  }
}

/** The verified call of a request that the guard let through. @throws Error for any other. */
export function callOf(request: IncomingMessage): VerifiedCall {
  const call = calls.get(request)
  if (!call) throw new Error('no skill guard let this request through')
  return call
}

/** `express.json({ verify: keepRawBody })`: keeps the bytes for a guard that comes after the parser. */
export function keepRawBody(request: IncomingMessage, _response: unknown, bytes: Buffer): void {
  bodies.set(request, bytes)
}

/** Lets the first request of a key through and keeps what it is answered with. */
async function goOnOnce(
  once: OnceForEachKey,
  call: VerifiedCall,
  response: ServerResponse,
  next: Next,
): Promise<void> {
  let isFirst = false
  const answer = await answerOnce(once, call, () => {
    isFirst = true
    const kept = answerOf(response)
    next()
    return kept
  })
  if (isFirst) return
  if (answer === 'key_reused') return refuse(response, 409, 'key_reused')
  response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(answer.body)
}

/** Watches an answer being written; one that is never finished counts as a fault of the skill's. */
function answerOf(response: ServerResponse): Promise<KeptAnswer> {
  const chunks: Buffer[] = []
  const { write, end } = response
  const keep = (chunk: unknown, encoding: unknown) => {
    if (typeof chunk === 'string') {
      chunks.push(
        Buffer.from(chunk, Buffer.isEncoding(String(encoding)) ? (encoding as BufferEncoding) : 'utf8'),
      )
    } else if (chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk))
  }
  response.write = ((...args: Parameters<typeof write>) => {
    keep(args[0], args[1])
    return write.apply(response, args)
  }) as typeof write
  response.end = ((...args: Parameters<typeof end>) => {
    keep(args[0], args[1])
    return end.apply(response, args)
  }) as typeof end
  return new Promise((resolve) => {
    response.once('finish', () => {
      const type = response.getHeader('content-type')
      const headers = type === undefined ? [] : [['content-type', String(type)] as const]
      resolve({ status: response.statusCode, headers, body: Buffer.concat(chunks) })
    })
    response.once('close', () => resolve({ status: 500, headers: [], body: new Uint8Array() }))
  })
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}

function refuse(
  response: ServerResponse,
  status: number,
  code: string,
  headers: Record<string, string> = { 'content-type': 'application/json', 'cache-control': 'no-store' },
): void {
  response.writeHead(status, headers).end(JSON.stringify({ error: { code } }))
}
