import { generateKeyPairSync, sign } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { approveManifest, resumeManifest } from '../../src/broker/approve-manifest.ts'
import { listManifests, showManifest } from '../../src/broker/list-manifests.ts'
import { revokePublisherKey } from '../../src/broker/revoke-publisher-key.ts'
import { submitManifest } from '../../src/broker/submit-manifest.ts'
import { revokeManifest, suspendManifest } from '../../src/broker/suspend-manifest.ts'
import { setPointer } from '../../src/core/json-pointer.ts'
import type { JsonValue } from '../../src/core/json-value.ts'
import { canonicalManifest } from '../../src/core/manifest/canonical-manifest.ts'
import type { Manifest } from '../../src/core/manifest/manifest.ts'
import type { PrivateJwk } from '../../src/keys/detached-jws.ts'
import { createManifestVerifier } from '../../src/keys/jose-manifest-verifier.ts'
import { MANIFEST_TYP, signManifest } from '../../src/keys/manifest-signature.ts'
import { generatePublisherKey } from '../../src/keys/publisher-key-file.ts'
import { newPublisher, OPERATOR, publish, submit } from '../support/publisher.ts'
import { actionAt, sampleManifest } from '../support/sample-manifest.ts'
import { createTestBroker, type TestBroker } from '../support/test-broker.ts'

const COFFEE = sampleManifest('coffee.order')
const V2: Manifest = { ...COFFEE, version: 2 }
const V3: Manifest = { ...COFFEE, version: 3 }
let test: TestBroker
let key: PrivateJwk

beforeEach(async () => {
  test = await createTestBroker({ manifestVerifier: createManifestVerifier() })
  key = await newPublisher(test.broker, COFFEE.publisher)
})
afterEach(() => test.close())

const json = (manifest: Manifest): JsonValue => JSON.parse(JSON.stringify(manifest))
const approve = (digest: string, goingBack = false) =>
  approveManifest(test.broker, { digest, goingBack, ...OPERATOR })
const skill = () => test.broker.store.read(async (tx) => tx.skills.find('coffee.order'))
const digestOf = async (manifest: Manifest) => {
  const outcome = await submit(test.broker, manifest, key)
  return outcome.kind === 'submitted' ? outcome.digest : outcome.kind
}

describe('submitting a version', () => {
  it('waits for an operator, with a leaf that names its digest, and changes nothing yet', async () => {
    const outcome = await submit(test.broker, COFFEE, key)
    expect(outcome).toMatchObject({ kind: 'submitted', status: 'submitted', isNew: true, changes: null })
    expect(await skill()).toBeUndefined()
    const leaf = await test.lastLeaf('manifest')
    expect(leaf).toMatchObject({ outcome: 'submitted' })
    expect(await test.openPart(leaf.eventId, 'core')).toMatchObject({
      skill: 'coffee.order',
      manifest: outcome.kind === 'submitted' ? outcome.digest : '',
    })
  })

  it('answers the same version again without a second leaf', async () => {
    await submit(test.broker, COFFEE, key)
    const before = (await test.leaves()).length
    expect(await submit(test.broker, COFFEE, key)).toMatchObject({ kind: 'submitted', isNew: false })
    expect(await test.leaves()).toHaveLength(before)
  })

  it('lists by action what it asks beyond the current version', async () => {
    await publish(test.broker, COFFEE, key)
    const renamed = sampleManifest(
      'coffee.order',
      ['/version', 2],
      [`${actionAt('coffee.order', 'place_order')}/title/en`, 'Buy everything'],
    )
    const outcome = await submit(test.broker, renamed, key)
    const changes = outcome.kind === 'submitted' ? outcome.changes : null
    expect(changes?.place_order?.map((change) => change.code)).toEqual(['text_changed'])
    expect(changes?.get_menu ?? []).toEqual([])
  })

  it('refuses what it cannot read with the place of each fault and how to mend it', async () => {
    const wrong = setPointer(json(COFFEE), '/version', 0) ?? null
    const outcome = await submitManifest(test.broker, { manifest: wrong, signature: 'x' })
    expect(outcome).toMatchObject({ kind: 'manifest_faults', faults: [{ pointer: '/version' }] })
    for (const fault of outcome.kind === 'manifest_faults' ? outcome.faults : [])
      expect(fault.mend).not.toBe('')
  })

  it('refuses errors of meaning although the signature is right', async () => {
    const plain: Manifest = { ...COFFEE, endpoint: { transport: 'http', baseUrl: 'http://coffee.example' } }
    expect((await submit(test.broker, plain, key)).kind).toBe('manifest_faults')
  })

  it('reads no schema or pattern before it knows whose they are', async () => {
    const plain = { ...COFFEE, endpoint: { ...COFFEE.endpoint, baseUrl: 'http://coffee.example' } }
    const stranger = await generatePublisherKey()
    expect((await submit(test.broker, plain, stranger)).kind).toBe('signature_refused')
    const unknown = { ...plain, publisher: 'nobody.example' }
    expect((await submit(test.broker, unknown, stranger)).kind).toBe('publisher_unknown')
  })

  it('takes plain http only at exactly the origins named for development', async () => {
    const at = (port: number): Manifest => ({
      ...COFFEE,
      endpoint: { transport: 'http', baseUrl: `http://127.0.0.1:${port}` },
    })
    expect((await submit(test.broker, at(9101), key)).kind).toBe('submitted')
    expect((await submit(test.broker, { ...at(9199), version: 2 }, key)).kind).toBe('manifest_faults')
  })
})

