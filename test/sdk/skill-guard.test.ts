import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Signer } from '../../src/ports/signer.ts'
import { createMemoryReplayStore } from '../../src/sdk/replay-store.ts'
import { createSkillGuard, type ReceivedRequest, type SkillGuardOptions } from '../../src/sdk/skill-guard.ts'
import { createTestSigner } from '../support/test-broker-keys.ts'
import { BASE_URL, BODY, type CallChanges, ISSUER, mintCall, NOW_MS } from './call-fixture.ts'

const { signer } = createTestSigner()

function openGuard(changes: Partial<SkillGuardOptions> = {}) {
  const now = changes.now ?? (() => NOW_MS)
  return createSkillGuard({ issuer: ISSUER, baseUrl: BASE_URL, keys: signer.jwks(), now, ...changes })
}

function requestOf(token: string, changes: Partial<ReceivedRequest> = {}): ReceivedRequest {
  return { method: 'POST', url: '/api/orders', authorization: `Bearer ${token}`, body: BODY, ...changes }
}

async function codeOf(
  token: string,
  changes: Partial<ReceivedRequest> = {},
  options: Partial<SkillGuardOptions> = {},
) {
  const verdict = await openGuard(options).verify(requestOf(token, changes))
  return verdict.ok ? 'ok' : verdict.code
}

/** Signs claims no broker of ours would sign. */
async function resign(token: string, changes: object, typ?: string, purpose: 'action' | 'access' = 'action') {
  const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
  return signer.sign(purpose, { typ: typ ?? 'countersign-action+jwt' }, Object.assign({}, claims, changes))
}

describe('a call the broker permitted', () => {
  it('gets through, with everything it says', async () => {
    const verdict = await openGuard({ logOrigin: 'broker.example/log' }).verify(
      requestOf(await mintCall(signer)),
    )
    expect(verdict).toMatchObject({
      ok: true,
      call: {
        kind: 'action',
        skillId: 'coffee.order',
        action: 'place_order',
        manifestDigest: 'sha256:abc',
        userId: 'usr_pairwise',
        brokerKey: 'key_1',
        executionId: 'exe_1',
        amountMinor: 3380,
        currency: 'CNY',
        leafHash: Buffer.alloc(32, 7).toString('base64url'),
        promise: { org: 'broker.example/log', mby: NOW_MS / 1000 + 60 },
      },
    })
    expect(verdict.ok && verdict.call.retainUntilMs.get('order_history')).toBe(NOW_MS + 86_400_000)
  })

  it('may come without an amount, under an absolute URL, and with the scheme in any case', async () => {
    const { endpoint: _, amount: __, ...rest } = { endpoint: '', amount: undefined }
    const token = await mintCall(signer, { input: rest })
    expect(await codeOf(token, { url: 'http://10.0.0.7:3000/api/orders' })).toBe('ok')
    expect(await codeOf(token, { authorization: `bearer ${token}` })).toBe('ok')
  })

  it.each(['preview', 'status', 'cancel', 'undo', 'stop'] as const)('says when it is a %s', async (kind) => {
    const verdict = await openGuard().verify(requestOf(await mintCall(signer, { input: { kind } })))
    expect(verdict).toMatchObject({ ok: true, call: { kind } })
  })
})

