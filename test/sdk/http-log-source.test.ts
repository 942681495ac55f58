import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { parseTilePath } from '../../src/core/merkle/tile.ts'
import { followLog } from '../../src/sdk/follow-log.ts'
import { httpLogSource } from '../../src/sdk/http-log-source.ts'
import { type LogTrust, verifyLog } from '../../src/sdk/verify-log.ts'
import { type MemoryLog, memoryLog, TEST_LOG } from '../support/memory-log.ts'

const TRUST: LogTrust = { logKey: TEST_LOG.key }
const stops: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

interface Answer {
  readonly status: number
  readonly body?: Buffer | string
  readonly headers?: Record<string, string>
}

/** Serves `answer` on loopback below /log and lists the requests as `path token`. */
async function serve(answer: (path: string) => Promise<Answer> | Answer) {
  const requests: string[] = []
  const server = createServer(async (request, response) => {
    const path = (request.url ?? '').replace('/log/', '')
    requests.push(`${path} ${request.headers.authorization ?? '-'}`)
    const { status, body, headers } = await answer(path)
    response.writeHead(status, headers).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  stops.push(() => new Promise((resolve) => server.close(() => resolve())))
  const { port } = server.address() as AddressInfo
  return { prefix: `http://127.0.0.1:${port}/log`, requests }
}

async function fromLog(log: MemoryLog, path: string): Promise<Answer> {
  if (path === 'checkpoint') return { status: 200, body: log.note }
  const ref = parseTilePath(path)
  if (ref === undefined) return { status: 404 }
  const { level, index, width } = ref
  const body = level === 'entries' ? await log.entries(index, width) : await log.tile(level, index, width)
  return { status: 200, body }
}

function entries(count: number): Buffer[] {
  return Array.from({ length: count }, (_, i) => Buffer.from(`{"v":1,"n":${i}}`))
}

describe('a log served over HTTP', () => {
  it('is verified and followed, the token sent with entry bundles only', async () => {
    const log = memoryLog(entries(600))
    const { prefix, requests } = await serve((path) => fromLog(log, path))
    const source = httpLogSource(`${prefix}/`, { token: 'secret' })
    expect((await verifyLog(source, TRUST)).kind).toBe('verified')
    expect((await followLog(memoryLog(entries(300)).note, source, TRUST)).kind).toBe('grown')
    expect(requests).toContain('tile/entries/000 Bearer secret')
    const withToken = requests.filter((request) => request.endsWith('secret'))
    expect(withToken.every((request) => request.includes('entries'))).toBe(true)
  })

  it('may have dropped its partial tiles: the full ones begin with the same hashes', async () => {
    const older = memoryLog(entries(300))
    const newer = memoryLog(entries(512))
    const { prefix, requests } = await serve((path) =>
      path.includes('/001.p/') ? { status: 404 } : fromLog(path === 'checkpoint' ? older : newer, path),
    )
    const verdict = await verifyLog(httpLogSource(prefix), TRUST)
    expect(verdict).toMatchObject({ kind: 'verified', checkpoint: { treeSize: 300 } })
    expect(requests).toContain('tile/entries/001 -')
  })

  it('may compress, which is undone within bounds', async () => {
    const log = memoryLog(entries(3))
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024))
    const served = await serve(async (path) => {
      const { body = '' } = await fromLog(log, path)
      const packed = path.startsWith('tile/0') ? bomb : gzipSync(body)
      return { status: 200, body: packed, headers: { 'content-encoding': 'gzip' } }
    })
    const verdict = await verifyLog(httpLogSource(served.prefix), TRUST)
    expect(verdict).toMatchObject({ fault: { code: 'unavailable', path: 'tile/0/000.p/3' } })
    expect(verdict.kind === 'fault' && 'detail' in verdict.fault && verdict.fault.detail).toMatch(
      /longer than 8192/,
    )
  })

  it.each([
    ['404', { status: 404 }],
    ['403', { status: 403, body: 'no' }],
    ['500', { status: 500 }],
    ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }],
    ['an endless checkpoint', { status: 200, body: Buffer.alloc(300 * 1024) }],
    ['a checkpoint that is not UTF-8', { status: 200, body: Buffer.from([0xff, 0xfe, 0x0a]) }],
  ])('is unavailable, not at fault, when it answers with %s', async (_, answer) => {
    const { prefix } = await serve(() => answer)
    const verdict = await verifyLog(httpLogSource(prefix), TRUST)
    expect(verdict).toMatchObject({ kind: 'fault', fault: { code: 'unavailable', path: 'checkpoint' } })
  })
})