describe('the signature of a version', () => {
  const signedWith = (signature: string) => submitManifest(test.broker, { manifest: json(COFFEE), signature })

  it('must be there', async () => {
    expect(await signedWith('')).toMatchObject({ kind: 'signature_refused', code: 'signature_malformed' })
  })

  it('must be of a registered key', async () => {
    const stranger = await generatePublisherKey()
    const outcome = await submit(test.broker, COFFEE, stranger)
    expect(outcome).toMatchObject({ kind: 'signature_refused', code: 'signature_key_unknown' })
  })

  it('must be of a key of the publisher that is named, not of another one', async () => {
    const other = await newPublisher(test.broker, 'other.example')
    const outcome = await submit(test.broker, COFFEE, other)
    expect(outcome).toMatchObject({ kind: 'signature_refused', code: 'signature_key_unknown' })
  })

  it('must be over exactly this version', async () => {
    const signature = await signManifest(V2, key)
    expect(await signedWith(signature)).toMatchObject({ code: 'signature_wrong' })
  })

  it.each(['jwk', 'jku', 'x5u'])('may not bring its own key by %s', async (member) => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const own = member === 'jwk' ? publicKey.export({ format: 'jwk' }) : 'https://evil.example/keys'
    const header = { alg: 'EdDSA', kid: key.kid, typ: MANIFEST_TYP, [member]: own }
    const encoded = Buffer.from(JSON.stringify(header)).toString('base64url')
    const payload = Buffer.from(canonicalManifest(COFFEE)).toString('base64url')
    const signature = sign(null, Buffer.from(`${encoded}.${payload}`), privateKey).toString('base64url')
    expect(await signedWith(`${encoded}..${signature}`)).toMatchObject({ code: 'signature_header_refused' })
  })

  it('may not say that there is none', async () => {
    const header = Buffer.from(JSON.stringify({ alg: 'none', kid: key.kid, typ: MANIFEST_TYP }))
    const outcome = await signedWith(`${header.toString('base64url')}..AA`)
    expect(outcome).toMatchObject({ kind: 'signature_refused', code: 'signature_alg_refused' })
  })

  it('is refused when its key is revoked while it is being verified', async () => {
    const verifier = createManifestVerifier()
    const slow = {
      ...test.broker,
      manifestVerifier: {
        ...verifier,
        async verifyManifest(...args: Parameters<typeof verifier.verifyManifest>) {
          const verdict = await verifier.verifyManifest(...args)
          const by = { kind: 'operator', ...OPERATOR } as const
          await revokePublisherKey(test.broker, { publisherId: COFFEE.publisher, kid: key.kid, by })
          return verdict
        },
      },
    }
    expect(await submit(slow, COFFEE, key)).toMatchObject({ code: 'signature_key_unknown' })
    expect(await listManifests(test.broker, { skillId: 'coffee.order' })).toEqual([])
  })

  it('is of no use for a publisher nobody registered', async () => {
    const unknown: Manifest = { ...COFFEE, publisher: 'unknown.example' }
    expect((await submit(test.broker, unknown, key)).kind).toBe('publisher_unknown')
  })
})

