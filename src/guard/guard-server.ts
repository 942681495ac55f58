import { hash, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { LRUCache } from 'lru-cache'
import type { JsonValue } from '../core/json-value.ts'
import { parseStrictJsonBytes } from '../core/strict-json.ts'
import {
  handshakeAnswer,
  handshakeShape,
  type Prepare,
  prepareAnswer,
  prepareShape,
  REQUEST_BYTES_MOST,
  type Verdict,
} from './guard-contract.ts'

export type GuardServerOptions = {
  /** 0 for one that is free. */
  readonly port: number
  /** What Qwen Code shows that it is the one this guard was started for. */
  readonly token: string
  readonly decide: (prepare: Prepare) => Promise<Verdict>
  /** Told of each answer; arguments are nobody else's. */
  readonly onAnswer?: (toolName: string, verdict: Verdict) => void
}

export type GuardServer = {
  readonly port: number
  readonly origin: string
  stop(): Promise<void>
}

const HOST = '127.0.0.1'
/** Answers that may be on their way at once; one agent seldom needs more than a few. */
const AT_ONCE_MOST = 32
/** Request ids remembered: Qwen Code makes a new one each time, and never sends one again. */
const SEEN_MOST = 50_000
const LIMITS = { maxBytes: REQUEST_BYTES_MOST, maxDepth: 32, maxMembers: 20_000 }

/** Why a request is not answered. Qwen Code takes anything but 200 for a no. */
class NotAnswered extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/**
 * Answers Qwen Code's external tool guard requests, on this machine only. No page of a browser can ask: another Host, any
 * Origin, another content type and a missing token are refused before a body is read.
 *
 * @throws (rejects) when the port is in use.
 */
export async function startGuardServer(options: GuardServerOptions): Promise<GuardServer> {
  const tokenHash = Buffer.from(hash('sha256', options.token, 'hex'))
  const seen = new LRUCache<string, true>({ max: SEEN_MOST })
  let atOnce = 0
  let hosts: ReadonlySet<string> = new Set()

  async function answer(request: IncomingMessage): Promise<object> {
    checkHead(request, hosts, tokenHash)
    const path = request.url
    const body = await readBody(request)
    if (path === '/v1/handshake') {
      const parsed = handshakeShape.safeParse(body)
      if (!parsed.success) throw new NotAnswered(400, 'not a handshake of version 1')
      return handshakeAnswer(parsed.data.nonce)
    }
    const parsed = prepareShape.safeParse(body)
    if (!parsed.success) throw new NotAnswered(400, 'not a prepare of version 1')
    const { requestId, toolName } = parsed.data
    if (seen.has(requestId)) throw new NotAnswered(409, 'this request was answered before')
    seen.set(requestId, true)
    const verdict = await options.decide(parsed.data)
    options.onAnswer?.(toolName, verdict)
    return prepareAnswer(requestId, verdict)
  }

  const server = createServer(
    { maxHeaderSize: 16_384, headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 5_000 },
    async (request, response) => {
      if (atOnce >= AT_ONCE_MOST) return send(response, 503, { error: 'too many at once' })
      atOnce += 1
      try {
        send(response, 200, await answer(request))
      } catch (error) {
        const known = error instanceof NotAnswered ? error : new NotAnswered(500, 'the guard failed')
        send(response, known.status, { error: known.message })
      } finally {
        atOnce -= 1
      }
    },
  )
  server.listen(options.port, HOST)
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const { port } = address
  hosts = new Set([`${HOST}:${port}`, `localhost:${port}`])
  return {
    port,
    origin: `http://${HOST}:${port}`,
    async stop() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

function checkHead(request: IncomingMessage, hosts: ReadonlySet<string>, tokenHash: Buffer): void {
  const { headers } = request
  if (!hosts.has(headers.host ?? '')) throw new NotAnswered(421, 'another host')
  if (headers.origin !== undefined || headers['sec-fetch-site'] !== undefined) {
    throw new NotAnswered(403, 'pages do not ask here')
  }
  const token = /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1] ?? ''
  if (!timingSafeEqual(Buffer.from(hash('sha256', token, 'hex')), tokenHash)) {
    throw new NotAnswered(401, 'another token')
  }
  if (request.url !== '/v1/handshake' && request.url !== '/v1/prepare')
    throw new NotAnswered(404, 'no such path')
  if (request.method !== 'POST') throw new NotAnswered(405, 'POST only')
  if (!/^application\/json\s*(;\s*charset=utf-8\s*)?$/i.test(headers['content-type'] ?? '')) {
    throw new NotAnswered(415, 'JSON only')
  }
}

async function readBody(request: IncomingMessage): Promise<JsonValue> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue
    length += chunk.byteLength
    if (length > REQUEST_BYTES_MOST) throw new NotAnswered(413, 'too long')
    chunks.push(chunk)
  }
  const parsed = parseStrictJsonBytes(Buffer.concat(chunks), LIMITS)
  if (!parsed.ok) throw new NotAnswered(400, parsed.code)
  return parsed.value
}

function send(response: ServerResponse, status: number, body: object): void {
  if (response.headersSent || response.destroyed) return
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    // What was not read to its end must not be taken for the next request.
    ...(status === 200 ? {} : { connection: 'close' }),
  })
  response.end(text)
}
