import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { accessRoutes } from '../../src/access/access-routes.ts'
import type { Broker, Settings } from '../../src/broker/broker.ts'
import { mintAccessToken } from '../../src/broker/mint-access-token.ts'
import { type CheckpointPublisher, openCheckpointPublisher } from '../../src/broker/publish-checkpoint.ts'
import type { CallerKind, TokenCaller, TokenKind } from '../../src/core/tokens/access-token.ts'
import { type App, type AppOptions, createApp } from '../../src/http/app.ts'
import { problemsOf } from '../../src/http/openapi.ts'
import type { Route } from '../../src/http/route.ts'
import { allRoutes } from '../../src/http/routes.ts'
import type { PageSurface } from '../../src/http/surface-route.ts'
import { openKeyRing } from '../../src/keys/folder-key-ring.ts'
import { sessionLookup } from '../../src/open-people.ts'
import type { KeyRing } from '../../src/ports/key-ring.ts'
import { openCheckpointRegisterFile } from '../../src/store/checkpoint-register-file.ts'
import { insertPoint } from './enforcement-point.ts'
import { createTestBroker, NOW_MS, type TestBroker } from './test-broker.ts'

export const HOST = 'broker.example'
const PLENTY = { perMinute: 1_000_000_000, burst: 1_000_000_000, keysMost: 1_000 }

export type Called = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Parsed, where it is JSON. */
  readonly body: Record<string, unknown>
}

export type CallInit = {
  readonly token?: string
  readonly body?: unknown
  /** Sent as it is, in place of `body`. */
  readonly raw?: string | Uint8Array<ArrayBuffer>
  readonly headers?: Readonly<Record<string, string>>
  readonly address?: string
}

export type TestApp = TestBroker & {
  readonly app: App
  readonly routes: readonly Route[]
  readonly keys: KeyRing
  readonly publisher: CheckpointPublisher
  /** Makes a token for this caller; of a new session unless one is given. */
  tokenFor(
    caller: TokenFor,
    extra?: { boundTo?: string; ttlSeconds?: number; isDevelopment?: boolean },
  ): Promise<string>
  call(method: string, path: string, init?: CallInit): Promise<Called>
}

type TokenFor = { readonly kind: CallerKind } & Partial<{
  userId: string
  agentId: string
  operatorId: string
  sessionId: string
  scopes: readonly string[]
}>

export type TestAppOptions = {
  readonly settings?: Partial<Settings>
  readonly app?: Partial<Omit<AppOptions, 'broker' | 'routes'>>
  /** Pages to serve beside the API. */
  readonly pages?: (broker: Broker, publisher: CheckpointPublisher) => PageSurface
}

/** The whole HTTP surface over a test broker, in process. */
export async function createTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-app-'))
  const keys = openKeyRing(join(folder, 'keys'), NOW_MS)
  const test = await createTestBroker({
    folder,
    signer: keys,
    ...(options.settings ? { settings: options.settings } : {}),
  })
  const { broker } = test
  const publisher = openCheckpointPublisher(
    broker,
    openCheckpointRegisterFile(join(test.folder, 'register.json')),
  )
  const routes = allRoutes(broker, keys, publisher, undefined, accessRoutes(broker)).map(holdToDescription)
  const app = createApp({
    broker,
    routes,
    allowedHosts: [HOST],
    allowsDevelopmentTokens: true,
    rateLimits: { address: PLENTY, agent: PLENTY, user: PLENTY },
    monotonicMs: () => test.clock.nowMs(),
    sessions: sessionLookup(broker),
    ...(options.pages ? { pages: options.pages(broker, publisher) } : {}),
    ...options.app,
  })
  return {
    ...test,
    app,
    routes,
    keys,
    publisher,
    async tokenFor(caller, extra = {}) {
      if (caller.kind === 'enforcement_point') return (await insertPoint(broker)).secret
      return mintAccessToken(keys, {
        issuer: broker.settings.issuer,
        caller: fullCaller({ ...caller, kind: caller.kind }, (kind) => broker.newId(kind)),
        nowMs: test.clock.nowMs(),
        ...extra,
      })
    },
    async call(method, path, init = {}) {
      const headers: Record<string, string> = { ...init.headers }
      if (init.token !== undefined) headers.authorization ??= `Bearer ${init.token}`
      const sent = init.raw ?? (init.body === undefined ? undefined : JSON.stringify(init.body))
      if (sent !== undefined) headers['content-type'] ??= 'application/json'
      const response = await app.request(
        `https://${HOST}${path}`,
        { method, headers, ...(sent === undefined ? {} : { body: sent }) },
        { incoming: { socket: { remoteAddress: init.address ?? '192.0.2.1' } } },
      )
      const text = await response.text()
      const isJson = response.headers.get('content-type')?.includes('json') ?? false
      return {
        status: response.status,
        headers: response.headers,
        text,
        body: isJson ? JSON.parse(text) : {},
      }
    },
  }
}

/** Whatever any test asks, the answer must be one the documentation tells: of its shape, or a problem it lists. */
function holdToDescription(route: Route): Route {
  return {
    ...route,
    async run(raw) {
      const answer = await route.run(raw)
      const name = `${route.method} ${route.path} ${answer.status}`
      const body: unknown = answer.body === undefined ? undefined : JSON.parse(JSON.stringify(answer.body))
      if (answer.status >= 400) {
        const { code } = z.object({ code: z.string() }).parse(body)
        if (!problemsOf(route).some((known) => known === code))
          throw new Error(`${name} does not list ${code}`)
        return answer
      }
      const described = route.responses[answer.status]
      if (!described) throw new Error(`${name} is not described`)
      const parsed = described.shape?.safeParse(body)
      if (parsed && !parsed.success) throw new Error(`${name}: ${parsed.error.message}`)
      return answer
    },
  }
}

function fullCaller(
  caller: TokenFor & { readonly kind: TokenKind },
  newId: (kind: 'user' | 'agent' | 'session') => string,
): TokenCaller {
  const common = { sessionId: caller.sessionId ?? newId('session'), scopes: caller.scopes ?? [] }
  switch (caller.kind) {
    case 'agent':
      return {
        kind: 'agent',
        userId: caller.userId ?? newId('user'),
        agentId: caller.agentId ?? newId('agent'),
        ...common,
      }
    case 'user':
      return { kind: 'user', userId: caller.userId ?? newId('user'), ...common }
    case 'operator':
      return { kind: 'operator', operatorId: caller.operatorId ?? 'lin.wei', ...common }
  }
}
