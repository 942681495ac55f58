import { inflateSync } from 'node:zlib'
import { decodeJwt, decodeProtectedHeader, importJWK, jwtVerify } from 'jose'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { pauseGrant, resumeGrant } from '../../src/broker/change-grant.ts'
import { freeze, unfreeze } from '../../src/broker/freeze.ts'
import { performAction } from '../../src/broker/perform-action.ts'
import { revokeAuthority } from '../../src/broker/revoke-authority.ts'
import { StatusLists } from '../../src/broker/status-lists.ts'
import { giveStatusPlace, statusReferenceOf } from '../../src/broker/status-place.ts'
import { COFFEE } from '../support/coffee-test.ts'
import { answered } from '../support/fake-skill.ts'
import { type Granted, grantAll, order, SECRET } from '../support/granted-agent.ts'
import { createTestBroker, type TestBroker } from '../support/test-broker.ts'

const NOBODY = async () => []
const ACT = { operatorId: 'lin.wei', reason: 'looking into it' }

/** Reads a list by nothing of ours: jose for the signature, zlib, and shifts written down from the specification. */
async function readIndependently(test: TestBroker, token: string, idx: number): Promise<number> {
  const { kid, typ, alg } = decodeProtectedHeader(token)
  expect({ typ, alg }).toEqual({ typ: 'statuslist+jwt', alg: 'EdDSA' })
  const jwk = test.signer.jwks().keys.find((key) => key.kid === kid && key.cs_purpose === 'status')
  if (!jwk) throw new Error('signed by no published key')
  const { payload } = await jwtVerify(token, await importJWK({ ...jwk }, 'EdDSA'), {
    currentDate: new Date(test.clock.nowMs()),
  })
  const list = payload.status_list as { bits: number; lst: string }
  const bytes = inflateSync(Buffer.from(list.lst, 'base64url'))
  const perByte = 8 / list.bits
  const byte = bytes[Math.floor(idx / perByte)] ?? 0
  return Math.floor(byte / 2 ** ((idx % perByte) * list.bits)) % 2 ** list.bits
}

