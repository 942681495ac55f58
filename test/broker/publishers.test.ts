import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addPublisherKey } from '../../src/broker/add-publisher-key.ts'
import { approveManifest, resumeManifest } from '../../src/broker/approve-manifest.ts'
import { registerPublisher } from '../../src/broker/register-publisher.ts'
import { revokePublisherKey } from '../../src/broker/revoke-publisher-key.ts'
import type { PrivateJwk } from '../../src/keys/detached-jws.ts'
import { createManifestVerifier } from '../../src/keys/jose-manifest-verifier.ts'
import { signKeyAddition } from '../../src/keys/key-addition-signature.ts'
import { signKeyRevocation } from '../../src/keys/key-revocation-signature.ts'
import { generatePublisherKey, publicHalfOf } from '../../src/keys/publisher-key-file.ts'
import { newPublisher, OPERATOR, publish, submit } from '../support/publisher.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { createTestBroker, type TestBroker } from '../support/test-broker.ts'

const COFFEE = sampleManifest('coffee.order')
const PUBLISHER = COFFEE.publisher
let test: TestBroker
let key: PrivateJwk

beforeEach(async () => {
  test = await createTestBroker({ manifestVerifier: createManifestVerifier() })
  key = await newPublisher(test.broker, PUBLISHER)
})
afterEach(() => test.close())

const currentDigest = async () =>
  (await test.broker.store.read(async (tx) => tx.skills.find('coffee.order')))?.currentDigest

async function addSigned(newKey: PrivateJwk, by: PrivateJwk, publisher = PUBLISHER) {
  const newKeyJwk = publicHalfOf(newKey)
  const signature = await signKeyAddition({ publisher, newKeyJwk }, by)
  return addPublisherKey(test.broker, {
    publisherId: PUBLISHER,
    jwk: newKeyJwk,
    by: { kind: 'key', signature },
  })
}

async function revokeSigned(kid: string, by: PrivateJwk) {
  const signature = await signKeyRevocation({ publisher: PUBLISHER, kid }, by)
  return revokePublisherKey(test.broker, { publisherId: PUBLISHER, kid, by: { kind: 'key', signature } })
}

describe('registering a publisher', () => {
  it('is a leaf that names the operator and keeps the reason sealed', async () => {
    const leaf = await test.lastLeaf('publisher')
    expect(leaf).toMatchObject({ outcome: 'registered', parts: ['core', 'subj', 'body'] })
    expect(await test.openPart(leaf.eventId, 'subj')).toEqual({ operator: 'op_ada' })
    expect(await test.openPart(leaf.eventId, 'body')).toEqual({ reason: 'checked by hand' })
  })

  it.each([
    ['no reason', { reason: '' }, 'reason_refused'],
    ['a reason of blanks', { reason: '         ' }, 'reason_refused'],
    ['a reason of 501 characters', { reason: 'x'.repeat(501) }, 'reason_refused'],
    ['nobody who does it', { operatorId: '' }, 'reason_refused'],
    ['an id that is none', { publisherId: 'Coffee Example' }, 'publisher_id_refused'],
    ['an id that is taken', { publisherId: PUBLISHER }, 'already_registered'],
    ['a private key', { publisherId: 'new.example', private: true }, 'key_refused'],
  ])('refuses %s and writes nothing', async (_, change, kind) => {
    const before = (await test.leaves()).length
    const fresh = await generatePublisherKey()
    const jwk = 'private' in change ? fresh : publicHalfOf(fresh)
    const input = { publisherId: 'other.example', ...OPERATOR, jwk, ...change }
    expect((await registerPublisher(test.broker, input)).kind).toBe(kind)
    expect(await test.leaves()).toHaveLength(before)
  })
})

