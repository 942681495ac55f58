import { createHash, createPublicKey, verify } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openWebhook } from '../../src/notify/signed-webhook.ts'
import type { Carrier, Delivery } from '../../src/ports/carriers.ts'
import type { SkillCaller } from '../../src/ports/skill-caller.ts'
import { openHttpSkillCaller } from '../../src/skills/http-skill.ts'
import { type HttpEndpoint, type Received, startHttpEndpoint } from '../support/http-endpoint.ts'
import { REACH_KEYS as keys } from '../support/reach-keys.ts'

const NOW_MS = 1_800_000_000_000
const DELIVERY: Delivery = {
  messageId: 'msg_1',
  userId: 'usr_a',
  kind: 'incident',
  subjects: ['inc_1'],
  openUrl: 'https://broker.example/me',
  locale: 'en',
  createdAtMs: NOW_MS,
  expiresAtMs: NOW_MS + 1000,
}

let app: HttpEndpoint
let caller: SkillCaller
let webhook: Carrier

/** RFC 9421 section 3.2, by hand: the base is rebuilt from what arrived, never from what was meant. */
function isSigned(request: Received, origin: string): boolean {
  const input = String(request.headers['signature-input'])
  const [, params = ''] = /^sig=(\(.*)$/.exec(input) ?? []
  const covered = [...(/^\(([^)]*)\)/.exec(params)?.[1] ?? '').matchAll(/"([^"]+)"/g)].map(
    ([, name]) => name ?? '',
  )
  const values: Record<string, string> = {
    '@method': request.method,
    '@target-uri': `${origin}${request.path}`,
  }
  const lines = covered.map((name) => `"${name}": ${values[name] ?? String(request.headers[name])}`)
  const base = [...lines, `"@signature-params": ${params}`].join('\n')
  const [, signature = ''] = /^sig=:(.*):$/.exec(String(request.headers.signature)) ?? []
  const digest = `sha-256=:${createHash('sha256').update(request.body).digest('base64')}:`
  const { x, kty, crv } = keys.webhook.publicJwk
  const key = createPublicKey({ key: { x, kty, crv }, format: 'jwk' })
  const coversAll = ['@method', '@target-uri', 'content-digest'].every((name) => covered.includes(name))
  return (
    coversAll &&
    request.headers['content-digest'] === digest &&
    verify(null, Buffer.from(base), key, Buffer.from(signature, 'base64'))
  )
}

describe('the webhook of the platform’s own app', () => {
  beforeEach(async () => {
    app = await startHttpEndpoint()
    caller = openHttpSkillCaller({ devOrigins: [app.origin] })
    const { key, kid } = keys.webhook
    webhook = openWebhook({
      url: `${app.origin}/hook?from=countersign`,
      caller,
      key,
      kid,
      nowMs: () => NOW_MS,
    })
  })
  afterEach(async () => {
    await caller.close()
    await app.close()
  })

  it('is signed over method, target and content', async () => {
    expect(await webhook.carry('', DELIVERY)).toEqual({ kind: 'delivered' })
    const [request] = app.received
    if (!request) throw new Error('nothing arrived')
    expect(isSigned(request, app.origin)).toBe(true)
    expect(request.headers['signature-input']).toContain(`keyid="${keys.webhook.kid}"`)
    expect(request.headers['signature-input']).toContain(`created=${NOW_MS / 1000}`)
    expect(isSigned({ ...request, path: '/other' }, app.origin)).toBe(false)
    expect(isSigned({ ...request, body: Buffer.from('{}') }, app.origin)).toBe(false)
    expect(isSigned({ ...request, method: 'GET' }, app.origin)).toBe(false)
  })

  it('holds ids and a kind, and nothing else', async () => {
    await webhook.carry('', DELIVERY)
    expect(JSON.parse(String(app.received[0]?.body))).toEqual({
      id: 'msg_1',
      user: 'usr_a',
      kind: 'incident',
      subjects: ['inc_1'],
      openUrl: 'https://broker.example/me',
      createdAtMs: NOW_MS,
      expiresAtMs: NOW_MS + 1000,
    })
  })

  it.each([500, 404, 401, 301])('is tried again after a %i: the app can be mended', async (status) => {
    app.answerNext({ status })
    expect(await webhook.carry('', DELIVERY)).toEqual({ kind: 'later' })
  })

  it('gives up on an app that hangs, and goes on', { timeout: 20_000 }, async () => {
    app.answerNext(null)
    expect(await webhook.carry('', DELIVERY)).toEqual({ kind: 'later' })
    expect(await webhook.carry('', DELIVERY)).toEqual({ kind: 'delivered' })
  })
})
