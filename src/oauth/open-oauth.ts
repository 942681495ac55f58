import type Provider from 'oidc-provider'
import type { Broker } from '../broker/broker.ts'
import { createRateLimit, type RateLimitOptions } from '../http/rate-limit.ts'
import type { Route } from '../http/route.ts'
import type { BesideApp } from '../http/server.ts'
import type { Page } from '../pages/page.ts'
import { type FetchDocument, politeFetch } from './client-documents.ts'
import { connectPages } from './connect-page.ts'
import { createConnecting } from './connecting.ts'
import { devicePages } from './device-page.ts'
import { createDevices } from './devices.ts'
import { renderErrorPage } from './error-page.ts'
import { oauthMetadataRoutes } from './metadata-routes.ts'
import { mountOauth } from './mount.ts'
import { openProvider } from './open-provider.ts'

export type OauthOptions = {
  readonly allowedHosts: readonly string[]
  readonly addressLimit: RateLimitOptions
  /** How often one address may register a client. */
  readonly registrationLimit: RateLimitOptions
  readonly fetchDocument: FetchDocument
  /** The clock tokens are issued by. Unix milliseconds. */
  readonly nowMs: () => number
  /** A clock that never steps. */
  readonly monotonicMs?: () => number
}

/** The authorization server for agents: what stands beside the app, and what is part of it. */
export type Oauth = {
  readonly beside: BesideApp
  readonly routes: readonly Route[]
  readonly pages: readonly Page[]
}

/** Codes one person may try a minute. */
const GUESSES = { perMinute: 10, burst: 10, keysMost: 50_000 }

export function openOauth(broker: Broker, options: OauthOptions): Oauth {
  const { issuer } = broker.settings
  const monotonicMs = options.monotonicMs ?? (() => performance.now())
  const provider: Provider = openProvider(broker, {
    fetchDocument: politeFetch(options.fetchDocument, monotonicMs),
    nowMs: options.nowMs,
    renderError: (ctx, error, text) => renderErrorPage(ctx, error, text, issuer.startsWith('https:')),
  })
  const connecting = createConnecting(broker, provider)
  const devices = createDevices(broker, provider)
  const passing = { pseudonyms: broker.pseudonyms, nowMs: () => broker.store.now().nowMs }
  return {
    beside: mountOauth({
      issuer,
      allowedHosts: options.allowedHosts,
      handler: provider.callback(),
      addressLimit: options.addressLimit,
      registrationLimit: options.registrationLimit,
      monotonicMs,
    }),
    routes: oauthMetadataRoutes(issuer),
    pages: [
      ...connectPages(connecting, passing),
      ...devicePages({ devices, connecting, guesses: createRateLimit(GUESSES), monotonicMs, passing }),
    ],
  }
}
