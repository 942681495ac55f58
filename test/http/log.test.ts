import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseVkey } from '../../src/core/merkle/note-key.ts'
import { verifyConsistency, verifyInclusion } from '../../src/core/merkle/proof.ts'
import { httpLogSource } from '../../src/sdk/http-log-source.ts'
import { verifyLog } from '../../src/sdk/verify-log.ts'
import { createTestApp, HOST, type TestApp } from '../support/test-app.ts'

let test: TestApp
const sizes: number[] = []
const roots: Buffer[] = []
beforeAll(async () => {
  test = await createTestApp()
  const token = await test.tokenFor({ kind: 'user' })
  for (const count of [3, 300]) {
    for (let index = 0; index < count; index += 1) {
      const body = { timeZone: index % 2 ? 'Asia/Shanghai' : 'Europe/Berlin' }
      await test.call('PUT', '/v1/me/time-zone', { token, body })
    }
    const { treeSize, rootHash } = await test.publisher.publishNow()
    sizes.push(treeSize)
    roots.push(rootHash)
  }
})
afterAll(() => test.close())

/** The app in the place of a network. */
const served: typeof fetch = async (input, init) => test.app.request(String(input), init, {})

describe('the log over HTTP', () => {
  it('is audited by a tool that knows nothing but C2SP tlog-tiles', async () => {
    const vkey = (await test.call('GET', '/log/vkey')).text.trim()
    const token = await test.tokenFor({ kind: 'user', scopes: ['log:read'] })
    const source = httpLogSource(`https://${HOST}/log`, { token, fetch: served })
    const logKey = parseVkey(vkey)
    if (!logKey) throw new Error('no verifier key is served')
    const report = await verifyLog(source, { logKey })
    expect(report).toMatchObject({ kind: 'verified', checkpoint: { treeSize: 303 } })
  })

  it('gives leaves to operators and to those with the scope, and to nobody else', async () => {
    const path = '/log/tile/entries/000'
    expect((await test.call('GET', path)).status).toBe(401)
    for (const kind of ['user', 'agent'] as const) {
      const without = await test.call('GET', path, { token: await test.tokenFor({ kind }) })
      expect([without.status, without.body.code]).toEqual([403, 'scope_required'])
      const other = await test.tokenFor({ kind, scopes: ['log:write', 'log'] })
      expect((await test.call('GET', path, { token: other })).status).toBe(403)
    }
    const operator = await test.call('GET', path, { token: await test.tokenFor({ kind: 'operator' }) })
    expect(operator.status).toBe(200)
    expect(operator.headers.get('cache-control')).toBe('no-store')
    for (const sneaky of ['/log/tile//entries/000', '/log/tile/%65ntries/000', '/log/tile/./entries/000']) {
      expect([401, 404]).toContain((await test.call('GET', sneaky)).status)
    }
  })

  it('serves full tiles for ever, and only the one spelling of each', async () => {
    const full = await test.call('GET', '/log/tile/0/000')
    expect([full.status, full.headers.get('cache-control')]).toEqual([
      200,
      'public, max-age=31536000, immutable',
    ])
    const partial = await test.call('GET', '/log/tile/0/001.p/47')
    expect([partial.status, partial.headers.get('cache-control')]).toEqual([200, 'no-store'])
    for (const name of [
      '0/001',
      '0/001.p/48',
      '0/x000/000',
      '00/000',
      '64/000',
      '0/0',
      '0/000.p/256',
      '0/000/',
      '-1/000',
    ]) {
      expect([name, (await test.call('GET', `/log/tile/${name}`)).status]).toEqual([name, 404])
    }
  })

  it('proves inclusion and consistency', async () => {
    const [from = 0, to = 0] = sizes
    const hashes = await test.broker.store.read(async (tx) => tx.log.leafHashes(2, 1))
    const inclusion = await test.call('GET', '/log/proof/inclusion?leafIndex=2')
    const proof = (inclusion.body.proof as string[]).map((hash) => Buffer.from(hash, 'base64'))
    const { rootHash } = await test.broker.store.treeHead()
    expect(inclusion.body).toMatchObject({ leafIndex: 2, treeSize: to })
    expect(verifyInclusion(hashes[0] ?? Buffer.alloc(0), 2, to, proof, rootHash)).toBe(true)
    const consistency = await test.call('GET', `/log/proof/consistency?from=${from}&to=${to}`)
    expect(consistency.status).toBe(200)
    const path = (consistency.body.proof as string[]).map((hash) => Buffer.from(hash, 'base64'))
    expect(verifyConsistency(from, to, path, roots[0] ?? Buffer.alloc(0), rootHash)).toBe(true)
    for (const query of ['leafIndex=303', 'leafIndex=0&treeSize=304', 'event=evt_unknown']) {
      expect((await test.call('GET', `/log/proof/inclusion?${query}`)).status).toBe(404)
    }
    for (const query of ['', 'leafIndex=-1', 'leafIndex=1.5', 'leafIndex=1&event=e', 'leafIndex=01']) {
      expect((await test.call('GET', `/log/proof/inclusion?${query}`)).status).toBe(400)
    }
    expect((await test.call('GET', '/log/proof/consistency?from=4&to=3')).status).toBe(404)
  })
})