describe('a skill name', () => {
  it('belongs for ever to the publisher who first had it approved', async () => {
    const squatter = await newPublisher(test.broker, 'squat.example')
    const theirs: Manifest = { ...V2, publisher: 'squat.example' }
    const squat = await submit(test.broker, theirs, squatter)
    expect(squat.kind).toBe('submitted')

    await publish(test.broker, COFFEE, key)
    const digest = squat.kind === 'submitted' ? squat.digest : ''
    expect((await approve(digest)).kind).toBe('skill_of_other_publisher')
    const later = await submit(test.broker, { ...theirs, version: 9 }, squatter)
    expect(later.kind).toBe('skill_of_other_publisher')
    expect((await skill())?.publisherId).toBe(COFFEE.publisher)
  })

  it('stays with its owner while every version is revoked', async () => {
    const digest = await publish(test.broker, COFFEE, key)
    await revokeManifest(test.broker, { digest, ...OPERATOR })
    const squatter = await newPublisher(test.broker, 'squat.example')
    const theirs: Manifest = { ...V2, publisher: 'squat.example' }
    expect((await submit(test.broker, theirs, squatter)).kind).toBe('skill_of_other_publisher')
  })

  it('cannot be blocked by filling up its version numbers', async () => {
    const squatter = await newPublisher(test.broker, 'squat.example')
    const kinds: string[] = []
    for (let version = 1; version <= 9; version += 1) {
      const theirs: Manifest = { ...COFFEE, publisher: 'squat.example', version }
      kinds.push((await submit(test.broker, theirs, squatter)).kind)
    }
    expect(kinds.filter((kind) => kind === 'submitted')).toHaveLength(8)
    expect(kinds.at(-1)).toBe('too_many_waiting')
    expect((await submit(test.broker, { ...COFFEE, version: 9 }, key)).kind).toBe('submitted')
  })

  it('may not make a tool name that another skill already has', async () => {
    const first = await publish(test.broker, COFFEE, key)
    const renamed = JSON.parse(JSON.stringify(COFFEE).replaceAll('"get_menu"', '"menu"'))
    const clash: Manifest = { ...renamed, skill: 'coffee.order.get' }
    const taken = { kind: 'tool_name_taken', toolName: 'coffee_order_get_menu', skill: 'coffee.order' }
    expect(await submit(test.broker, clash, key)).toEqual(taken)

    // Free while the other is suspended, it is refused where it would come back.
    await suspendManifest(test.broker, { digest: first, ...OPERATOR })
    await publish(test.broker, clash, key)
    const back = await resumeManifest(test.broker, { digest: first, ...OPERATOR })
    expect(back).toEqual({ ...taken, skill: 'coffee.order.get' })
  })
})

describe('versions', () => {
  it('only rise above the highest that was approved', async () => {
    await publish(test.broker, V3, key)
    expect(await submit(test.broker, V2, key)).toEqual({
      kind: 'version_not_above',
      version: 2,
      highestVersion: 3,
    })
  })

  it('have one digest each, approved or not', async () => {
    await submit(test.broker, COFFEE, key)
    const other: Manifest = { ...COFFEE, title: { en: 'Other', zh: '其他' } }
    expect(await submit(test.broker, other, key)).toEqual({ kind: 'version_has_other_digest', version: 1 })
  })

  it('go back only when an operator says so', async () => {
    const first = await publish(test.broker, COFFEE, key)
    const waiting = await digestOf(V2)
    const third = await publish(test.broker, V3, key)
    expect((await skill())?.currentDigest).toBe(third)
    expect(await approve(first)).toEqual({ kind: 'going_back_not_said', highestVersion: 3 })
    expect((await approve(waiting)).kind).toBe('going_back_not_said')

    expect((await approve(first, true)).kind).toBe('approved')
    expect((await skill())?.currentDigest).toBe(first)
    expect((await skill())?.highestVersion).toBe(3)
    expect(await test.lastLeaf('manifest')).toMatchObject({ outcome: 'approved', reason: 'going_back' })
    expect((await approve(first, true)).kind).toBe('already_current')
  })
})