describe('a call nobody permitted', () => {
  it.each([
    ['another method', {}, { method: 'GET' }, 'method_not_allowed'],
    ['no token', {}, { authorization: undefined }, 'token_missing'],
    ['another scheme', {}, { authorization: 'Basic YTpi' }, 'token_missing'],
    ['changed bytes', {}, { body: Buffer.from('{"item":"latte" }') }, 'body_changed'],
    ['no bytes', {}, { body: Buffer.alloc(0) }, 'body_changed'],
    ['another path', {}, { url: '/api/refunds' }, 'wrong_audience'],
    ['a longer path', {}, { url: '/api/orders/' }, 'wrong_audience'],
    ['another spelling of the path', {}, { url: '/api/%6frders' }, 'wrong_audience'],
    ['a query', {}, { url: '/api/orders?free=1' }, 'wrong_audience'],
    [
      'a token for another host',
      { input: { endpoint: 'https://tea.example/api/orders' } },
      {},
      'wrong_audience',
    ],
    [
      'a token for this host by http',
      { input: { endpoint: 'http://coffee.example/api/orders' } },
      {},
      'wrong_audience',
    ],
    [
      'a token for another port',
      { input: { endpoint: 'https://coffee.example:444/api/orders' } },
      {},
      'wrong_audience',
    ],
    [
      'a path outside the base',
      { input: { endpoint: 'https://coffee.example/apiary' } },
      { url: '/apiary' },
      'wrong_audience',
    ],
    ['another issuer', { input: { issuer: 'https://evil.example' } }, {}, 'wrong_issuer'],
    ['a promise by another issuer', { promise: { issuer: 'https://evil.example' } }, {}, 'promise_mismatch'],
    ['a promise for another leaf', { promise: { leafHash: Buffer.alloc(32, 8) } }, {}, 'promise_mismatch'],
    [
      'a promise for next year',
      { promise: { mergeByMs: NOW_MS + 365 * 86_400_000 } },
      {},
      'promise_mismatch',
    ],
    ['something that is no promise', { input: { promise: 'a.b.c' } }, {}, 'promise_invalid'],
  ] satisfies [string, CallChanges, Partial<ReceivedRequest>, string][])(
    'is refused with %s',
    async (_, minted, request, code) => {
      expect(await codeOf(await mintCall(signer, minted), request)).toBe(code)
    },
  )

  it.each([
    ['just young enough', 0, 64_999, 'ok'],
    ['expired', 0, 65_000, 'expired'],
    ['just old enough', 5_000, 0, 'ok'],
    ['not yet valid', 6_000, 0, 'not_yet_valid'],
  ])('is judged by its age: %s', async (_, mintedAfterMs, readAfterMs, code) => {
    const token = await mintCall(signer, { mintedAtMs: NOW_MS + mintedAfterMs })
    expect(await codeOf(token, {}, { now: () => NOW_MS + readAfterMs })).toBe(code)
  })

  it.each([
    ['a lifetime of an hour', { exp: NOW_MS / 1000 + 3600 }, 'lifetime_too_long'],
    ['an end before its beginning', { exp: NOW_MS / 1000 - 1 }, 'lifetime_too_long'],
    ['a later beginning', { nbf: NOW_MS / 1000 + 30 }, 'not_yet_valid'],
    ['several audiences', { aud: [`${BASE_URL}/orders`, 'https://evil.example'] }, 'invalid_claims'],
    ['no audience', { aud: undefined }, 'invalid_claims'],
    ['no expiry', { exp: undefined }, 'invalid_claims'],
    ['an expiry in words', { exp: 'tomorrow' }, 'invalid_claims'],
    ['no id', { jti: undefined }, 'invalid_claims'],
    ['no user', { sub: undefined }, 'invalid_claims'],
    ['no leaf', { lfh: undefined }, 'invalid_claims'],
    ['no promise', { prm: undefined }, 'invalid_claims'],
    ['no digest of its bytes', { bod: undefined }, 'invalid_claims'],
    ['no execution', { exe: undefined }, 'invalid_claims'],
    ['an unknown kind', { kin: 'refund' }, 'invalid_claims'],
    ['an amount without a currency', { cur: undefined }, 'invalid_claims'],
    ['a negative amount', { amt: -1 }, 'invalid_claims'],
  ])('is refused with %s, although well signed', async (_, changes, code) => {
    expect(await codeOf(await resign(await mintCall(signer), changes))).toBe(code)
  })

  it('is refused when it carries another token of the broker', async () => {
    const token = await mintCall(signer)
    expect(await codeOf(await resign(token, {}, 'at+jwt', 'access'))).toBe('wrong_type')
    expect(await codeOf(await resign(token, {}, undefined, 'access'))).toBe('wrong_purpose')
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    expect(await codeOf(claims.prm)).toBe('wrong_type')
  })

  it('is refused when its promise is signed with the action key', async () => {
    const prm = await signer.sign(
      'action',
      { typ: 'countersign-promise+jwt' },
      { iss: ISSUER, org: 'x', lfh: 'x', mby: 1 },
    )
    expect(await codeOf(await mintCall(signer, { input: { promise: prm } }))).toBe('promise_invalid')
  })

  it('is refused when it names another log than the one pinned', async () => {
    expect(await codeOf(await mintCall(signer), {}, { logOrigin: 'other.example/log' })).toBe(
      'promise_mismatch',
    )
  })

  it('is refused when another broker signed it', async () => {
    expect(await codeOf(await mintCall(createTestSigner().signer))).toBe('unknown_key')
  })

  it('is refused with alg none and with HS256 keyed by the public key', async () => {
    const [, payload] = (await mintCall(signer)).split('.')
    const { kid, x } = signer.currentKey('action')
    const headerOf = (alg: string) =>
      Buffer.from(JSON.stringify({ alg, kid, typ: 'countersign-action+jwt' })).toString('base64url')
    expect(await codeOf(`${headerOf('none')}.${payload}.`)).toBe('algorithm_refused')
    const input = `${headerOf('HS256')}.${payload}`
    const tag = createHmac('sha256', Buffer.from(x, 'base64url')).update(input).digest('base64url')
    expect(await codeOf(`${input}.${tag}`)).toBe('algorithm_refused')
  })
})

