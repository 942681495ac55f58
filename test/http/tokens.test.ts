import {
  createHash,
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { thumbprintOf } from '../../src/core/manifest/public-key.ts'
import { createTestApp, HOST, type TestApp } from '../support/test-app.ts'

let test: TestApp
beforeAll(async () => {
  test = await createTestApp()
})
afterAll(() => test.close())

const b64 = (value: object | string) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

function parts(token: string) {
  const [header = '', payload = '', signature = ''] = token.split('.')
  const read = (part: string) =>
    JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>
  return { header: read(header), payload: read(payload), signature, texts: { header, payload } }
}

async function codeFor(token: string, scheme = 'Bearer', headers: Record<string, string> = {}) {
  const answer = await test.call('GET', '/v1/me', {
    headers: { authorization: `${scheme} ${token}`, ...headers },
  })
  return answer.status === 200 ? 'ok' : answer.body.code
}

/** Signs claims with the broker's own access key, as nobody else can: what is wrong is only what they say. */
async function signed(typ: string, claims: Record<string, unknown>, purpose: 'access' | 'action' = 'access') {
  const good = parts(await test.tokenFor({ kind: 'user' })).payload
  const all = { ...good, ...claims }
  return test.keys.sign(purpose, { typ }, JSON.parse(JSON.stringify(all)))
}

describe('an access token', () => {
  it('is good until the second it expires, also when it is remembered', async () => {
    const own = await createTestApp()
    const token = await own.tokenFor({ kind: 'user' })
    const status = async () => (await own.call('GET', '/v1/me', { token })).status
    expect([await status(), await status()]).toEqual([200, 200])
    own.clock.advance(3_599_999)
    expect(await status()).toBe(200)
    own.clock.advance(1)
    expect(await status()).toBe(401)
    await own.close()
  })

  it('of an agent lives fifteen minutes', async () => {
    const own = await createTestApp()
    const token = await own.tokenFor({ kind: 'agent' })
    own.clock.advance(899_999)
    expect((await own.call('GET', '/v1/actions', { token })).status).toBe(200)
    own.clock.advance(1)
    expect((await own.call('GET', '/v1/actions', { token })).status).toBe(401)
    await own.close()
  })

  const now = Math.floor(Date.UTC(2026, 10, 23, 8) / 1000)
  it.each([
    ['as it should be', 'countersign-user+jwt', {}, 'ok'],
    ['of another issuer', 'countersign-user+jwt', { iss: 'https://other.example' }, 'token_invalid'],
    ['for another audience', 'countersign-user+jwt', { aud: 'https://broker.example' }, 'token_invalid'],
    [
      'for agents by its audience',
      'countersign-user+jwt',
      { aud: 'https://broker.example/agent' },
      'token_invalid',
    ],
    [
      'for several audiences',
      'countersign-user+jwt',
      { aud: ['https://broker.example/user'] },
      'token_invalid',
    ],
    ['that names an agent', 'countersign-user+jwt', { client_id: 'agt_1' }, 'token_invalid'],
    ['without a subject', 'countersign-user+jwt', { sub: '' }, 'token_invalid'],
    [
      'of a subject that is an agent',
      'countersign-user+jwt',
      { sub: `agt_${'0'.repeat(35)}` },
      'token_invalid',
    ],
    ['without a session', 'countersign-user+jwt', { sid: undefined }, 'token_invalid'],
    ['without an expiry', 'countersign-user+jwt', { exp: undefined }, 'token_invalid'],
    ['that lives a second too long', 'countersign-user+jwt', { exp: now + 3_601 }, 'token_invalid'],
    ['that expired before it was issued', 'countersign-user+jwt', { exp: now - 1 }, 'token_invalid'],
    ['from the future', 'countersign-user+jwt', { iat: now + 31, exp: now + 100 }, 'token_invalid'],
    ['from within the clock skew', 'countersign-user+jwt', { iat: now + 30, exp: now + 100 }, 'ok'],
    ['that is not yet valid', 'countersign-user+jwt', { nbf: now + 31 }, 'token_invalid'],
    ['that a plain JWT would be', 'JWT', {}, 'token_invalid'],
    ['of a user with the type of an agent', 'at+jwt', {}, 'token_invalid'],
    ['of a user with the type of an operator', 'countersign-operator+jwt', {}, 'token_invalid'],
    ['that is an action token by its type', 'countersign-action+jwt', {}, 'token_invalid'],
  ])('%s', async (_, typ, claims, code) => {
    expect(await codeFor(await signed(typ, claims))).toBe(code)
  })

  it('cannot be made from an agent’s by changing any one thing', async () => {
    const userId = test.broker.newId('user')
    const agent = parts(await test.tokenFor({ kind: 'agent', userId })).payload
    const asUser = { ...agent, aud: 'https://broker.example/user' }
    expect(await codeFor(await signed('countersign-user+jwt', asUser))).toBe('token_invalid')
    expect(await codeFor(await signed('at+jwt', asUser))).toBe('token_invalid')
    expect(await codeFor(await signed('at+jwt', agent))).toBe('wrong_caller')
  })

  it('signed with a key for something else is none', async () => {
    expect(await codeFor(await signed('countersign-user+jwt', {}, 'action'))).toBe('token_invalid')
  })

  it('with a trick in its header is none', async () => {
    const token = await test.tokenFor({ kind: 'user' })
    const { header, payload, signature, texts } = parts(token)
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const jwk = publicKey.export({ format: 'jwk' })
    const forged = (changed: object, key: KeyObject = privateKey) => {
      const input = `${b64({ ...header, ...changed })}.${texts.payload}`
      return `${input}.${sign(null, Buffer.from(input), key).toString('base64url')}`
    }
    const published = test.keys.jwks().keys.find((key) => key.kid === header.kid)
    const hmacInput = `${b64({ ...header, alg: 'HS256' })}.${texts.payload}`
    const hmac = createHmac('sha256', JSON.stringify(published)).update(hmacInput).digest('base64url')
    for (const [what, text] of [
      ['alg none', `${b64({ ...header, alg: 'none' })}.${texts.payload}.`],
      ['alg NONE with a signature', `${b64({ ...header, alg: 'NONE' })}.${texts.payload}.${signature}`],
      ['HMAC with the public key', `${hmacInput}.${hmac}`],
      ['an own key', forged({ jwk })],
      ['an own key set', forged({ jku: 'https://evil.example/jwks' })],
      ['an own certificate', forged({ x5u: 'https://evil.example/cert' })],
      ['a kid that is a path', forged({ kid: '../../etc/passwd' })],
      ['a kid that is SQL', forged({ kid: "' or 1=1 --" })],
      ['no kid', forged({ kid: undefined })],
      ['crit', `${b64({ ...header, crit: ['exp'] })}.${texts.payload}.${signature}`],
      [
        'another payload',
        `${texts.header}.${b64({ ...payload, sub: test.broker.newId('user') })}.${signature}`,
      ],
      ['no signature', `${texts.header}.${texts.payload}.`],
      ['two signatures', `${token}.${signature}`],
      ['padding', `${token}=`],
      ['an empty text', ''],
      ['a long text', 'a'.repeat(20_000)],
    ] as const) {
      expect([what, await codeFor(text)]).toEqual([what, 'token_invalid'])
    }
    expect(await codeFor(token, 'Basic')).toBe('token_invalid')
    expect(await codeFor(token, 'bearer')).toBe('ok')
    expect(createPublicKey({ key: jwk, format: 'jwk' }).asymmetricKeyType).toBe('ed25519')
  })

  it('for development is refused where that is not configured', async () => {
    const strict = await createTestApp({ app: { allowsDevelopmentTokens: false } })
    const caller = { kind: 'user' } as const
    const dev = await strict.call('GET', '/v1/me', {
      token: await strict.tokenFor(caller, { isDevelopment: true }),
    })
    expect([dev.status, dev.body.code]).toEqual([401, 'token_invalid'])
    const issued = await strict.call('GET', '/v1/me', { token: await strict.tokenFor(caller) })
    expect(issued.status).toBe(200)
    await strict.close()
    expect(await codeFor(await test.tokenFor(caller, { isDevelopment: true }))).toBe('ok')
  })

  it('outlives a rotation of the key, and not its retirement', async () => {
    const own = await createTestApp()
    const token = await own.tokenFor({ kind: 'user' })
    const operator = () => own.tokenFor({ kind: 'operator' })
    const old = own.keys.currentKey('access').kid
    const body = { reason: 'yearly rotation' }
    const path = '/v1/operator/keys/access'
    const rotated = await own.call('POST', `${path}/rotate`, { token: await operator(), body })
    expect([rotated.status, rotated.body.previousKid]).toEqual([200, old])
    expect((await own.call('GET', '/v1/me', { token })).status).toBe(200)
    const current = await own.call('POST', `${path}/${rotated.body.kid}/retire`, {
      token: await operator(),
      body,
    })
    expect([current.status, current.body.code]).toEqual([409, 'key_is_current'])
    const retired = await own.call('POST', `${path}/${old}/retire`, { token: await operator(), body })
    expect(retired.status).toBe(204)
    expect((await own.call('GET', '/v1/me', { token })).body.code).toBe('token_invalid')
    expect((await own.leaves()).map((leaf) => leaf.outcome)).toEqual([
      'key_rotation_begun',
      'key_rotated',
      'key_retired',
    ])
    await own.close()
  })
})

describe('a token bound to a key', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const { x = '' } = publicKey.export({ format: 'jwk' })
  const jwk = { kty: 'OKP', crv: 'Ed25519', x } as const
  const boundTo = thumbprintOf({ ...jwk })
  let token: string
  let count = 0
  const iat = Math.floor(Date.UTC(2026, 10, 23, 8) / 1000)

  beforeAll(async () => {
    token = await test.tokenFor({ kind: 'user' }, { boundTo })
  })

  function proof(
    claims: Record<string, unknown> = {},
    header: Record<string, unknown> = {},
    key: KeyObject = privateKey,
  ): string {
    count += 1
    const all = {
      jti: `proof-number-${count}`,
      htm: 'GET',
      htu: `https://${HOST}/v1/me`,
      iat,
      ath: createHash('sha256').update(token).digest('base64url'),
      ...claims,
    }
    const input = `${b64({ typ: 'dpop+jwt', alg: 'EdDSA', jwk, ...header })}.${b64(all)}`
    return `${input}.${sign(null, Buffer.from(input), key).toString('base64url')}`
  }
  const withProof = (text: string) => codeFor(token, 'DPoP', { dpop: text })

  it('passes with a fresh proof, once', async () => {
    const once = proof()
    expect(await withProof(once)).toBe('ok')
    expect(await withProof(once)).toBe('proof_invalid')
    expect(await withProof(proof({ htu: `https://${HOST}/v1/me?a=b#c` }))).toBe('ok')
    expect(await withProof(proof({ htu: `HTTPS://${HOST.toUpperCase()}:443/v1/me` }))).toBe('ok')
  })

  it('is worth nothing as a bearer token', async () => {
    expect(await codeFor(token)).toBe('proof_invalid')
    expect(await codeFor(token, 'Bearer', { dpop: proof() })).toBe('proof_invalid')
    expect(await codeFor(token, 'DPoP')).toBe('proof_invalid')
    expect(await codeFor(await test.tokenFor({ kind: 'user' }), 'DPoP', { dpop: proof() })).toBe(
      'proof_invalid',
    )
  })

  const other = generateKeyPairSync('ed25519')
  const otherJwk = { kty: 'OKP', crv: 'Ed25519', x: other.publicKey.export({ format: 'jwk' }).x }
  it.each([
    ['for another method', () => proof({ htm: 'POST' })],
    ['for another path', () => proof({ htu: `https://${HOST}/v1/grants` })],
    ['for another host', () => proof({ htu: 'https://evil.example/v1/me' })],
    ['for http', () => proof({ htu: `http://${HOST}/v1/me` })],
    ['for no URL', () => proof({ htu: 'me' })],
    ['for another token', () => proof({ ath: 'A'.repeat(43) })],
    ['without a token hash', () => proof({ ath: undefined })],
    ['without an id', () => proof({ jti: undefined })],
    ['a second too old', () => proof({ iat: iat - 61 })],
    ['from the future', () => proof({ iat: iat + 6 })],
    ['of another type', () => proof({}, { typ: 'JWT' })],
    ['with alg none', () => proof({}, { alg: 'none' })],
    ['with the algorithm of another key', () => proof({}, { alg: 'ES256' })],
    ['that carries the private key', () => proof({}, { jwk: privateKey.export({ format: 'jwk' }) })],
    ['by another key', () => proof({}, { jwk: otherJwk }, other.privateKey)],
    ['by another key under our name', () => proof({}, {}, other.privateKey)],
    ['with an unknown header', () => proof({}, { crit: ['exp'] })],
    ['that is no JWT', () => 'proof'],
    ['twice in one header', () => `${proof()}, ${proof()}`],
  ])('is refused with a proof %s', async (_, make) => {
    expect(await withProof(make())).toBe('proof_invalid')
  })

  it('takes no proof from before it started: it cannot know which of them were used', async () => {
    expect(await withProof(proof({ iat: iat - 1 }))).toBe('proof_invalid')
    expect(await withProof(proof({ iat: iat + 5 }))).toBe('ok')
  })

  it('takes proofs as old as a minute and no older', async () => {
    const own = await createTestApp()
    token = await own.tokenFor({ kind: 'user' }, { boundTo })
    own.clock.advance(60_000)
    const ask = async (text: string) =>
      (
        await own.app.request(`https://${HOST}/v1/me`, {
          headers: { host: HOST, authorization: `DPoP ${token}`, dpop: text },
        })
      ).status
    expect(await ask(proof())).toBe(200)
    own.clock.advance(1_000)
    expect(await ask(proof())).toBe(401)
    await own.close()
    token = await test.tokenFor({ kind: 'user' }, { boundTo })
  })

  it('takes P-256 as well', async () => {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { x: px = '', y = '' } = pair.publicKey.export({ format: 'jwk' })
    const ecJwk = { kty: 'EC', crv: 'P-256', x: px, y } as const
    const bound = await test.tokenFor({ kind: 'user' }, { boundTo: thumbprintOf(ecJwk) })
    const claims = {
      jti: 'a-p256-proof',
      htm: 'GET',
      htu: `https://${HOST}/v1/me`,
      iat,
      ath: createHash('sha256').update(bound).digest('base64url'),
    }
    const input = `${b64({ typ: 'dpop+jwt', alg: 'ES256', jwk: ecJwk })}.${b64(claims)}`
    const signature = sign('sha256', Buffer.from(input), { key: pair.privateKey, dsaEncoding: 'ieee-p1363' })
    expect(await codeFor(bound, 'DPoP', { dpop: `${input}.${signature.toString('base64url')}` })).toBe('ok')
  })
})
