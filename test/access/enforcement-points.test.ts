import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { jwsSigningInput } from '../../src/core/execution/compact-jws.ts'
import { thumbprintOf } from '../../src/core/manifest/public-key.ts'
import { ENFORCEMENT_ASSERTION_TYP } from '../../src/core/tokens/enforcement-assertion.ts'
import { type AccessWorld, accessWorld, MENU, order } from './access-world.ts'

let w: AccessWorld
let operator: string
beforeEach(async () => {
  w = await accessWorld()
  operator = await w.test.tokenFor({ kind: 'operator', operatorId: 'lin.wei' })
})
afterEach(() => w.test.close())

const REASON = 'a gateway in front of the shop'
const call = (method: string, path: string, body?: unknown) =>
  w.test.call(method, `/v1/operator/enforcement-points${path}`, {
    token: operator,
    ...(body === undefined ? {} : { body }),
  })
type Registered = { point: { pointId: string }; credential: { credentialId: string; secret: string | null } }

async function register(more: object = {}): Promise<Registered> {
  const body = { name: 'Gateway', skills: ['coffee.order'], reason: REASON, ...more }
  const answer = await call('POST', '', body)
  expect(answer.status).toBe(201)
  return answer.body as Registered
}

/** Whether a credential is good for asking. */
async function status(token: string): Promise<number> {
  return (await w.post('evaluation', w.question('get_menu', MENU), undefined, token)).status
}

type TestKey = { privateKey: KeyObject; jwk: { kid: string } }

function newKey(): TestKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const { x = '' } = publicKey.export({ format: 'jwk' })
  const base = { kty: 'OKP', crv: 'Ed25519', x } as const
  return { privateKey, jwk: { ...base, kid: thumbprintOf(base), alg: 'EdDSA' } as { kid: string } }
}

function assertion(
  key: TestKey,
  pointId: string,
  claims: object = {},
  typ: string = ENFORCEMENT_ASSERTION_TYP,
) {
  const iat = Math.floor(w.test.clock.nowMs() / 1000)
  const input = jwsSigningInput(
    { alg: 'EdDSA', kid: key.jwk.kid, typ },
    {
      iss: pointId,
      sub: pointId,
      aud: `${w.test.broker.settings.issuer}/enforcement-point`,
      jti: 'jti-1',
      iat,
      exp: iat + 300,
      ...claims,
    },
  )
  return `${input}.${sign(null, Buffer.from(input), key.privateKey).toString('base64url')}`
}

describe('an enforcement point’s secret', () => {
  it('is told once, is good for asking, and only its SHA-256 is kept', async () => {
    const { point, credential } = await register()
    const secret = credential.secret ?? ''
    expect(secret).toMatch(/^cep_[A-Za-z0-9_-]{43}$/)
    expect(await status(secret)).toBe(200)
    const listed = await call('GET', '')
    expect(listed.text).toContain(point.pointId)
    expect(listed.text).not.toContain(secret)
    const kept = await w.test.broker.store.read(async (tx) => tx.enforcementPoints.credentials(point.pointId))
    expect(JSON.stringify(kept)).not.toContain(secret)
    expect(kept.map(({ digest }) => digest)).toEqual([
      createHash('sha256').update(secret).digest('base64url'),
    ])
    expect(JSON.stringify(w.test.logged)).not.toContain(secret)
  })

  it('is replaced without a gap, and the old one ends when it was told to', async () => {
    const { point, credential } = await register()
    const replaced = await call('POST', `/${point.pointId}/credentials`, {
      othersEndInSeconds: 60,
      reason: 'the yearly change',
    })
    const { secret } = (replaced.body as Registered).credential
    expect([await status(credential.secret ?? ''), await status(secret ?? '')]).toEqual([200, 200])
    w.test.clock.advance(60_000)
    expect([await status(credential.secret ?? ''), await status(secret ?? '')]).toEqual([401, 200])
  })

  it('that leaked is ended at once by replacing it, those that had some time left included', async () => {
    const { point, credential } = await register()
    await call('POST', `/${point.pointId}/credentials`, { othersEndInSeconds: 600, reason: 'a first change' })
    expect(await status(credential.secret ?? '')).toBe(200)
    await call('POST', `/${point.pointId}/credentials`, { reason: 'it stood in a screenshot' })
    expect(await status(credential.secret ?? '')).toBe(401)
  })

  it.each(['cep_', 'cep_short', `cep_${'A'.repeat(43)}`, `cep_${'A'.repeat(44)}`])(
    'is none when nobody was given it: %s',
    async (secret) => {
      const answer = await w.post('evaluation', w.question('get_menu', MENU), undefined, secret)
      expect([answer.status, answer.body.code]).toEqual([401, 'token_invalid'])
    },
  )
})

