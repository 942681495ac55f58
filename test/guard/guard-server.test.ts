import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { boundReason, type Prepare, type Verdict } from '../../src/guard/guard-contract.ts'
import { type GuardServer, startGuardServer } from '../../src/guard/guard-server.ts'

const TOKEN = 'a-secret-only-these-two-know'
let server: GuardServer
let asked: Prepare[] = []
afterEach(() => server.stop())

async function start(decide: (prepare: Prepare) => Promise<Verdict> | Verdict = () => ({ allowed: true })) {
  asked = []
  server = await startGuardServer({
    port: 0,
    token: TOKEN,
    async decide(prepare) {
      asked.push(prepare)
      return decide(prepare)
    },
  })
}

type Sent = {
  path?: string
  method?: string
  headers?: Record<string, string>
  body?: unknown
  raw?: string | Buffer
}
type Told = { status: number; json: Record<string, unknown>; headers: Record<string, unknown> }

/** A request with every header as given: `fetch` would not send another Host. */
function send({ path = '/v1/prepare', method = 'POST', headers = {}, body, raw }: Sent): Promise<Told> {
  const text = raw ?? JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        host: '127.0.0.1',
        port: server.port,
        path,
        method,
        headers: {
          host: `127.0.0.1:${server.port}`,
          authorization: `Bearer ${TOKEN}`,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
          ...headers,
        },
      },
      async (response) => {
        const chunks: Buffer[] = []
        for await (const chunk of response) chunks.push(chunk)
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          json: JSON.parse(Buffer.concat(chunks).toString() || '{}'),
        })
      },
    )
    request.on('error', reject)
    request.end(text)
  })
}

let requests = 0
function prepare(extra: Record<string, unknown> = {}) {
  requests += 1
  return {
    protocolVersion: 1,
    requestId: `request-${requests}`,
    sessionId: 'session',
    promptId: 'prompt',
    toolCallId: 'call',
    toolName: 'read_file',
    arguments: { file_path: '/a' },
    ...extra,
  }
}

describe('the contract', () => {
  it('answers a handshake with exactly its keys', async () => {
    await start()
    const told = await send({
      path: '/v1/handshake',
      body: { protocolVersion: 1, nonce: 'n-1', client: 'qwen-code' },
    })
    expect(told.status).toBe(200)
    expect(told.json).toEqual({ protocolVersion: 1, nonce: 'n-1', capabilities: { prepare: true } })
    expect(told.headers['content-type']).toBe('application/json')
  })

  it('answers a yes without a reason, and a no with one', async () => {
    const verdicts: Verdict[] = [{ allowed: true }, { allowed: false, reason: 'Not now.' }]
    await start(() => verdicts.shift() ?? { allowed: true })
    const [yes, no] = [prepare(), prepare()]
    expect((await send({ body: yes })).json).toEqual({
      protocolVersion: 1,
      requestId: yes.requestId,
      allowed: true,
    })
    expect((await send({ body: no })).json).toEqual({
      protocolVersion: 1,
      requestId: no.requestId,
      allowed: false,
      reason: 'Not now.',
    })
  })

  it('takes a request without a prompt, as where none is running', async () => {
    await start()
    const { promptId: _, ...without } = prepare()
    expect((await send({ body: without })).status).toBe(200)
  })

  it.each([
    ['controls', 'a\u0000b\nc\u0085d\u2028e', 'a b c d e'],
    ['nothing', ' \n ', 'Refused.'],
    ['a half character at the end', `${'x'.repeat(499)}😀`, `${'x'.repeat(499)}\ufffd`],
  ])('makes a reason of %s one that Qwen Code takes', (_, text, reason) => {
    expect(boundReason(text)).toBe(reason)
    expect(boundReason(text).length).toBeLessThanOrEqual(500)
  })
})

