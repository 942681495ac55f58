import type { z } from 'zod'
import type { JsonValue } from '../core/json-value.ts'
import type { Credential } from './agent-credential.ts'
import { type Answered, failed, faultFrom, succeeded } from './agent-fault.ts'
import { boundedText } from './bounded-body.ts'
import { backoffMs, type Pause, pause, retryAfterMs } from './pause.ts'

export type TransportDeps = {
  readonly fetch: typeof fetch
  readonly now: () => number
  readonly pause: Pause
  readonly random: () => number
}

export const DEFAULT_DEPS: TransportDeps = {
  fetch: (input, init) => fetch(input, init),
  now: Date.now,
  pause,
  random: Math.random,
}

export type BrokerRequest<Shape extends z.ZodType> = {
  readonly method: 'GET' | 'POST'
  /** Below the broker's address, with its query. */
  readonly path: string
  readonly body?: unknown
  /** Remembered by the broker: the same call under it is done at most once (P4), so it may be sent again. */
  readonly idempotencyKey?: string
  readonly shape: Shape
  /** How long a call may be held before it is answered, on top of what answering takes. */
  readonly heldMs?: number
  readonly patienceMs?: number
  readonly signal?: AbortSignal | undefined
}

export type BrokerAnswer<Value> = {
  readonly status: number
  readonly value: Value
  /** The broker did this before under the same key, and told its outcome again. */
  readonly isReplayed: boolean
}

export type Transport = <Shape extends z.ZodType>(
  request: BrokerRequest<Shape>,
) => Promise<Answered<BrokerAnswer<z.infer<Shape>>>>

const ANSWER_BYTES_MOST = 8 * 1024 * 1024
const ANSWER_MS_MOST = 60_000
const TRIES_MOST = 6
const PATIENCE_MS = 60_000
/** Nothing was decided, or it is being carried out: the same request may be sent again. */
const PASSING: ReadonlySet<number> = new Set([429, 500, 502, 503, 504])

/**
 * Makes the one function that speaks to a broker. A request is sent again only where that cannot do anything twice:
 * reads, questions, which the broker recognizes, and actions under the same key. What the broker decided is final.
 */
export function openTransport(broker: string, credential: Credential, deps: TransportDeps): Transport {
  return async (request) => {
    const { signal, patienceMs = PATIENCE_MS, heldMs = 0 } = request
    const startedMs = deps.now()
    let renewed = false
    for (let tries = 1; ; tries += 1) {
      if (signal?.aborted) return failed('aborted')
      const sent = await send(broker, credential, deps, request)
      if (sent.kind === 'answer') return sent.answer
      if (signal?.aborted) return failed('aborted')
      if (sent.kind === 'refused_token') {
        // Once: a token that is new and refused again is not refused for its age.
        if (renewed || !(await credential.renew())) return sent.answer
        renewed = true
        continue
      }
      const waitMs = sent.waitMs ?? backoffMs(tries, deps.random)
      const isLate = deps.now() + waitMs - startedMs > patienceMs + heldMs
      if (tries >= TRIES_MOST && sent.waitMs === null) return sent.answer
      if (isLate) return sent.isRunning ? failed('out_of_time', 409) : sent.answer
      await deps.pause(waitMs, signal)
    }
  }
}

type Sent<Value> =
  | { readonly kind: 'answer'; readonly answer: Answered<Value> }
  | { readonly kind: 'refused_token'; readonly answer: Answered<Value> }
  | {
      readonly kind: 'again'
      /** What to tell when there is no more time; the broker's own wish, where it has one. */
      readonly answer: Answered<Value>
      readonly waitMs: number | null
      readonly isRunning: boolean
    }

async function send<Shape extends z.ZodType>(
  broker: string,
  credential: Credential,
  deps: TransportDeps,
  request: BrokerRequest<Shape>,
): Promise<Sent<BrokerAnswer<z.infer<Shape>>>> {
  const { method, body, heldMs = 0 } = request
  const url = `${broker}${request.path}`
  const proof = await credential.headers({ method, url })
  if (!proof.ok) {
    return proof.fault.code === 'unreachable'
      ? { kind: 'again', answer: proof, waitMs: null, isRunning: false }
      : { kind: 'answer', answer: proof }
  }
  const headers: Record<string, string> = { accept: 'application/json', ...proof.value }
  if (body !== undefined) headers['content-type'] = 'application/json'
  if (request.idempotencyKey !== undefined) headers['idempotency-key'] = request.idempotencyKey
  const timeout = AbortSignal.timeout(ANSWER_MS_MOST + heldMs)
  let response: Response
  let text: string | undefined
  try {
    response = await deps.fetch(url, {
      method,
      headers,
      // A redirect would carry the token elsewhere.
      redirect: 'error',
      signal: request.signal ? AbortSignal.any([request.signal, timeout]) : timeout,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    text = await boundedText(response, ANSWER_BYTES_MOST)
  } catch {
    return { kind: 'again', answer: failed('unreachable'), waitMs: null, isRunning: false }
  }
  return read(response, text, request, deps.now())
}

function read<Shape extends z.ZodType>(
  response: Response,
  text: string | undefined,
  { shape, idempotencyKey, method }: BrokerRequest<Shape>,
  nowMs: number,
): Sent<BrokerAnswer<z.infer<Shape>>> {
  const { status, headers } = response
  const body = text === undefined ? undefined : parse(text)
  const wishMs = retryAfterMs(headers, nowMs)
  if (status >= 200 && status < 300) {
    const parsed = body === undefined ? undefined : shape.safeParse(body)
    if (!parsed?.success) return { kind: 'answer', answer: failed('unexpected_answer', status) }
    const isReplayed = headers.get('idempotent-replayed') === 'true'
    return { kind: 'answer', answer: succeeded({ status, value: parsed.data, isReplayed }) }
  }
  const fault = body === undefined ? undefined : faultFrom(body, status, wishMs)
  const answer = fault ? ({ ok: false, fault } as const) : failed('unexpected_answer', status)
  if (status === 401) return { kind: 'refused_token', answer }
  const isRunning = fault?.code === 'idempotency_in_flight'
  // A POST without a key is sent again too: none that we send does anything twice.
  const mayRepeat = method === 'GET' || idempotencyKey !== undefined || status === 429 || status === 503
  if (isRunning || (PASSING.has(status) && mayRepeat)) {
    return { kind: 'again', answer, waitMs: wishMs, isRunning }
  }
  return { kind: 'answer', answer }
}

function parse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue
  } catch {
    return undefined
  }
}
