import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '../../src/demo/free-port.ts'
import { mintCall } from '../sdk/call-fixture.ts'
import { createTestSigner } from '../support/test-broker-keys.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const README = readFileSync(join(ROOT, 'README.md'), 'utf8')
const SNIPPETS = [...README.matchAll(/^```ts\n(.*?)^```/gms)]
  .map(([, code]) => code ?? '')
  .filter((code) => code.includes('createSkillGuard('))
const BODY = '{"price":1800,"tea":"oolong"}'

const { signer } = createTestSigner()
let broker: Server
let brokerUrl: string
// In a folder of the checkout, where the paths and packages of the snippets are found.
const folder = mkdtempSync(join(ROOT, 'test', 'docs', 'snippet-'))

beforeAll(async () => {
  broker = createServer((_request, response) => response.end(JSON.stringify(signer.jwks())))
  await new Promise<void>((resolve) => broker.listen(0, '127.0.0.1', resolve))
  const address = broker.address()
  brokerUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
  broker.closeAllConnections()
  broker.close()
})

/** Runs a snippet as a reader would, with the addresses of this test. */
async function start(code: string): Promise<{ url: string; process: ChildProcess }> {
  const url = `http://127.0.0.1:${await freePort(0)}`
  const file = join(folder, `server-${new URL(url).port}.ts`)
  const own = code
    .replaceAll('http://localhost:8787', brokerUrl)
    .replaceAll('http://127.0.0.1:9200', url)
    .replaceAll('9200', new URL(url).port)
    .replaceAll("'../src/", "'../../../src/")
  writeFileSync(file, own)
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'inherit', 'inherit'] })
  while (child.exitCode === null && !(await answers(url))) await new Promise(setImmediate)
  return { url, process: child }
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    () => true,
    () => false,
  )
}

describe('the servers of the README', () => {
  it('are one each for node:http, Hono and Express', () => {
    expect(SNIPPETS.map((code) => /node:http|Hono|express/.exec(code)?.[0])).toEqual([
      'node:http',
      'Hono',
      'express',
    ])
  })

  it.each([
    ['node:http', 0],
    ['Hono', 1],
    ['Express', 2],
  ])('let a permitted call through, and nothing else: %s', async (_, index) => {
    const { url, process: child } = await start(SNIPPETS[index] ?? '')
    try {
      const endpoint = `${url}/orders`
      const input = { issuer: brokerUrl, endpoint, executionId: 'exe_tea', body: Buffer.from(BODY) }
      const token = await mintCall(signer, {
        input,
        promise: { issuer: brokerUrl, mergeByMs: Date.now() + 5_000 },
        mintedAtMs: Date.now(),
      })
      const post = (headers: Record<string, string>) =>
        fetch(endpoint, {
          method: 'POST',
          body: BODY,
          headers: { 'content-type': 'application/json', ...headers },
        })
      const stranger = await post({})
      expect([stranger.status, await stranger.json()]).toEqual([401, { error: { code: 'token_missing' } }])
      const permitted = await post({ authorization: `Bearer ${token}` })
      expect([permitted.status, await permitted.json()]).toEqual([
        200,
        { order_id: 'exe_tea', charged: 1800 },
      ])
      const again = await post({ authorization: `Bearer ${token}` })
      expect([again.status, await again.json()]).toEqual([401, { error: { code: 'replayed' } }])
    } finally {
      child.kill()
    }
  })
})