describe('adding a key', () => {
  it('is let in by a living key, and then signs versions itself', async () => {
    const second = await generatePublisherKey('ES256')
    expect(await addSigned(second, key)).toEqual({ kind: 'added', kid: second.kid })
    expect((await submit(test.broker, COFFEE, second)).kind).toBe('submitted')
    const leaf = await test.lastLeaf('publisher')
    expect(leaf).toMatchObject({ outcome: 'key_added', reason: 'key' })
    expect(await test.openPart(leaf.eventId, 'subj')).toEqual({ key: key.kid })
  })

  it('is let in by an operator when no key is left to sign it', async () => {
    await revokeSigned(key.kid, key)
    const second = await generatePublisherKey()
    const by = { kind: 'operator', ...OPERATOR } as const
    const outcome = await addPublisherKey(test.broker, {
      publisherId: PUBLISHER,
      jwk: publicHalfOf(second),
      by,
    })
    expect(outcome.kind).toBe('added')
  })

  it('refuses the signature of a stranger, of another publisher, and one made for another publisher', async () => {
    const other = await newPublisher(test.broker, 'other.example')
    const fresh = await generatePublisherKey()
    for (const attempt of [
      addSigned(fresh, fresh),
      addSigned(fresh, other),
      addSigned(fresh, key, 'other.example'),
    ]) {
      expect((await attempt).kind).toBe('signature_refused')
    }
  })

  it('never takes a revoked key back, not even from an operator', async () => {
    await revokeSigned(key.kid, key)
    const by = { kind: 'operator', ...OPERATOR } as const
    const again = await addPublisherKey(test.broker, { publisherId: PUBLISHER, jwk: publicHalfOf(key), by })
    expect(again.kind).toBe('key_was_revoked')
  })

  it('is refused by a key that was revoked while its signature was on the way', async () => {
    const fresh = await generatePublisherKey()
    const newKeyJwk = publicHalfOf(fresh)
    const signature = await signKeyAddition({ publisher: PUBLISHER, newKeyJwk }, key)
    const verifier = createManifestVerifier()
    const slow = {
      ...test.broker,
      manifestVerifier: {
        ...verifier,
        async verifyKeyAddition(...args: Parameters<typeof verifier.verifyKeyAddition>) {
          const verdict = await verifier.verifyKeyAddition(...args)
          await revokeSigned(key.kid, key)
          return verdict
        },
      },
    }
    const by = { kind: 'key', signature } as const
    const outcome = await addPublisherKey(slow, { publisherId: PUBLISHER, jwk: newKeyJwk, by })
    expect(outcome.kind).toBe('introducer_revoked')
  })
})

describe('revoking a key', () => {
  it('suspends every version only it signed, and leaves the skill without a current one', async () => {
    const first = await publish(test.broker, COFFEE, key)
    const waiting = await submit(test.broker, { ...COFFEE, version: COFFEE.version + 1 }, key)
    const outcome = await revokePublisherKey(test.broker, {
      publisherId: PUBLISHER,
      kid: key.kid,
      by: { kind: 'operator', ...OPERATOR },
    })
    expect(outcome).toMatchObject({ kind: 'revoked', suspended: [{}, {}], suspectKids: [] })
    expect(await currentDigest()).toBeNull()
    const stops = (await test.leaves()).filter((leaf) => leaf.outcome === 'suspended')
    expect(stops.map((leaf) => leaf.reason)).toEqual(['key_revoked', 'key_revoked'])

    // Neither an approval nor a resumption brings back what no living key vouches for.
    const digest = waiting.kind === 'submitted' ? waiting.digest : ''
    expect((await approveManifest(test.broker, { digest, ...OPERATOR })).kind).toBe('wrong_status')
    expect((await resumeManifest(test.broker, { digest: first, ...OPERATOR })).kind).toBe('key_not_living')
    expect(await currentDigest()).toBeNull()
  })

  it('leaves alone what another key signed', async () => {
    const second = await generatePublisherKey()
    await addSigned(second, key)
    const digest = await publish(test.broker, COFFEE, second)
    expect(await revokeSigned(key.kid, second)).toEqual({
      kind: 'revoked',
      suspended: [],
      suspectKids: [second.kid],
    })
    expect(await currentDigest()).toBe(digest)
  })

  it('refuses a key that is not there, one revoked before, and a signature of another publisher', async () => {
    const other = await newPublisher(test.broker, 'other.example')
    expect((await revokeSigned(key.kid, other)).kind).toBe('signature_refused')
    expect((await revokeSigned('A'.repeat(43), key)).kind).toBe('key_unknown')
    await revokeSigned(key.kid, key)
    const by = { kind: 'operator', ...OPERATOR } as const
    const again = await revokePublisherKey(test.broker, { publisherId: PUBLISHER, kid: key.kid, by })
    expect(again.kind).toBe('key_already_revoked')
  })

  it('does not take the addition of a key for the revocation of one', async () => {
    const fresh = await generatePublisherKey()
    const signature = await signKeyAddition({ publisher: PUBLISHER, newKeyJwk: publicHalfOf(fresh) }, key)
    const by = { kind: 'key', signature } as const
    const outcome = await revokePublisherKey(test.broker, { publisherId: PUBLISHER, kid: key.kid, by })
    expect(outcome).toMatchObject({ kind: 'signature_refused', code: 'signature_header_refused' })
  })
})
