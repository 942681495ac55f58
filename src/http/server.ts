import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { toResponse } from './answer.ts'
import type { App } from './app.ts'
import { problem } from './problem.ts'

/** A listening socket whose answers can be put in place later. */
export type HttpServer = {
  readonly port: number
  /** Serves the app from now on; until then everything is answered with 503. */
  serve(app: App): void
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
  return {
    port: (server.address() as AddressInfo).port,
    serve(app) {
      served = app
      const answer = getRequestListener(app.fetch, { errorHandler: malformed })
      listener = (request, response) => void answer(request, response)
    },
    async stop(withinMs) {
      served?.stopAccepting()
      await Promise.race([Promise.all([closed(server), served?.idle()]), timeUp(withinMs)])
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
