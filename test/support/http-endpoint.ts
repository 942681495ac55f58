import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'

export type Received = {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}
export type Answered = { readonly status: number; readonly headers?: Readonly<Record<string, string>> }

export type HttpEndpoint = {
  readonly origin: string
  readonly received: Received[]
  /** What the next requests are answered with, in order; `null` for nothing at all. Then 201. */
  answerNext(...answers: (Answered | null)[]): void
  close(): Promise<void>
}

/** A plain HTTP server on loopback that keeps what it was sent. */
export async function startHttpEndpoint(): Promise<HttpEndpoint> {
  const received: Received[] = []
  const queue: (Answered | null)[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { method = '', url: path = '', headers } = request
    received.push({ method, path, headers, body: Buffer.concat(chunks) })
    const answer = queue.length > 0 ? queue.shift() : { status: 201 }
    if (answer) response.writeHead(answer.status, answer.headers ?? {}).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    origin: `http://127.0.0.1:${address.port}`,
    received,
    answerNext: (...answers) => void queue.push(...answers),
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