describe('whoever is not Qwen Code', () => {
  it.each([
    ['no token', { authorization: '' }, 401],
    ['another token', { authorization: 'Bearer a-secret-only-these-two-knoW' }, 401],
    ['a longer token', { authorization: `Bearer ${TOKEN}x` }, 401],
    ['another scheme', { authorization: `Basic ${TOKEN}` }, 401],
    ['another host, as after DNS rebinding', { host: 'guard.example' }, 421],
    ['another port', { host: '127.0.0.1:1' }, 421],
    ['the origin of a page', { origin: 'https://evil.example' }, 403],
    ['the origin of a page of this machine', { origin: 'http://127.0.0.1:3000' }, 403],
    ['a browser', { 'sec-fetch-site': 'same-origin' }, 403],
    ['a form', { 'content-type': 'text/plain' }, 415],
    ['another charset', { 'content-type': 'application/json; charset=utf-16' }, 415],
  ])('is refused: %s', async (_, headers, status) => {
    await start()
    expect((await send({ headers, body: prepare() })).status).toBe(status)
    expect(asked).toEqual([])
  })

  it.each([
    ['GET', '/v1/prepare', 405],
    ['PUT', '/v1/handshake', 405],
    ['POST', '/', 404],
    ['POST', '/v1/prepare/', 404],
    ['POST', '/v1/prepare?x=1', 404],
    ['POST', '/v1/../v1/prepare', 404],
    ['OPTIONS', '/v1/prepare', 405],
  ])('is refused: %s %s', async (method, path, status) => {
    await start()
    expect((await send({ method, path, body: prepare() })).status).toBe(status)
    expect(asked).toEqual([])
  })

  it('tells no other origin that it may read', async () => {
    await start()
    const told = await send({ headers: { origin: 'https://evil.example' }, body: prepare() })
    expect(Object.keys(told.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
  })

  it('listens on this machine only', async () => {
    await start()
    expect(server.origin).toBe(`http://127.0.0.1:${server.port}`)
  })
})

describe('a request that is not of the contract', () => {
  it.each([
    ['another version', prepare({ protocolVersion: 2 })],
    ['a key too many', prepare({ allowed: true })],
    ['an empty request id', prepare({ requestId: '' })],
    ['no arguments', prepare({ arguments: undefined })],
    ['arguments that are a list', prepare({ arguments: [] })],
    ['a tool that is no text', prepare({ toolName: 7 })],
    ['a list', [prepare()]],
  ])('is refused: %s', async (_, body) => {
    await start()
    expect((await send({ body })).status).toBe(400)
    expect(asked).toEqual([])
  })

  it.each([
    ['a name given twice', '{"protocolVersion":1,"protocolVersion":1}'],
    ['half of a text', '{"protocolVersion":1,'],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ['a number another reader would round', JSON.stringify(prepare()).replace('"/a"', '9007199254740993')],
    ['nesting without end', JSON.stringify(prepare()).replace('"/a"', '['.repeat(60) + ']'.repeat(60))],
  ])('is refused: %s', async (_, raw) => {
    await start()
    expect((await send({ raw })).status).toBe(400)
    expect(asked).toEqual([])
  })

  it('is refused when it is larger than the contract allows', async () => {
    await start()
    const told = await send({ body: prepare({ arguments: { text: 'x'.repeat(1024 * 1024) } }) }).catch(
      () => null,
    )
    expect(told === null || told.status === 413).toBe(true)
    expect(asked).toEqual([])
  })

  it('is answered when it is just as large as the contract allows', async () => {
    await start()
    const empty = JSON.stringify(prepare({ requestId: 'full', arguments: { text: '' } })).length
    const text = 'x'.repeat(1024 * 1024 - empty)
    expect((await send({ body: prepare({ requestId: 'full', arguments: { text } }) })).status).toBe(200)
  })
})

describe('several requests', () => {
  it('are answered once each: the same one again is refused', async () => {
    await start()
    const body = prepare()
    expect((await send({ body })).status).toBe(200)
    expect((await send({ body })).status).toBe(409)
    expect(asked).toHaveLength(1)
  })

  it('are answered once each at the same time too', async () => {
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    await start(async () => {
      await held
      return { allowed: true }
    })
    const body = prepare()
    const both = [send({ body }), send({ body })]
    await expect.poll(() => asked.length).toBe(1)
    release()
    expect((await Promise.all(both)).map(({ status }) => status).sort()).toEqual([200, 409])
  })

  it('beyond what one agent needs are refused', async () => {
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    await start(async () => {
      await held
      return { allowed: true }
    })
    const all = Array.from({ length: 40 }, () => send({ body: prepare() }))
    await expect.poll(() => asked.length).toBe(32)
    const refused = await Promise.race([
      Promise.all(all.map(async (one) => (await one).status)).then(() => 0),
      ...all.map(async (one) => (await one).status),
    ])
    expect(refused).toBe(503)
    release()
    const statuses = (await Promise.all(all)).map(({ status }) => status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(32)
    expect(statuses.filter((status) => status === 503)).toHaveLength(8)
  })

  it('go on after one whose sender went away', async () => {
    await start()
    const socket = connect(server.port, '127.0.0.1')
    await once(socket, 'connect')
    socket.write(
      `POST /v1/prepare HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"protocol`,
    )
    socket.destroy()
    expect((await send({ body: prepare() })).status).toBe(200)
    expect(asked).toHaveLength(1)
  })

  it('are not answered with a yes where deciding fails', async () => {
    await start(() => {
      throw new Error('with a secret in it')
    })
    const told = await send({ body: prepare() })
    expect([told.status, told.json]).toEqual([500, { error: 'the guard failed' }])
  })
})
