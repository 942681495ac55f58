import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { toResponse } from './answer.ts'
import type { App } from './app.ts'
import { problem } from './problem.ts'

/** A surface that needs Node's own request and response, served beside the app. */
export type BesideApp = {
  takes(request: IncomingMessage): boolean
  answer(request: IncomingMessage, response: ServerResponse): Promise<void>
  /** Resolves when nothing is being answered. */
  idle(): Promise<void>
}

/** A listening socket whose answers can be put in place later. */
export type HttpServer = {
  readonly port: number
  /** Serves the app from now on; until then everything is answered with 503. */
  serve(app: App, beside?: BesideApp): void
  /** Takes no new connection and waits for what is being answered, at most so long; then cuts what is left. */
  stop(withinMs: number): Promise<void>
}

const HEADER_BYTES_MOST = 16_384
const IDLE_CHECK_MS = 50

/** @throws (rejects) when the address is in use or may not be listened on. */
export async function listen(host: string, port: number): Promise<HttpServer> {
  const server = createServer({
    maxHeaderSize: HEADER_BYTES_MOST,
    headersTimeout: 10_000,
    // Whoever sends a byte now and then must not hold a connection for ever.
    requestTimeout: 30_000,
    keepAliveTimeout: 30_000,
  })
  let listener: RequestListener = (_, response) => {
    response.writeHead(503, { 'retry-after': '1', connection: 'close' }).end()
  }
  server.on('request', (request, response) => listener(request, response))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  let served: App | undefined
  let servedBeside: BesideApp | undefined
  let isStopping = false
  return {
    port: (server.address() as AddressInfo).port,
    serve(app, beside) {
      served = app
      servedBeside = beside
      const answer = getRequestListener(app.fetch, { errorHandler: malformed })
      listener = (request, response) => {
        // Whoever comes while we stop is told so by the app.
        if (!isStopping && beside?.takes(request)) {
          // A request that breaks off, or a defect: there is nothing left to tell it to.
          beside.answer(request, response).catch(() => response.destroy())
        } else void answer(request, response)
      }
    },
    async stop(withinMs) {
      served?.stopAccepting()
      isStopping = true
      await Promise.race([
        Promise.all([closed(server), served?.idle(), servedBeside?.idle()]),
        timeUp(withinMs),
      ])
      server.closeAllConnections()
    },
  }
}

/** Requests no URL can be made of, such as one with a broken Host. */
function malformed(): Response {
  return toResponse(problem('host_not_allowed'), 'none')
}

/** A keep-alive connection without a request would hold the server open for its whole time-out. */
function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS)
    server.close(() => {
      clearInterval(idle)
      resolve()
    })
    server.closeIdleConnections()
  })
}

function timeUp(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
}