describe('the status list', () => {
  let test: TestBroker
  let granted: Granted
  let lists: StatusLists

  beforeEach(async () => {
    test = await createTestBroker()
    granted = await grantAll(test.broker, COFFEE)
    lists = new StatusLists(test.broker)
  })
  afterEach(() => test.close())

  async function statusOf(grantId: string): Promise<number> {
    const reference = await statusReferenceOf(test.broker, grantId)
    const [, epoch, listNo] = /\/status-lists\/(\d+)-(\d+)$/.exec(reference?.uri ?? '') ?? []
    const token = await lists.token(Number(epoch), Number(listNo))
    expect(decodeJwt(token ?? '').sub).toBe(reference?.uri)
    return readIndependently(test, token ?? '', reference?.idx ?? -1)
  }

  it('shows a grant as valid, suspended while paused, valid again, and invalid once revoked', async () => {
    const which = { userId: granted.userId, grantId: granted.grant.id }
    expect(await statusOf(granted.grant.id)).toBe(0)
    await pauseGrant(test.broker, which)
    expect(await statusOf(granted.grant.id)).toBe(2)
    await resumeGrant(test.broker, which)
    expect(await statusOf(granted.grant.id)).toBe(0)
    await revokeAuthority(
      test.broker,
      { userId: granted.userId, scope: { kind: 'grant', id: granted.grant.id } },
      NOBODY,
    )
    expect(await statusOf(granted.grant.id)).toBe(1)
  })

  it.each(['user', 'agent', 'skill', 'publisher', 'platform'] as const)(
    'shows a freeze of a %s as suspended at once, on grants given later too, and lifts it as fast',
    async (kind) => {
      const target = {
        user: granted.userId,
        agent: granted.agent.id,
        skill: granted.grant.skillId,
        publisher: COFFEE.publisher,
        platform: '*',
      }[kind]
      const other = await grantAll(test.broker, COFFEE)
      expect(await statusOf(granted.grant.id)).toBe(0)
      await freeze(test.broker, NOBODY, { ...ACT, kind, target, includesCleanUp: false })
      const later = await grantAll(test.broker, COFFEE, {}, granted)
      expect(await statusOf(granted.grant.id)).toBe(2)
      expect(await statusOf(later.grant.id)).toBe(2)
      expect(await statusOf(other.grant.id)).toBe(kind === 'user' || kind === 'agent' ? 0 : 2)
      await unfreeze(test.broker, { ...ACT, freezeId: `${kind}:${target}` })
      expect(await statusOf(granted.grant.id)).toBe(0)
    },
  )

  it('does not show a revoked grant as merely suspended when a freeze covers it as well', async () => {
    await revokeAuthority(test.broker, { userId: granted.userId, scope: { kind: 'everything' } }, NOBODY)
    await freeze(test.broker, NOBODY, { ...ACT, kind: 'platform', target: '*', includesCleanUp: false })
    expect(await statusOf(granted.grant.id)).toBe(1)
  })

  it('gives no place twice, and none that tells how many came before', async () => {
    const places: number[] = []
    for (let i = 0; i < 60; i++) {
      const id = test.broker.newId('grant')
      await test.broker.store.transaction((tx) => giveStatusPlace(tx, { ...granted.grant, id }))
      places.push((await statusReferenceOf(test.broker, id))?.idx ?? -1)
    }
    expect(new Set(places).size).toBe(places.length)
    const rising = places.filter((place, i) => i > 0 && place > (places[i - 1] ?? 0)).length
    expect(rising).toBeGreaterThan(10)
    expect(rising).toBeLessThan(50)
  })

  it('begins another list when one is full enough, and finds a free place until then', async () => {
    const taken: string[] = []
    for (let i = 0; i < 60; i++) {
      const id = test.broker.newId('grant')
      await test.broker.store.transaction((tx) => giveStatusPlace(tx, { ...granted.grant, id }, 32))
      const { uri, idx } = (await statusReferenceOf(test.broker, id)) ?? { uri: '', idx: -1 }
      expect(idx).toBeLessThan(32)
      taken.push(`${uri} ${idx}`)
    }
    expect(new Set(taken).size).toBe(60)
    expect((await lists.uris()).length).toBeGreaterThan(1)
    expect(await lists.token(1, 1)).toBeDefined()
  })

  it('is named by the token of an action, and by no clean-up call', async () => {
    test.secrets.set('coffee.order /payment_token', SECRET)
    test.skill.replyAlways(answered({}, 500))
    await performAction(test.broker, granted.ask('order_and_pay', order(1_000)))
    const token = test.skill.calls[0]?.headers.authorization?.slice('Bearer '.length) ?? ''
    expect(decodeJwt(token).status).toEqual({
      status_list: await statusReferenceOf(test.broker, granted.grant.id),
    })
    const others = test.skill.calls
      .slice(1)
      .map((call) => decodeJwt(call.headers.authorization?.slice(7) ?? ''))
    expect(others.filter((claims) => claims.status !== undefined)).toEqual([])
  })

  it('says nothing of whose a grant is', async () => {
    await statusOf(granted.grant.id)
    const token = (await lists.token(1, 0)) ?? ''
    const text = JSON.stringify(decodeJwt(token))
    for (const secret of [granted.userId, granted.agent.id, granted.grant.id, granted.grant.skillId])
      expect(text).not.toContain(secret)
  })

  it('is not there for lists nobody began', async () => {
    expect(await lists.token(1, 7)).toBeUndefined()
    expect(await lists.token(9, 0)).toBeUndefined()
  })

  it('is signed once while nothing changes, and anew before it gets old', async () => {
    const first = await lists.token(1, 0)
    expect(await lists.token(1, 0)).toBe(first)
    test.clock.advance(20_000)
    expect(await lists.token(1, 0)).not.toBe(first)
  })

  it('calls invalid what a restore has forgotten: nobody vouches for places of an ended log', async () => {
    await test.broker.store.transaction(async (tx) => tx.deploymentMarks.set('log_epoch', '2'))
    const token = await new StatusLists(test.broker).token(1, 0)
    const place = (await statusReferenceOf(test.broker, granted.grant.id))?.idx ?? 0
    expect(await readIndependently(test, token ?? '', place)).toBe(0)
    expect(await readIndependently(test, token ?? '', (place + 1) % 32_768)).toBe(1)
    const next = await grantAll(test.broker, COFFEE)
    expect((await statusReferenceOf(test.broker, next.grant.id))?.uri).toMatch(/\/status-lists\/2-0$/)
  })
})
