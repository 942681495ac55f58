import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { signAws } from '../../src/store/aws-signature.ts'
import type { ObjectCredentials } from '../../src/store/checkpoint-register-object.ts'

export type TestObjectStore = {
  readonly origin: string
  readonly objects: Map<string, string>
  /** What it gets wrong, as some stores do. */
  readonly faults: Set<'ignores_if_match' | 'ignores_if_none_match' | 'weak_etags'>
  /** Answers the next PUT so, after or instead of doing it. */
  failNextPut?: { readonly status: number; readonly isDone: boolean } | undefined
  close(): Promise<void>
}

/** An object store with conditions, ETags and the signatures of S3, on a port of its own. */
export async function startObjectStore(credentials: ObjectCredentials): Promise<TestObjectStore> {
  const objects = new Map<string, string>()
  const faults: TestObjectStore['faults'] = new Set()
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    answer(request, response, Buffer.concat(chunks).toString())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const store: TestObjectStore = {
    origin: `http://127.0.0.1:${port}`,
    objects,
    faults,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }

  function answer(request: IncomingMessage, response: ServerResponse, body: string): void {
    const path = request.url ?? ''
    const { headers } = request
    if (!isSigned(request, body)) return void response.writeHead(403).end('<Error/>')
    const stored = objects.get(path)
    if (request.method === 'GET') {
      if (stored === undefined) return void response.writeHead(404).end('<Error/>')
      return void response.writeHead(200, { etag: etagOf(stored) }).end(stored)
    }
    const fail = store.failNextPut
    store.failNextPut = undefined
    const isMatched =
      faults.has('ignores_if_match') ||
      !headers['if-match'] ||
      (stored && headers['if-match'] === etagOf(stored))
    const isFree =
      faults.has('ignores_if_none_match') || headers['if-none-match'] !== '*' || stored === undefined
    const isKept = isMatched && isFree && (!fail || fail.isDone)
    if (isKept) objects.set(path, body)
    response.writeHead(fail?.status ?? (isMatched && isFree ? 200 : 412)).end()
  }

  function etagOf(content: string): string {
    const tag = `"${createHash('md5').update(content).digest('hex')}"`
    return faults.has('weak_etags') ? `W/${tag}` : tag
  }

  function isSigned(request: IncomingMessage, body: string): boolean {
    const { authorization = '' } = request.headers
    if (credentials.kind === 'bearer') return authorization === `Bearer ${credentials.token}`
    const names = /SignedHeaders=([^,]+)/.exec(authorization)?.[1]?.split(';') ?? []
    const date = String(request.headers['x-amz-date'])
    const atMs = Date.parse(date.replace(/(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/, '$1-$2-$3T$4:$5:$6Z'))
    const own = new Set(['host', 'x-amz-date', 'x-amz-content-sha256', 'x-amz-security-token'])
    const kept = names.filter((name) => !own.has(name)).map((name) => [name, String(request.headers[name])])
    const again = signAws(
      {
        method: request.method ?? '',
        url: new URL(request.url ?? '', `http://${request.headers.host}`),
        headers: Object.fromEntries(kept),
        body,
      },
      { ...credentials, service: 's3' },
      atMs,
    )
    // What decides what is kept must be under the signature, or somebody on the way could take it out.
    const conditions = ['if-match', 'if-none-match'].filter((name) => request.headers[name] !== undefined)
    return again.authorization === authorization && conditions.every((name) => names.includes(name))
  }
  return store
}
