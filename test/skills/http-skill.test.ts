import { readFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import type { SkillCall, SkillCaller, SkillReply } from '../../src/ports/skill-caller.ts'
import { type ResolvedAddress, resolveForEgress } from '../../src/skills/egress-guard.ts'
import { type HttpSkillConfig, openHttpSkillCaller } from '../../src/skills/http-skill.ts'
import { addressOf, jsonAnswer, listen, openRawServer, type RawServer } from './raw-server.ts'

const cleanUps: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

/** Lets the pool take a connection back, which it does one turn of the event loop after the answer. */
async function idle(): Promise<void> {
  await setImmediate()
  await setImmediate()
}

async function serve(
  onRequest: (socket: Socket, request: string, nth: number) => void,
  onConnection?: (socket: Socket) => void,
): Promise<RawServer> {
  const server = await openRawServer(onRequest, onConnection)
  cleanUps.push(server.close)
  return server
}

function openCaller(config: Partial<HttpSkillConfig> = {}): SkillCaller {
  const caller = openHttpSkillCaller({ devOrigins: [], ...config })
  cleanUps.push(() => caller.close())
  return caller
}

function callOf(endpoint: string, changes: Partial<SkillCall> = {}): SkillCall {
  return {
    endpoint,
    method: 'POST',
    body: Buffer.from('{"item":"latte"}'),
    headers: { 'content-type': 'application/json', 'idempotency-key': 'key_1' },
    timeoutMs: 5_000,
    maxResponseBytes: 1_000,
    ...changes,
  }
}

/** One call to a server that is on the allow-list. */
function callServer(server: RawServer, changes: Partial<SkillCall> = {}): Promise<SkillReply> {
  return openCaller({ devOrigins: [server.origin] }).call(callOf(`${server.origin}/orders`, changes))
}

describe('a skill that answers', () => {
  it('gets exactly the bytes it was to get, once, and its answer is returned unparsed', async () => {
    const server = await serve((socket) =>
      socket.write(jsonAnswer('200 OK', '{"id":"o1"}', 'retry-after: 7\r\n')),
    )
    const reply = await callServer(server)
    expect(reply).toEqual({
      kind: 'answered',
      status: 200,
      contentType: 'application/json',
      headers: { retryAfter: '7' },
      body: Buffer.from('{"id":"o1"}'),
    })
    expect(server.requests).toHaveLength(1)
    const [request = ''] = server.requests
    expect(request).toMatch(/^POST \/orders HTTP\/1\.1\r\n/)
    expect(request).toMatch(/\r\nidempotency-key: key_1\r\n/)
    expect(request.endsWith('\r\n\r\n{"item":"latte"}')).toBe(true)
  })

  it.each([
    ['202 Accepted', 202],
    ['409 Conflict', 409],
    ['500 Internal Server Error', 500],
  ])('is heard whatever the status: %s', async (line, status) => {
    const server = await serve((socket) => socket.write(jsonAnswer(line, '{}')))
    expect(await callServer(server)).toMatchObject({ kind: 'answered', status })
  })

  it('may send interim answers first, which count for nothing', async () => {
    const early = 'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\ncontent-length: 5000\r\n\r\n'
    const server = await serve((socket) => socket.write(early + jsonAnswer('200 OK', '{}')))
    expect(await callServer(server)).toMatchObject({ kind: 'answered', status: 200 })
  })

  it('may answer in chunks and without saying how long the answer is', async () => {
    const chunked =
      'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n'
    const server = await serve((socket) => socket.write(chunked))
    expect(await callServer(server)).toMatchObject({ kind: 'answered', body: Buffer.from('{}') })
  })

  it('keeps its connection for the next call', async () => {
    const server = await serve((socket) => socket.write(jsonAnswer('200 OK', '{}')))
    const caller = openCaller({ devOrigins: [server.origin] })
    for (let i = 0; i < 3; i += 1) {
      await caller.call(callOf(`${server.origin}/orders`))
      await idle()
    }
    expect(server.requests).toHaveLength(3)
    expect(server.connections()).toBe(1)
  })

  it('is never sent more at once than its connections allow', async () => {
    let open = 0
    let most = 0
    const http = createHttpServer((_request, response) => {
      open += 1
      most = Math.max(most, open)
      setImmediate().then(() => {
        open -= 1
        response.setHeader('content-type', 'application/json').end('{}')
      })
    })
    await listen(http)
    cleanUps.push(async () => http.close())
    const origin = `http://127.0.0.1:${addressOf(http).port}`
    const caller = openCaller({ devOrigins: [origin], connectionsPerOrigin: 2 })
    const replies = await Promise.all(Array.from({ length: 12 }, () => caller.call(callOf(`${origin}/x`))))
    expect(replies.every((reply) => reply.kind === 'answered')).toBe(true)
    expect(most).toBeLessThanOrEqual(2)
  })
})

describe('a request that never left', () => {
  it.each([
    ['an endpoint that is not https', 'http://coffee.example/', 'bad_endpoint'],
    ['an endpoint that is no URL', 'orders', 'bad_endpoint'],
    ['a loopback address', 'https://127.0.0.1/', 'blocked_address'],
    ['metadata', 'https://169.254.169.254/', 'blocked_address'],
  ])('names %s', async (_, endpoint, code) => {
    expect(await openCaller().call(callOf(endpoint))).toEqual({ kind: 'not_sent', code })
  })

  it('names a port nobody listens on', async () => {
    const server = createServer()
    await listen(server)
    const { port } = addressOf(server)
    await new Promise((resolve) => server.close(resolve))
    const origin = `http://127.0.0.1:${port}`
    const reply = await openCaller({ devOrigins: [origin] }).call(callOf(origin))
    expect(reply).toEqual({ kind: 'not_sent', code: 'connect_failed' })
  })

  it('names a name that does not resolve', async () => {
    const resolve = () => Promise.reject(new Error('ENOTFOUND'))
    const reply = await openCaller({ resolve }).call(callOf('https://coffee.example/'))
    expect(reply).toEqual({ kind: 'not_sent', code: 'dns_failed' })
  })

  it('is not sent later either, when the time ran out while the name was being resolved', async () => {
    const server = await serve((socket) => socket.write(jsonAnswer('200 OK', '{}')))
    const origin = `http://skill.example:${server.port}`
    let answer: (found: ResolvedAddress[]) => void = () => {}
    const resolve = () => new Promise<ResolvedAddress[]>((done) => (answer = done))
    const caller = openHttpSkillCaller({ devOrigins: [origin], resolve })
    const reply = await caller.call(callOf(`${origin}/orders`, { timeoutMs: 30 }))
    expect(reply).toEqual({ kind: 'not_sent', code: 'connect_failed' })
    answer([{ address: '127.0.0.1', family: 4 }])
    await caller.close()
    expect(server.requests).toEqual([])
  })

  it('is not sent later either, when the time ran out waiting for a connection', async () => {
    let release: Socket | undefined
    const server = await serve((socket) => {
      release = socket
    })
    const caller = openCaller({ devOrigins: [server.origin], connectionsPerOrigin: 1 })
    const first = caller.call(callOf(`${server.origin}/first`))
    const second = await caller.call(callOf(`${server.origin}/second`, { timeoutMs: 50 }))
    expect(second).toEqual({ kind: 'not_sent', code: 'connect_failed' })
    release?.write(jsonAnswer('200 OK', '{}'))
    expect(await first).toMatchObject({ kind: 'answered' })
    await caller.close()
    expect(server.requests.map((request) => request.split(' ')[1])).toEqual(['/first'])
  })

  it('names a header that cannot be sent', async () => {
    const server = await serve((socket) => socket.write(jsonAnswer('200 OK', '{}')))
    const reply = await callServer(server, { headers: { authorization: 'Bearer a\r\nx-evil: 1' } })
    expect(reply).toEqual({ kind: 'not_sent', code: 'bad_endpoint' })
    expect(server.requests).toEqual([])
  })
})

describe('a name that changes its answer', () => {
  it('is asked once per connection: what was checked is what is dialled, and a later answer is checked again', async () => {
    const answer = jsonAnswer('200 OK', '{}', 'connection: close\r\n')
    const server = await serve((socket) => socket.end(answer))
    const addresses = ['127.0.0.1', '169.254.169.254']
    let asked = 0
    const resolve = async (): Promise<ResolvedAddress[]> => {
      const address = addresses[asked] ?? ''
      asked += 1
      return [{ address, family: 4 }]
    }
    const origin = `http://rebind.example:${server.port}`
    const caller = openCaller({ devOrigins: [origin], resolve })
    expect(await caller.call(callOf(`${origin}/orders`))).toMatchObject({ kind: 'answered' })
    expect(asked).toBe(1)
    await idle()
    const second = await caller.call(callOf(`${origin}/orders`))
    expect(second).toEqual({ kind: 'not_sent', code: 'blocked_address' })
    expect(asked).toBe(2)
    expect(server.connections()).toBe(1)
  })

  it('gains nothing by answering with a private address after a public one', async () => {
    const server = await serve((socket) => socket.write(jsonAnswer('200 OK', '{}')))
    const verdicts = []
    for (const address of ['1.1.1.1', '127.0.0.1']) {
      const resolve = async (): Promise<ResolvedAddress[]> => [{ address, family: 4 }]
      verdicts.push(
        await resolveForEgress('rebind.example', 'https://rebind.example', { devOrigins: [] }, resolve),
      )
    }
    expect(verdicts.map((verdict) => verdict.ok)).toEqual([true, false])
    const resolve = async (): Promise<ResolvedAddress[]> => [{ address: '127.0.0.1', family: 4 }]
    const reply = await openCaller({ resolve }).call(callOf(`https://rebind.example:${server.port}/`))
    expect(reply).toEqual({ kind: 'not_sent', code: 'blocked_address' })
    expect(server.connections()).toBe(0)
  })

  it('is refused as a whole when one of its addresses is not public', async () => {
    const resolve = async (): Promise<ResolvedAddress[]> => [
      { address: '1.1.1.1', family: 4 },
      { address: '::ffff:127.0.0.1', family: 6 },
    ]
    const reply = await openCaller({ resolve }).call(callOf('https://two.example/'))
    expect(reply).toEqual({ kind: 'not_sent', code: 'blocked_address' })
  })

  it('cannot lead a development origin to the metadata service', async () => {
    const resolve = async (): Promise<ResolvedAddress[]> => [{ address: '169.254.169.254', family: 4 }]
    const origin = 'http://skill.example:4001'
    const reply = await openCaller({ devOrigins: [origin], resolve }).call(callOf(origin))
    expect(reply).toEqual({ kind: 'not_sent', code: 'blocked_address' })
  })
})

describe('a skill that breaks off', () => {
  const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n'

  it.each([
    ['closes without a word', (socket: Socket) => socket.end(), 'cut'],
    ['resets', (socket: Socket) => socket.resetAndDestroy(), 'cut'],
    ['stops in the middle of the head', (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\ncont'), 'cut'],
    [
      'stops in the middle of the body',
      (socket: Socket) => socket.end(`${HEAD}content-length: 9\r\n\r\n{"a"`),
      'cut',
    ],
    [
      'stops in the middle of the last answer of a connection',
      (socket: Socket) => socket.end(`${HEAD}connection: close\r\ncontent-length: 9\r\n\r\n{"a"`),
      'cut',
    ],
    [
      'stops in the middle of a chunk',
      (socket: Socket) => socket.end(`${HEAD}transfer-encoding: chunked\r\n\r\n9\r\n{"a"`),
      'cut',
    ],
    [
      'stops before the last chunk',
      (socket: Socket) => socket.end(`${HEAD}transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n`),
      'cut',
    ],
    [
      'resets in the middle of the body',
      (socket: Socket) => socket.write(`${HEAD}content-length: 9\r\n\r\n{`, () => socket.resetAndDestroy()),
      'cut',
    ],
    ['speaks no HTTP', (socket: Socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n'), 'protocol_error'],
    [
      'sends a broken status line',
      (socket: Socket) => socket.end('HTTP/1.1 two hundred\r\n\r\n'),
      'protocol_error',
    ],
    [
      'sends two lengths',
      (socket: Socket) => socket.end(`${HEAD}content-length: 2\r\ncontent-length: 3\r\n\r\n{} `),
      'protocol_error',
    ],
    [
      'sends a length and chunks',
      (socket: Socket) =>
        socket.end(`${HEAD}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`),
      'protocol_error',
    ],
    [
      'sends an endless head',
      (socket: Socket) => socket.end(`${HEAD}x: ${'a'.repeat(40_000)}\r\n\r\n`),
      'protocol_error',
    ],
    [
      'switches protocols',
      (socket: Socket) => socket.end('HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
      'protocol_error',
    ],
    [
      'redirects',
      (socket: Socket) =>
        socket.end(jsonAnswer('307 Temporary Redirect', '{}', 'location: https://a.example/\r\n')),
      'redirect',
    ],
    [
      'redirects to a GET',
      (socket: Socket) => socket.end(jsonAnswer('302 Found', '{}', 'location: /\r\n')),
      'redirect',
    ],
    [
      'announces too much',
      (socket: Socket) => socket.write(`${HEAD}content-length: 1001\r\n\r\n`),
      'oversize',
    ],
    [
      'sends too much without announcing it',
      (socket: Socket) => socket.write(`${HEAD}transfer-encoding: chunked\r\n\r\n3e9\r\n${'a'.repeat(1001)}`),
      'oversize',
    ],
  ] as const)('and %s', async (_, misbehave, code) => {
    const server = await serve((socket) => misbehave(socket))
    expect(await callServer(server)).toEqual({ kind: 'broken', code })
    expect(server.requests).toHaveLength(1)
  })

  it('takes a body of exactly the limit', async () => {
    const server = await serve((socket) => socket.write(jsonAnswer('200 OK', 'a'.repeat(1_000))))
    expect(await callServer(server)).toMatchObject({ kind: 'answered' })
  })

  it.each([
    ['never answers', () => {}],
    ['never finishes its head', (socket: Socket) => void socket.write('HTTP/1.1 200 OK\r\n')],
    ['never finishes its body', (socket: Socket) => void socket.write(`${HEAD}content-length: 5\r\n\r\n{`)],
    [
      'drips its body for ever',
      (socket: Socket) => {
        socket.write(`${HEAD}transfer-encoding: chunked\r\n\r\n`)
        const drip = setInterval(() => socket.write('1\r\n \r\n'), 5)
        socket.on('close', () => clearInterval(drip))
      },
    ],
  ])('and %s, when the time is up', async (_, stall) => {
    const server = await serve((socket) => stall(socket))
    const reply = await callServer(server, { timeoutMs: 80 })
    expect(reply).toEqual({ kind: 'broken', code: 'timed_out' })
  })

  it.each([
    ['resets', (socket: Socket) => socket.resetAndDestroy()],
    ['closes', (socket: Socket) => socket.end()],
  ])('on a connection used before, and %s: the request is not sent a second time', async (_, misbehave) => {
    const server = await serve((socket, _request, nth) => {
      if (nth === 1) socket.write(jsonAnswer('200 OK', '{}'))
      else misbehave(socket)
    })
    const caller = openCaller({ devOrigins: [server.origin] })
    expect(await caller.call(callOf(`${server.origin}/first`))).toMatchObject({ kind: 'answered' })
    await idle()
    const reply = await caller.call(callOf(`${server.origin}/second`))
    expect(reply).toEqual({ kind: 'broken', code: 'cut' })
    expect(server.requests.map((request) => request.split(' ')[1])).toEqual(['/first', '/second'])
    expect(server.connections()).toBe(1)
  })

  it('does not poison the next call with an answer nobody asked for', async () => {
    const server = await serve((socket, _request, nth) => {
      const own = jsonAnswer('200 OK', JSON.stringify({ nth }))
      socket.write(nth === 1 ? own + jsonAnswer('200 OK', '{"forged":true}') : own)
    })
    const caller = openCaller({ devOrigins: [server.origin] })
    await caller.call(callOf(`${server.origin}/first`))
    await idle()
    const reply = await caller.call(callOf(`${server.origin}/second`))
    expect(reply.kind === 'answered' ? reply.body.toString() : reply.kind).not.toContain('forged')
  })
})

describe('a skill over TLS', () => {
  const cert = readFileSync(join(import.meta.dirname, 'loopback-tls', 'cert.pem'), 'utf8')
  const key = readFileSync(join(import.meta.dirname, 'loopback-tls', 'key.pem'), 'utf8')

  async function serveTls(): Promise<{ port: number; requests: () => number }> {
    let requests = 0
    const server = createHttpsServer({ cert, key }, (_request, response) => {
      requests += 1
      response.setHeader('content-type', 'application/json').end('{}')
    })
    await listen(server)
    cleanUps.push(async () => {
      server.closeAllConnections()
      server.close()
    })
    return { port: addressOf(server).port, requests: () => requests }
  }
  const loopback = async (): Promise<ResolvedAddress[]> => [{ address: '127.0.0.1', family: 4 }]

  it('is called when its certificate fits', async () => {
    const { port } = await serveTls()
    const origin = `https://skill.example:${port}`
    const caller = openCaller({ devOrigins: [origin], resolve: loopback, extraCa: [cert] })
    expect(await caller.call(callOf(`${origin}/orders`))).toMatchObject({ kind: 'answered', status: 200 })
  })

  it.each([
    ['is self-signed', 'skill.example', []],
    ['names another host', 'other.example', [cert]],
  ])('gets nothing when its certificate %s', async (_, host, extraCa) => {
    const { port, requests } = await serveTls()
    const origin = `https://${host}:${port}`
    const caller = openCaller({ devOrigins: [origin], resolve: loopback, extraCa })
    expect(await caller.call(callOf(`${origin}/orders`))).toEqual({ kind: 'not_sent', code: 'tls_failed' })
    expect(requests()).toBe(0)
  })

  it.each([
    ['does not speak TLS', (socket: Socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['hangs up during the handshake', (socket: Socket) => socket.once('data', () => socket.end())],
    ['resets during the handshake', (socket: Socket) => socket.once('data', () => socket.resetAndDestroy())],
  ])('gets nothing when it %s', async (_, misbehave) => {
    const server = await serve(
      () => {},
      (socket) => void misbehave(socket),
    )
    const origin = `https://skill.example:${server.port}`
    const caller = openCaller({ devOrigins: [origin], resolve: loopback })
    const reply = await caller.call(callOf(`${origin}/orders`))
    expect(reply.kind).toBe('not_sent')
    expect(server.requests).toEqual([])
  })
})

describe('openHttpSkillCaller', () => {
  it('does not start with an allow-list that is not exact', () => {
    expect(() => openHttpSkillCaller({ devOrigins: ['http://127.0.0.1:4001/'] })).toThrow(RangeError)
  })
})
