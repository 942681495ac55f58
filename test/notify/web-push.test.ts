import { statSync } from 'node:fs'
import { join } from 'node:path'
import { decodeJwt, importJWK, jwtVerify } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openReachKeys } from '../../src/keys/reach-keys.ts'
import { openWebPush } from '../../src/notify/web-push-carrier.ts'
import type { Delivery, PushCarrier } from '../../src/ports/carriers.ts'
import type { SkillCaller } from '../../src/ports/skill-caller.ts'
import { openHttpSkillCaller } from '../../src/skills/http-skill.ts'
import { type HttpEndpoint, startHttpEndpoint } from '../support/http-endpoint.ts'
import { createPushBrowser } from '../support/push-browser.ts'
import { REACH_KEYS as keys } from '../support/reach-keys.ts'
import { tempFolder } from '../support/temp-folder.ts'

const NOW_MS = Date.now()
const DELIVERY: Delivery = {
  messageId: 'msg_0123456789abcdefghjkmnpqrstvwxyz012',
  userId: 'usr_a',
  kind: 'approval_waiting',
  subjects: ['apr_1'],
  openUrl: 'https://broker.example/approvals/apr_1',
  locale: 'en',
  createdAtMs: NOW_MS,
  expiresAtMs: NOW_MS + 900_000,
}

let endpoint: HttpEndpoint
let caller: SkillCaller
let push: PushCarrier
const browser = createPushBrowser()

describe('Web Push', () => {
  beforeEach(async () => {
    endpoint = await startHttpEndpoint()
    caller = openHttpSkillCaller({ devOrigins: [endpoint.origin] })
    push = openWebPush({ caller, vapid: keys.vapid, contact: 'https://broker.example', nowMs: () => NOW_MS })
  })
  afterEach(async () => {
    await caller.close()
    await endpoint.close()
  })

  const here = () => browser.subscription(`${endpoint.origin}/push/1`)

  it('reaches the browser alone, with nothing in it but that something waits', async () => {
    expect(await push.carry(here(), DELIVERY)).toEqual({ kind: 'delivered' })
    const [request] = endpoint.received
    expect(request?.path).toBe('/push/1')
    expect(request?.headers).toMatchObject({ 'content-encoding': 'aes128gcm', ttl: '900', urgency: 'high' })
    expect(request?.body.includes('approval')).toBe(false)
    expect(browser.open(request?.body ?? Buffer.alloc(0))).toEqual({
      id: DELIVERY.messageId,
      title: 'An agent waits for your answer',
      body: 'It may not go on until you say yes or no. Sign in to see exactly what it wants to do.',
      url: DELIVERY.openUrl,
    })
  })

  it('speaks the language of the channel, and says how many wait', async () => {
    await push.carry(here(), { ...DELIVERY, locale: 'zh', subjects: ['apr_1', 'apr_2'] })
    expect(browser.open(endpoint.received[0]?.body ?? Buffer.alloc(0))).toMatchObject({
      title: '有智能体在等你的答复',
      body: expect.stringContaining('有 2 个问题在等待'),
    })
  })

  it('is signed with the key the browser subscribed with', async () => {
    await push.carry(here(), DELIVERY)
    const [, token = '', key = ''] =
      /^vapid t=([^,]+), k=(.+)$/.exec(endpoint.received[0]?.headers.authorization ?? '') ?? []
    expect(key).toBe(push.publicKey)
    const point = Buffer.from(key, 'base64url')
    const jwk = {
      kty: 'EC',
      crv: 'P-256',
      x: point.subarray(1, 33).toString('base64url'),
      y: point.subarray(33).toString('base64url'),
    }
    await jwtVerify(token, await importJWK(jwk, 'ES256'))
    expect(decodeJwt(token)).toMatchObject({ aud: endpoint.origin, sub: 'https://broker.example' })
  })

  it.each([
    [404, { kind: 'gone' }],
    [410, { kind: 'gone' }],
    [400, { kind: 'refused' }],
    [413, { kind: 'refused' }],
    [500, { kind: 'later' }],
    [302, { kind: 'refused' }],
  ])('takes a %i for what it means', async (status, carried) => {
    endpoint.answerNext({ status, headers: status === 302 ? { location: 'http://127.0.0.1:1/' } : {} })
    expect(await push.carry(here(), DELIVERY)).toEqual(carried)
    expect(endpoint.received).toHaveLength(1)
  })

  it('waits as long as the push service asks', async () => {
    endpoint.answerNext({ status: 429, headers: { 'retry-after': '120' } })
    expect(await push.carry(here(), DELIVERY)).toEqual({ kind: 'later', afterMs: NOW_MS + 120_000 })
  })

  it.each([
    'http://127.0.0.1:1/x',
    'https://127.0.0.1/x',
    'https://169.254.169.254/latest/meta-data',
    'https://[::1]/x',
    'https://localhost/x',
    'http://push.example.com/x',
    'https://user@push.example.com/x',
    'file:///etc/passwd',
    'https://0x7f000001/',
  ])('calls nothing at %s', async (address) => {
    expect(await push.carry(browser.subscription(address), DELIVERY)).toEqual({ kind: 'gone' })
  })

  it('forgets a subscription with keys nothing can be encrypted for', async () => {
    const broken = JSON.stringify({
      endpoint: `${endpoint.origin}/1`,
      keys: { p256dh: 'AAAA', auth: 'AAAA' },
    })
    expect(await push.carry(broken, DELIVERY)).toEqual({ kind: 'gone' })
    expect(endpoint.received).toHaveLength(0)
  })

  it('keeps its keys in a file for their owner alone', () => {
    const path = join(tempFolder(), 'reach-keys.json')
    const made = openReachKeys(path)
    expect(statSync(path).mode & 0o077).toBe(0)
    expect(openReachKeys(path).vapid).toEqual(made.vapid)
    expect(openReachKeys(path).webhook.kid).toBe(made.webhook.kid)
  })
})
