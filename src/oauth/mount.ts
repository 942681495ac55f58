import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { problem } from '../http/problem.ts'
import { addressKey, createRateLimit, type RateLimit, type RateLimitOptions } from '../http/rate-limit.ts'
import type { BesideApp } from '../http/server.ts'
import { isOauthRequest, OAUTH_PATHS } from './oauth-paths.ts'

export type MountOptions = {
  readonly issuer: string
  /** `Host` values that are answered, in lower case with their port. */
  readonly allowedHosts: readonly string[]
  readonly handler: RequestListener | ((request: IncomingMessage, response: ServerResponse) => Promise<void>)
  /** All requests of one address. */
  readonly addressLimit: RateLimitOptions
  /** Registrations of one address. */
  readonly registrationLimit: RateLimitOptions
  readonly monotonicMs?: () => number
}

const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const

/**
 * Puts the authorization server beside the app: the same hosts, no foreign origin, a limit on each address, and
 * nothing but the endpoints we offer. The library is told our own issuer for host and scheme, whatever the request or
 * a proxy in front says, so every URL it makes or compares is the public one.
 */
export function mountOauth(options: MountOptions): BesideApp {
  const { host, protocol, origin } = new URL(options.issuer)
  const hosts = new Set(options.allowedHosts)
  const origins = new Set([
    origin,
    ...options.allowedHosts.flatMap((at) => [`http://${at}`, `https://${at}`]),
  ])
  const monotonicMs = options.monotonicMs ?? (() => performance.now())
  const requests = createRateLimit(options.addressLimit)
  const registrations = createRateLimit(options.registrationLimit)
  let inFlight = 0
  let whenIdle: (() => void)[] = []

  function refusal(request: IncomingMessage, path: string) {
    const given = request.headers.host?.toLowerCase()
    if (given === undefined || !hosts.has(given)) return problem('host_not_allowed')
    if (request.headers.origin !== undefined && !origins.has(request.headers.origin)) {
      return problem('origin_not_allowed')
    }
    const key = addressKey(request.socket.remoteAddress ?? 'unknown')
    const limits: RateLimit[] = path === OAUTH_PATHS.registration ? [requests, registrations] : [requests]
    for (const limit of limits) {
      const waitSeconds = limit.take(key, monotonicMs())
      if (waitSeconds > 0) return problem('rate_limited', { headers: { 'retry-after': String(waitSeconds) } })
    }
    return undefined
  }

  return {
    takes: (request) => isOauthRequest(request.method ?? '', pathOf(request)),
    async answer(request, response) {
      const refused = refusal(request, pathOf(request))
      for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value)
      if (refused) {
        response.writeHead(refused.status, { 'content-type': 'application/problem+json', ...refused.headers })
        response.end(JSON.stringify(refused.body))
        return
      }
      for (const name of Object.keys(request.headers)) {
        if (name.startsWith('x-forwarded-')) delete request.headers[name]
      }
      request.headers.host = host
      request.headers['x-forwarded-proto'] = protocol.slice(0, -1)
      inFlight += 1
      try {
        await options.handler(request, response)
      } finally {
        inFlight -= 1
        if (inFlight === 0) for (const resolve of whenIdle.splice(0)) resolve()
      }
    },
    idle: () =>
      new Promise((resolve) => {
        if (inFlight === 0) resolve()
        else whenIdle = [...whenIdle, resolve]
      }),
  }
}

/** Only a path is taken: a whole URL in the request line is the app's to refuse. */
function pathOf(request: IncomingMessage): string {
  const { url = '' } = request
  const end = url.search(/[?#]/)
  return end === -1 ? url : url.slice(0, end)
}
