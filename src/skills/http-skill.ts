import { rootCertificates } from 'node:tls'
import { Agent, type Dispatcher } from 'undici'
import type { SkillCall, SkillCaller, SkillReply } from '../ports/skill-caller.ts'
import {
  checkEndpoint,
  devOriginFaults,
  type EgressPolicy,
  type Endpoint,
  type Resolve,
  resolveWithSystem,
} from './egress-guard.ts'
import { guardedConnector } from './guarded-connector.ts'
import { brokenCode, notSentCode } from './reply-code.ts'

export interface HttpSkillConfig extends EgressPolicy {
  readonly connectionsPerOrigin?: number
  readonly connectTimeoutMs?: number
  /** How long an idle connection is kept when the skill does not say. */
  readonly keepAliveTimeoutMs?: number
  /** PEM certificates trusted besides the system's. */
  readonly extraCa?: readonly string[]
  readonly resolve?: Resolve
}

/**
 * Calls skills over HTTP/1.1 with pooled connections.
 *
 * undici tells when it is about to write a request (`onRequestStart`). That single fact separates "never left" from
 * "may have had an effect"; error codes only give it a name. No request is started twice, redirects are never
 * followed, and interceptors that retry are not installed.
 *
 * @throws RangeError if an entry of `devOrigins` is not an exact origin.
 */
export function openHttpSkillCaller(config: HttpSkillConfig): SkillCaller {
  const faults = devOriginFaults(config.devOrigins)
  if (faults.length > 0) throw new RangeError(faults.join('; '))

  const agent = new Agent({
    allowH2: false,
    pipelining: 1,
    connections: config.connectionsPerOrigin ?? 16,
    keepAliveTimeout: config.keepAliveTimeoutMs ?? 4_000,
    keepAliveMaxTimeout: 60_000,
    maxHeaderSize: 16_384,
    connect: guardedConnector({
      policy: { devOrigins: config.devOrigins },
      resolve: config.resolve ?? resolveWithSystem,
      connectTimeoutMs: config.connectTimeoutMs ?? 5_000,
      defaultCa: rootCertificates,
      ...(config.extraCa ? { extraCa: config.extraCa } : {}),
    }),
  })

  let closing: Promise<void> | undefined
  return {
    async call(request) {
      const verdict = checkEndpoint(request.endpoint, config)
      if (!verdict.ok) return { kind: 'not_sent', code: verdict.code }
      return send(agent, verdict.endpoint, request)
    },
    close() {
      closing ??= agent.close()
      return closing
    },
  }
}

function send(agent: Agent, endpoint: Endpoint, request: SkillCall): Promise<SkillReply> {
  return new Promise((resolve) => {
    const exchange = createExchange(request, (reply) => {
      clearTimeout(deadline)
      resolve(reply)
    })
    const deadline = setTimeout(exchange.expire, request.timeoutMs)
    const options = {
      origin: endpoint.origin,
      path: endpoint.path,
      method: request.method,
      headers: request.headers,
      body: request.body,
      idempotent: false,
      // The deadline above is exact and covers everything; undici's own timers are coarse.
      headersTimeout: 0,
      bodyTimeout: 0,
    }
    try {
      agent.dispatch(options, exchange.handler)
    } catch (error) {
      exchange.fail(error)
    }
  })
}

interface Exchange {
  readonly handler: Dispatcher.DispatchHandler
  /** The time limit has passed. */
  expire(): void
  fail(error: unknown): void
}

/** Follows one request from the queue to its last byte and settles exactly once. */
function createExchange(request: SkillCall, settle: (reply: SkillReply) => void): Exchange {
  let started: Dispatcher.DispatchController | undefined
  let settled = false
  let head: { status: number; contentType: string; retryAfter: string; location: string } | undefined
  const chunks: Buffer[] = []
  let sizeBytes = 0

  function finish(reply: SkillReply): void {
    if (settled) return
    settled = true
    settle(reply)
  }

  function fail(error: unknown): void {
    if (started) finish({ kind: 'broken', code: brokenCode(error, head !== undefined) })
    else finish({ kind: 'not_sent', code: notSentCode(error) })
  }

  function stop(reply: SkillReply): void {
    finish(reply)
    started?.abort(new Error('stopped'))
  }

  return {
    fail,
    expire() {
      if (started) stop({ kind: 'broken', code: 'timed_out' })
      else finish({ kind: 'not_sent', code: 'connect_failed' })
    },
    handler: {
      onRequestStart(controller) {
        // Already answered as not sent, or about to be written a second time: neither may put a byte on the wire.
        if (settled || started) {
          controller.abort(new Error('not to be sent'))
          return
        }
        started = controller
      },
      onResponseStart(_controller, status, headers) {
        if (status < 200) return
        if (status >= 300 && status < 400) return stop({ kind: 'broken', code: 'redirect' })
        if (Number(single(headers['content-length'])) > request.maxResponseBytes) {
          return stop({ kind: 'broken', code: 'oversize' })
        }
        head = {
          status,
          contentType: mediaType(single(headers['content-type'])),
          retryAfter: single(headers['retry-after']),
          location: single(headers.location),
        }
      },
      onResponseData(_controller, chunk) {
        sizeBytes += chunk.length
        if (sizeBytes > request.maxResponseBytes) return stop({ kind: 'broken', code: 'oversize' })
        chunks.push(Buffer.from(chunk))
      },
      onResponseEnd() {
        if (!head) return fail(new Error('response without a head'))
        const { status, contentType, retryAfter, location } = head
        const headers = { ...(retryAfter ? { retryAfter } : {}), ...(location ? { location } : {}) }
        finish({ kind: 'answered', status, contentType, headers, body: Buffer.concat(chunks) })
      },
      onResponseError(_controller, error) {
        fail(error)
      },
    },
  }
}

/** A repeated header is ambiguous, so it counts as absent. */
function single(value: string | string[] | undefined): string {
  return typeof value === 'string' ? value : ''
}

function mediaType(contentType: string): string {
  return (contentType.split(';')[0] ?? '').trim().toLowerCase()
}