describe('a replay', () => {
  it('is refused while the token lives', async () => {
    const guard = openGuard()
    const request = requestOf(await mintCall(signer))
    expect(await guard.verify(request)).toMatchObject({ ok: true })
    expect(await guard.verify(request)).toEqual({ ok: false, code: 'replayed', status: 401 })
  })

  it('wins only once when both arrive together', async () => {
    const guard = openGuard()
    const request = requestOf(await mintCall(signer))
    const verdicts = await Promise.all([guard.verify(request), guard.verify(request), guard.verify(request)])
    expect(verdicts.filter((verdict) => verdict.ok)).toHaveLength(1)
  })

  it('does not use a token up by spoiling it first', async () => {
    const guard = openGuard()
    const token = await mintCall(signer)
    expect(await guard.verify(requestOf(token, { body: Buffer.from('{}') }))).toMatchObject({
      code: 'body_changed',
    })
    expect(await guard.verify(requestOf(token))).toMatchObject({ ok: true })
  })

  it('is remembered exactly as long as the token would be accepted', async () => {
    const remembered: number[] = []
    const replayStore = { remember: (_: string, expiresAtMs: number) => remembered.push(expiresAtMs) > 0 }
    await openGuard({ replayStore }).verify(requestOf(await mintCall(signer)))
    expect(remembered).toEqual([NOW_MS + 65_000])
  })

  it('cannot be excluded when the store fails or is full, so nothing gets through', async () => {
    const failing = { remember: () => Promise.reject(new Error('down')) }
    expect(await codeOf(await mintCall(signer), {}, { replayStore: failing })).toBe(
      'replay_store_unavailable',
    )
    const full = openGuard({ replayStore: createMemoryReplayStore({ maxEntries: 1, now: () => NOW_MS }) })
    expect(await full.verify(requestOf(await mintCall(signer)))).toMatchObject({ ok: true })
    const second = await full.verify(requestOf(await mintCall(signer)))
    expect(second).toEqual({ ok: false, code: 'replay_store_unavailable', status: 503 })
  })
})

describe('createMemoryReplayStore', () => {
  it('makes room by forgetting what has expired, and nothing else', () => {
    let nowMs = 0
    const store = createMemoryReplayStore({ maxEntries: 2, now: () => nowMs })
    expect(store.remember('a', 100)).toBe(true)
    expect(store.remember('b', 300)).toBe(true)
    expect(store.remember('a', 100)).toBe(false)
    nowMs = 200
    expect(store.remember('c', 400)).toBe(true)
    expect(store.remember('b', 300)).toBe(false)
    expect(() => store.remember('d', 500)).toThrow()
  })
})

describe('key sets by URL', () => {
  const URL = 'https://broker.example/.well-known/jwks.json'

  function openFetching(broker: { signer: Signer; isUp: boolean }) {
    let nowMs = NOW_MS
    let fetches = 0
    const guard = createSkillGuard({
      issuer: ISSUER,
      baseUrl: BASE_URL,
      keys: { url: URL },
      clockSkewSeconds: 5,
      now: () => nowMs,
      async fetch() {
        fetches += 1
        if (!broker.isUp) throw new Error('down')
        return new Response(JSON.stringify(broker.signer.jwks()))
      },
    })
    const call = async (by: Signer) => {
      const verdict = await guard.verify(requestOf(await mintCall(by, { mintedAtMs: nowMs })))
      return verdict.ok ? 'ok' : verdict.code
    }
    const wait = (ms: number) => {
      nowMs += ms
    }
    return { call, fetches: () => fetches, wait }
  }

  it('are fetched once for many calls, also when these arrive together', async () => {
    const { call, fetches } = openFetching({ signer, isUp: true })
    expect(await Promise.all([call(signer), call(signer), call(signer)])).toEqual(['ok', 'ok', 'ok'])
    expect(await call(signer)).toBe('ok')
    expect(fetches()).toBe(1)
  })

  it('are fetched again for a key not seen before, but not with every call', async () => {
    const broker = { signer, isUp: true }
    const { call, fetches, wait } = openFetching(broker)
    await call(signer)
    const rotated = createTestSigner().signer
    broker.signer = rotated
    expect(await call(rotated)).toBe('unknown_key')
    expect(fetches()).toBe(1)
    wait(30_000)
    expect(await call(rotated)).toBe('ok')
    expect(fetches()).toBe(2)
  })

  it('go on being used while the broker is down, and not for ever', async () => {
    const broker = { signer, isUp: true }
    const { call, wait } = openFetching(broker)
    await call(signer)
    broker.isUp = false
    wait(59 * 60_000)
    expect(await call(signer)).not.toBe('keys_unavailable')
    wait(60_000)
    expect(await call(signer)).toBe('keys_unavailable')
    broker.isUp = true
    wait(30_000)
    expect(await call(signer)).not.toBe('keys_unavailable')
  })

  it('that never came let nothing through', async () => {
    const { call } = openFetching({ signer, isUp: false })
    expect(await call(signer)).toBe('keys_unavailable')
  })
})