describe('stopping a version', () => {
  it('leaves its skill without one: no older version comes back by itself', async () => {
    await publish(test.broker, COFFEE, key)
    const second = await publish(test.broker, V2, key)
    const outcome = await suspendManifest(test.broker, { digest: second, ...OPERATOR })
    expect(outcome).toEqual({ kind: 'suspended', wasCurrent: true })
    expect((await skill())?.currentDigest).toBeNull()

    expect((await approve(second)).kind).toBe('wrong_status')
    expect((await resumeManifest(test.broker, { digest: second, ...OPERATOR })).kind).toBe('approved')
    expect((await skill())?.currentDigest).toBe(second)
    expect(await test.lastLeaf('manifest')).toMatchObject({ outcome: 'resumed' })
  })

  it('revokes for ever', async () => {
    const digest = await publish(test.broker, COFFEE, key)
    expect(await revokeManifest(test.broker, { digest, ...OPERATOR })).toMatchObject({ kind: 'revoked' })
    for (const again of [
      approve(digest, true),
      resumeManifest(test.broker, { digest, ...OPERATOR }),
      revokeManifest(test.broker, { digest, ...OPERATOR }),
    ])
      expect(await again).toEqual({ kind: 'wrong_status', status: 'revoked' })
  })

  it('takes no step without a reason', async () => {
    const digest = await digestOf(COFFEE)
    const mute = { digest, operatorId: 'op_ada', reason: 'ok' }
    for (const step of [approveManifest, resumeManifest, suspendManifest, revokeManifest])
      expect((await step(test.broker, mute)).kind).toBe('reason_refused')
    expect((await test.leaves()).filter((leaf) => leaf.type === 'manifest')).toHaveLength(1)
  })
})

describe('reviewing', () => {
  it('lists what waits, and shows a version with warnings and differences', async () => {
    const first = await publish(test.broker, COFFEE, key)
    const second = await digestOf(V2)
    const waiting = await listManifests(test.broker, { status: 'submitted' })
    expect(waiting.map((row) => row.digest)).toEqual([second])
    const all = await listManifests(test.broker, { skillId: 'coffee.order' })
    expect(all.map((row) => [row.version, row.isCurrent])).toEqual([
      [2, false],
      [1, true],
    ])
    const shown = await showManifest(test.broker, second)
    expect(shown).toMatchObject({ kind: 'manifest', manifest: { version: 2 } })
    expect(shown.kind === 'manifest' && Object.values(shown.changes ?? {}).flat()).toEqual([])
    expect((await showManifest(test.broker, first)).kind).toBe('manifest')
    expect((await showManifest(test.broker, 'A'.repeat(43))).kind).toBe('manifest_unknown')
  })
})

describe('consent to an older version (P10)', () => {
  it('is outdated for exactly the action that asks for more, from the approval on', async () => {
    const old = await publish(test.broker, COFFEE, key)
    const place = actionAt('coffee.order', 'place_order')
    const next = sampleManifest(
      'coffee.order',
      ['/version', 2],
      [`${place}/description/en`, 'Orders a coffee and a cake.'],
    )
    const now = await publish(test.broker, next, key)
    await test.broker.store.read(async (tx) => {
      const asked = (action: string) => test.broker.manifests.newlyAsked(tx, old, now, action)
      expect((await asked('place_order')).map((change) => change.code)).toEqual(['text_changed'])
      expect(await asked('get_menu')).toEqual([])
      expect(await test.broker.manifests.newlyAsked(tx, now, now, 'place_order')).toEqual([])
    })
  })
})
