import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { contentDigest } from '../../src/core/http-signature/content-digest.ts'
import {
  EVENT_COMPONENTS,
  EVENT_TAG,
  type SigningParameters,
  signatureHeaders,
  signatureInput,
} from '../../src/core/http-signature/event-signature.ts'
import { signatureBase } from '../../src/core/http-signature/signature-base.ts'
import {
  createWebhookVerifier,
  type ReceivedWebhook,
  type VerifyWebhook,
} from '../../src/sdk/verify-webhook.ts'

const NOW_MS = Date.UTC(2026, 10, 23, 8, 0, 0)
const NOW = NOW_MS / 1000
const URL_TOLD = 'https://skill.example/countersign/events?x=1'
const ISSUER = 'https://broker.example'
const EVENT = {
  id: 'evd_1',
  issuer: ISSUER,
  type: 'authority.revoked',
  atMs: NOW_MS,
  skill: 'coffee.order',
  user: 'pairwise',
  everything: true,
  grants: [{ status: { uri: 'https://broker.example/status-lists/1-0', idx: 7 } }],
  executions: [],
}

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg: 'EdDSA' }

type Change = {
  body?: string
  sentBody?: string
  method?: string
  signedFor?: string
  components?: readonly string[]
  parameters?: Partial<SigningParameters>
  key?: KeyObject
  headers?: Record<string, string | undefined>
}

function received(change: Change = {}): ReceivedWebhook {
  const body = Buffer.from(change.body ?? JSON.stringify(EVENT))
  const headers = { 'content-type': 'application/json', 'content-digest': contentDigest(body) }
  const input = signatureInput(change.components ?? EVENT_COMPONENTS, {
    created: NOW,
    expires: NOW + 120,
    nonce: 'AAAAAAAAAAAAAAAAAAAAAA',
    keyid: 'k1',
    tag: EVENT_TAG,
    ...change.parameters,
  })
  const message = { method: 'POST', targetUri: change.signedFor ?? URL_TOLD, headers }
  const signature = sign(null, Buffer.from(signatureBase(message, input) ?? ''), change.key ?? privateKey)
  return {
    method: change.method ?? 'POST',
    headers: { ...headers, ...signatureHeaders(input, signature), ...change.headers },
    body: Buffer.from(change.sentBody ?? body),
  }
}

function verifier(purpose = 'event', now = () => NOW_MS): VerifyWebhook {
  return createWebhookVerifier({
    url: URL_TOLD,
    issuer: ISSUER,
    keys: { keys: [{ ...jwk, cs_purpose: purpose }] },
    now,
  })
}

describe('a webhook as its receiver verifies it', () => {
  let verify: VerifyWebhook
  beforeEach(() => {
    verify = verifier()
  })

  it('gives the event, and what to answer with', async () => {
    expect(await verify(received())).toEqual({
      ok: true,
      event: EVENT,
      confirmation: { confirmed: 'evd_1' },
    })
  })

  it('refuses the same request a second time, and takes the same event signed anew', async () => {
    await verify(received())
    expect(await verify(received())).toMatchObject({ ok: false, code: 'replayed' })
    const again = received({ parameters: { nonce: 'BBBBBBBBBBBBBBBBBBBBBB' } })
    expect(await verify(again)).toMatchObject({ ok: true, event: { id: 'evd_1' } })
  })

  it('does not let a forged request use up the nonce of the real one', async () => {
    expect(await verify(received({ sentBody: '{}' }))).toMatchObject({ code: 'digest_mismatch' })
    expect(await verify(received())).toMatchObject({ ok: true })
  })

  it.each<[string, Change, string]>([
    ['no signature', { headers: { signature: undefined } }, 'signature_missing'],
    ['a signature that does not parse', { headers: { 'signature-input': 'sig=(' } }, 'signature_malformed'],
    ['another body', { sentBody: '{"id":"other"}' }, 'digest_mismatch'],
    ['another method', { method: 'PUT' }, 'bad_signature'],
    ['a request signed for another address', { signedFor: 'https://other.example/' }, 'bad_signature'],
    ['another query', { signedFor: 'https://skill.example/countersign/events?x=2' }, 'bad_signature'],
    ['a body that is not covered', { components: ['@method', '@target-uri', 'content-type'] }, 'not_covered'],
    [
      'an address that is not covered',
      { components: ['@method', 'content-digest', 'content-type'] },
      'not_covered',
    ],
    ['a signature for something else', { parameters: { tag: 'web-bot-auth' } }, 'wrong_tag'],
    ['a key nobody published', { parameters: { keyid: 'k2' } }, 'unknown_key'],
    ['an expired one', { parameters: { created: NOW - 300, expires: NOW - 180 } }, 'expired'],
    ['one from the future', { parameters: { created: NOW + 60, expires: NOW + 120 } }, 'not_yet_valid'],
    ['one that would be good for a year', { parameters: { expires: NOW + 31_536_000 } }, 'lives_too_long'],
    ['a short nonce', { parameters: { nonce: 'A' } }, 'signature_malformed'],
    ['another key under the known name', { key: generateKeyPairSync('ed25519').privateKey }, 'bad_signature'],
    [
      'another broker',
      { body: JSON.stringify({ ...EVENT, issuer: 'https://evil.example' }) },
      'other_issuer',
    ],
    [
      'an event nobody knows',
      { body: JSON.stringify({ ...EVENT, type: 'authority.granted' }) },
      'malformed_event',
    ],
    ['a body that is no JSON', { body: 'hello' }, 'malformed_event'],
  ])('refuses %s', async (_, change, code) => {
    expect(await verify(received(change))).toMatchObject({ ok: false, code })
  })

  it('takes a key for events alone, whoever published it', async () => {
    expect(await verifier('action')(received())).toMatchObject({ ok: false, code: 'unknown_key' })
  })

  it('refuses two signatures under one tag, of which a proxy may have added one', async () => {
    const good = received()
    const input = String(good.headers['signature-input'])
    const headers = {
      ...good.headers,
      'signature-input': `${input}, b=${input.slice('sig='.length)}`,
      signature: `${String(good.headers.signature)}, b=:AAAA:`,
    }
    expect(await verify({ ...good, headers })).toMatchObject({ code: 'signature_malformed' })
  })

  it('lets no change to a signed header or parameter through', async () => {
    const good = received()
    const changed = String(good.headers['signature-input']).replace('created=', 'created=1')
    expect(await verify({ ...good, headers: { ...good.headers, 'signature-input': changed } })).toMatchObject(
      {
        ok: false,
      },
    )
    const typed = { ...good.headers, 'content-type': 'text/plain' }
    expect(await verify({ ...good, headers: typed })).toMatchObject({ code: 'bad_signature' })
  })

  it('says that it cannot tell when neither keys nor its replay store can be had', async () => {
    const unreachable = createWebhookVerifier({
      url: URL_TOLD,
      issuer: ISSUER,
      keys: { url: 'https://broker.example/keys' },
      fetch: () => Promise.reject(new Error('down')),
      now: () => NOW_MS,
    })
    expect(await unreachable(received())).toMatchObject({ code: 'keys_unavailable', status: 503 })
    const forgetful = createWebhookVerifier({
      url: URL_TOLD,
      issuer: ISSUER,
      keys: { keys: [{ ...jwk, cs_purpose: 'event' }] },
      replayStore: {
        remember: () => {
          throw new Error('full')
        },
      },
      now: () => NOW_MS,
    })
    expect(await forgetful(received())).toMatchObject({ code: 'replay_store_unavailable', status: 503 })
  })
})
