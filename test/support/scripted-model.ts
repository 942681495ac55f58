import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { completionChunks, type ScriptedAnswer, wholeCompletion } from './model-wire.ts'

/** A chat completion as a client asked for it, parsed. */
export type ModelRequest = {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: {
    readonly model: string
    readonly stream?: boolean
    readonly messages: readonly {
      readonly role: string
      readonly content?: unknown
      readonly [name: string]: unknown
    }[]
    readonly tools?: readonly { readonly type: string; readonly function: { readonly name: string } }[]
    readonly [name: string]: unknown
  }
}

/** What the endpoint does with one request: it answers, refuses, hangs up in mid-answer, or never answers. */
export type ScriptedTurn =
  | ScriptedAnswer
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly error?: string }
  | { readonly hangsUp: true }
  | { readonly neverAnswers: true }

export type ScriptedModel = {
  /** Ends with `/v1`, as an OpenAI base URL does. */
  readonly baseUrl: string
  readonly requests: ModelRequest[]
  /** Adds turns, answered in their order; a function is shown the request. Afterwards every answer is "Done.". */
  script(...turns: readonly (ScriptedTurn | ((request: ModelRequest) => ScriptedTurn))[]): void
  close(): Promise<void>
}

/**
 * A model endpoint on loopback that speaks the OpenAI wire format as real ones do, streaming in small pieces that cut
 * through characters, and says what a test tells it to.
 *
 * @param onRequest answers instead of a script: for clients that send requests of their own besides a conversation's.
 */
export async function startScriptedModel(
  onRequest?: (request: ModelRequest) => ScriptedTurn,
): Promise<ScriptedModel> {
  const requests: ModelRequest[] = []
  const queue: (ScriptedTurn | ((request: ModelRequest) => ScriptedTurn))[] = []
  let served = 0

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1')
    if (request.method === 'GET' && pathname.endsWith('/models')) {
      return json(response, 200, { object: 'list', data: [{ id: 'qwen3-scripted', object: 'model' }] })
    }
    if (request.method !== 'POST' || !pathname.endsWith('/chat/completions')) {
      return json(response, 404, { error: { message: 'no such path', type: 'invalid_request_error' } })
    }
    const asked: ModelRequest = {
      path: pathname,
      headers: request.headers,
      body: JSON.parse(Buffer.concat(chunks).toString('utf8')) as ModelRequest['body'],
    }
    requests.push(asked)
    served += 1
    const next = onRequest ?? queue.shift()
    const turn = typeof next === 'function' ? next(asked) : (next ?? { content: 'Done.' })
    await answer(response, asked, turn, `chatcmpl-${served}`)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')

  return {
    baseUrl: `http://127.0.0.1:${address.port}/v1`,
    requests,
    script: (...turns) => void queue.push(...turns),
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function answer(
  response: ServerResponse,
  { body }: ModelRequest,
  turn: ScriptedTurn,
  id: string,
): Promise<void> {
  if ('neverAnswers' in turn) return
  if ('hangsUp' in turn) return void response.destroy()
  if ('status' in turn) {
    const error = { message: turn.error ?? 'scripted', type: 'scripted', code: null }
    return json(response, turn.status, { error }, turn.headers)
  }
  const about = { id, model: turn.model === undefined ? body.model : turn.model }
  if (body.stream !== true) return json(response, 200, wholeCompletion(turn, about))

  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
  const events = completionChunks(turn, about)
  const sent = turn.breaksAfter === undefined ? events : events.slice(0, turn.breaksAfter)
  const bytes = Buffer.from(sent.join(''), 'utf8')
  // Nothing says that a packet ends where an event or a character does.
  const step = turn.bytesAPacket ?? 61
  for (let at = 0; at < bytes.length; at += step) {
    if (response.destroyed) return
    response.write(bytes.subarray(at, at + step))
    if (at % (step * 8) === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  if (turn.breaksAfter === undefined) response.end()
  else response.destroy()
}

function json(response: ServerResponse, status: number, body: object, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}
