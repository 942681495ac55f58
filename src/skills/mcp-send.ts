import type { Agent, Dispatcher } from 'undici'
import { firstEvent } from './first-event.ts'
import type { McpExchange } from './mcp-exchange.ts'

export interface Sending {
  readonly origin: string
  readonly path: string
  readonly method: Dispatcher.HttpMethod
  readonly headers: Record<string, string>
  readonly body: string | null
  readonly signal: AbortSignal | undefined
  readonly exchange: McpExchange | undefined
  readonly bytesMost: number
}

type Head = { status: number; headers: Headers; isStream: boolean }

/** After the answer a stream has this long to end by itself, so that its connection can be used again. */
const LINGER_MS = 1_000

/** One request. Its answer is collected, handed on as a stream, or known already; each is one way to treat a chunk. */
export function sendRequest(agent: Agent, sending: Sending): Promise<Response> {
  const { exchange, signal, bytesMost } = sending
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined
    let head: Head | undefined
    let out: ReadableStreamDefaultController<Uint8Array> | undefined
    let linger: NodeJS.Timeout | undefined
    const chunks: Buffer[] = []
    let sizeBytes = 0
    let isAnswered = false
    let isOver = false

    const onAbort = () => finish(new Error('aborted'))

    /** Ends it, once. Where it was answered already, nobody hears of an error any more. */
    function finish(error?: Error): void {
      if (isOver) return
      isOver = true
      clearTimeout(linger)
      signal?.removeEventListener('abort', onAbort)
      if (error) {
        controller?.abort(error)
        out?.error(error)
        reject(error)
      } else {
        out?.close()
      }
      if (out) exchange?.end()
    }

    function breakOff(code: 'oversize' | 'redirect'): void {
      exchange?.breakOff(code)
      finish(new Error(code))
    }

    /** Hands on what has come, and lets the rest follow. */
    function handOn({ status, headers }: Head): void {
      const body = new ReadableStream<Uint8Array>({
        start(made) {
          out = made
          for (const chunk of chunks) made.enqueue(new Uint8Array(chunk))
        },
        cancel: () => finish(new Error('cancelled')),
      })
      resolve(new Response(body, { status, headers }))
    }

    function lookAtStream(is: Head): void {
      const first = firstEvent(chunks)
      if (first.kind === 'unfinished') return
      if (first.kind === 'other') {
        handOn(is)
        return
      }
      isAnswered = true
      resolve(knownResponse(first.message))
      linger = setTimeout(() => finish(new Error('lingers')), LINGER_MS)
    }

    if (signal?.aborted) return reject(new Error('aborted'))
    signal?.addEventListener('abort', onAbort, { once: true })
    const { origin, path, method, headers, body } = sending
    agent.dispatch(
      { origin, path, method, headers, body, idempotent: false },
      {
        onRequestStart(started) {
          if (isOver) return started.abort(new Error('not to be sent'))
          controller = started
          if (exchange && !exchange.start(() => finish(new Error('stopped'))))
            finish(new Error('not to be sent twice'))
        },
        onResponseStart(_controller, status, raw) {
          if (status < 200 || isOver) return
          if (status >= 300 && status < 400) return breakOff('redirect')
          const found = headersOf(raw)
          if (Number(found.get('content-length')) > bytesMost) return breakOff('oversize')
          const isStream = status === 200 && /^text\/event-stream\b/i.test(found.get('content-type') ?? '')
          head = { status, headers: found, isStream }
          // Of a stream that stays open nobody waits for an answer.
          if (isStream && !exchange) handOn(head)
        },
        onResponseData(_controller, chunk) {
          if (isOver || !head || isAnswered) return
          sizeBytes += chunk.length
          if (sizeBytes > bytesMost) return breakOff('oversize')
          if (out) {
            exchange?.noteEvents(chunk)
            return out.enqueue(new Uint8Array(chunk))
          }
          chunks.push(Buffer.from(chunk))
          if (!head.isStream) return
          exchange?.noteEvents(chunk)
          lookAtStream(head)
        },
        onResponseEnd() {
          if (!head) return finish(new Error('response without a head'))
          // A stream that ended before its first event was whole is left to the reader of streams.
          if (!out && !isAnswered) {
            if (head.isStream) handOn(head)
            else resolve(new Response(bodyOf(head, chunks), { status: head.status, headers: head.headers }))
          }
          finish()
        },
        onResponseError(_controller, error) {
          finish(error)
        },
      },
    )
  })
}

/** An answer that was read already, as the client library asks for it. */
function knownResponse(message: unknown): Response {
  const response = new Response(null, { status: 200, headers: { 'content-type': 'application/json' } })
  // Defined, not assigned: under the HTTP server's own Response the member is read-only.
  return Object.defineProperty(response, 'json', { value: () => Promise.resolve(message) })
}

function bodyOf({ status }: Head, chunks: readonly Buffer[]): Uint8Array<ArrayBuffer> | null {
  return status === 204 || status === 205 || status === 304 ? null : new Uint8Array(Buffer.concat(chunks))
}

function headersOf(raw: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(raw)) {
    // What is said twice is ambiguous, so it counts as not said.
    if (typeof value === 'string') headers.set(name, value)
  }
  return headers
}