describe('an enforcement point’s own key', () => {
  let key: TestKey
  let pointId: string
  beforeEach(async () => {
    key = newKey()
    const registered = await register({ publicKey: key.jwk })
    expect(registered.credential.secret).toBeNull()
    pointId = registered.point.pointId
  })

  it('signs who it is, for five minutes at most', async () => {
    expect(await status(assertion(key, pointId))).toBe(200)
    const nowSeconds = Math.floor(w.test.clock.nowMs() / 1000)
    expect(await status(assertion(key, pointId, { exp: nowSeconds + 301 }))).toBe(401)
    const early = assertion(key, pointId)
    w.test.clock.advance(300_000)
    expect(await status(early)).toBe(401)
  })

  it.each([
    ['another audience', { aud: 'https://broker.example/agent' }],
    ['another broker', { aud: 'https://other.example/enforcement-point' }],
    ['another subject', { sub: 'usr_somebody' }],
    ['a time to come', { iat: 4_000_000_000, exp: 4_000_000_100 }],
    ['no id', { jti: undefined }],
  ])('is refused with %s', async (_, claims) => {
    expect(await status(assertion(key, pointId, claims))).toBe(401)
  })

  it('is refused under the typ of an access token, and with the key of another point', async () => {
    expect(await status(assertion(key, pointId, {}, 'at+jwt'))).toBe(401)
    const other = newKey()
    await register({ publicKey: other.jwk })
    expect(await status(assertion(other, pointId))).toBe(401)
  })

  it('is nobody’s credential anywhere else', async () => {
    const token = assertion(key, pointId)
    for (const path of ['/v1/me', '/v1/skills', '/v1/operator/freezes']) {
      expect([path, (await w.test.call('GET', path, { token })).status]).toEqual([path, 401])
    }
  })

  it('is no longer good once it was replaced or its point was revoked', async () => {
    const next = newKey()
    await call('POST', `/${pointId}/credentials`, { publicKey: next.jwk, reason: 'a new machine' })
    expect([await status(assertion(key, pointId)), await status(assertion(next, pointId))]).toEqual([
      401, 200,
    ])
    await call('POST', `/${pointId}/revoke`, { reason: 'it was taken down' })
    expect(await status(assertion(next, pointId))).toBe(401)
  })

  it('is refused when it is private, or any point’s already', async () => {
    const secret = { ...key.privateKey.export({ format: 'jwk' }), kid: key.jwk.kid, alg: 'EdDSA' }
    for (const publicKey of [secret, key.jwk, { kty: 'oct', k: 'AAAA' }, 5]) {
      const body = { name: 'Second', skills: ['coffee.order'], publicKey, reason: REASON }
      const answer = await call('POST', '', body)
      expect([answer.status, answer.body.code]).toEqual([422, 'key_refused'])
    }
  })
})

describe('operators and enforcement points', () => {
  it('name what is enforced: nothing is registered for everything, or for what is not there', async () => {
    for (const scope of [{}, { skills: [] }, { skills: ['no.skill'] }, { publisher: 'nobody.example' }]) {
      const answer = await call('POST', '', { name: 'Gateway', reason: REASON, ...scope })
      expect([answer.status, answer.body.code]).toEqual([422, 'enforcement_target_unknown'])
    }
  })

  it('say who and why, in the log', async () => {
    const { point } = await register()
    await call('POST', `/${point.pointId}/revoke`, { reason: 'no longer needed' })
    const acts = (await w.test.leaves()).filter(
      ({ type, reason }) => type === 'operator' && reason === 'enforcement_point',
    )
    expect(acts.map(({ outcome }) => outcome)).toEqual(['registered', 'revoked'])
    const [registered] = acts
    expect(await w.test.openPart(registered?.eventId ?? '', 'subj')).toEqual({ operator: 'lin.wei' })
    expect(await w.test.openPart(registered?.eventId ?? '', 'body')).toEqual({ reason: REASON })
  })

  it('end one for good, and are told what it has not reported', async () => {
    const reserved = await w.reserve('order_and_pay', order(500), 'not-reported')
    const { id } = reserved.reservation as { id: string }
    const path = `/${w.gateway.point.id}/revoke`
    const revoked = await call('POST', path, { reason: 'it was broken into' })
    expect(revoked.body).toEqual({
      unsettled: [{ actionId: id, skill: 'coffee.order', action: 'order_and_pay', status: 'dispatched' }],
    })
    for (const [what, body] of [
      ['evaluation', w.question('get_menu', MENU)],
      [`reservations/${id}/commit`, {}],
      [`reservations/${id}/release`, { reason: 'not_done' }],
    ] as const) {
      expect((await w.post(what, body)).status).toBe(401)
    }
    const row = await w.test.broker.store.read(async (tx) => tx.actions.find(id))
    expect(row).toMatchObject({ status: 'dispatched', heldMinor: 500 })
    expect(
      (await call('POST', `/${w.gateway.point.id}/credentials`, { reason: 'bring it back' })).status,
    ).toBe(404)
    expect((await call('POST', path, { reason: 'once more' })).body).toEqual(revoked.body)
  })

  it('are refused what they do not find', async () => {
    const nobody = w.test.broker.newId('enforcementPoint')
    expect((await call('POST', `/${nobody}/revoke`, { reason: REASON })).status).toBe(404)
    expect((await call('POST', `/${nobody}/credentials`, { reason: REASON })).status).toBe(404)
  })
})

describe('other callers', () => {
  it('never stand in for an enforcement point, nor it for them', async () => {
    const { userId, agent } = w.alice
    for (const caller of [
      { kind: 'agent', userId, agentId: agent.id },
      { kind: 'user', userId },
      { kind: 'operator' },
    ] as const) {
      const token = await w.test.tokenFor(caller)
      const answer = await w.post('evaluation', w.question('get_menu', MENU), undefined, token)
      expect([caller.kind, answer.status, answer.body.code]).toEqual([caller.kind, 403, 'wrong_caller'])
    }
    const asAgent = await w.test.call('POST', '/v1/actions', {
      token: w.gateway.secret,
      body: { skill: 'coffee.order', action: 'get_menu', arguments: MENU },
      headers: { 'idempotency-key': 'as-an-agent' },
    })
    expect([asAgent.status, asAgent.body.code]).toEqual([403, 'wrong_caller'])
  })
})
