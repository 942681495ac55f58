import { CompactSign, importJWK } from 'jose'
import { describe, expect, it } from 'vitest'
import { canonicalManifest } from '../../src/core/manifest/canonical-manifest.ts'
import { parsePublicJwk } from '../../src/core/manifest/public-key.ts'
import type { PrivateJwk } from '../../src/keys/detached-jws.ts'
import { signKeyAddition, verifyKeyAddition } from '../../src/keys/key-addition-signature.ts'
import { MANIFEST_TYP, signManifest, verifyManifestSignature } from '../../src/keys/manifest-signature.ts'
import { generatePublisherKey, parsePrivateJwk, publicHalfOf } from '../../src/keys/publisher-key-file.ts'
import { sampleManifest } from '../support/sample-manifest.ts'
import { signSample } from '../support/sign-sample.ts'

const manifest = sampleManifest('coffee.order')
const bytes = Buffer.from(canonicalManifest(manifest))
const key = await generatePublisherKey('EdDSA')
const otherKey = await generatePublisherKey('ES256')
const registry = [key, otherKey].map(publicHalfOf)
const findKey = (kid: string) => registry.find((candidate) => candidate.kid === kid)
const jws = await signManifest(manifest, key)
const [header = '', , signature = ''] = jws.split('.')

const encode = (value: object | string) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** Signs with any protected header, as an attacker with the key could. */
async function signedWith(protectedHeader: object, privateJwk: PrivateJwk = key): Promise<string> {
  const whole = await new CompactSign(bytes)
    .setProtectedHeader({ alg: privateJwk.alg, kid: privateJwk.kid, typ: MANIFEST_TYP, ...protectedHeader })
    .sign(await importJWK({ ...privateJwk }), { crit: { 'https://example.test/odd': true } })
  const [head, , tail] = whole.split('.')
  return `${head}..${tail}`
}

async function codeOf(candidate: string, over: Uint8Array = bytes): Promise<string> {
  const verdict = await verifyManifestSignature(over, candidate, findKey)
  return verdict.ok ? 'ok' : verdict.code
}

describe('verifyManifestSignature', () => {
  it.each([
    ['EdDSA', key],
    ['ES256', otherKey],
  ])('accepts what signManifest made with %s, and names the key', async (_, privateJwk) => {
    const made = await signManifest(manifest, privateJwk)
    expect(await verifyManifestSignature(bytes, made, findKey)).toEqual({ ok: true, kid: privateJwk.kid })
  })

  it('holds a header of alg, kid and typ and no payload', () => {
    expect(JSON.parse(Buffer.from(header, 'base64url').toString())).toEqual({
      alg: 'EdDSA',
      kid: key.kid,
      typ: 'countersign-manifest+jws',
    })
    expect(jws).toMatch(/^[\w-]+\.\.[\w-]+$/)
  })

  it('refuses other bytes, down to one', async () => {
    const changed = Buffer.from(bytes)
    changed[changed.length - 2] = 0x20
    expect(await codeOf(jws, changed)).toBe('signature_wrong')
    expect(await codeOf(jws, Buffer.from(canonicalManifest({ ...manifest, version: 2 })))).toBe(
      'signature_wrong',
    )
  })

  it.each([
    ['an attached payload', `${header}.${encode('{}')}.${signature}`, 'signature_malformed'],
    ['a missing signature', `${header}..`, 'signature_malformed'],
    ['a fourth part', `${jws}.x`, 'signature_malformed'],
    ['padding', `${jws}==`, 'signature_malformed'],
    [
      'a second spelling of the same signature',
      `${jws.slice(0, -1)}${jws.endsWith('B') ? 'C' : 'B'}`,
      'signature_malformed',
    ],
    ['text of a megabyte', `${header}..${'A'.repeat(1_000_000)}`, 'signature_malformed'],
    ['no JSON in the header', `${encode('no')}..${signature}`, 'signature_header_refused'],
    [
      'a member that stands twice',
      `${encode(`{"alg":"EdDSA","kid":"${key.kid}","kid":"${key.kid}","typ":"${MANIFEST_TYP}"}`)}..${signature}`,
      'signature_header_refused',
    ],
    [
      'a header without kid',
      `${encode({ alg: 'EdDSA', typ: MANIFEST_TYP })}..${signature}`,
      'signature_header_refused',
    ],
    [
      'the algorithm none',
      `${encode({ alg: 'none', kid: key.kid, typ: MANIFEST_TYP })}..${signature}`,
      'signature_alg_refused',
    ],
    [
      'HMAC with the public key',
      `${encode({ alg: 'HS256', kid: key.kid, typ: MANIFEST_TYP })}..${signature}`,
      'signature_alg_refused',
    ],
    [
      'the algorithm of another key',
      `${encode({ alg: 'ES256', kid: key.kid, typ: MANIFEST_TYP })}..${signature}`,
      'signature_alg_refused',
    ],
    [
      'a key nobody registered',
      `${encode({ alg: 'EdDSA', kid: 'x'.repeat(43), typ: MANIFEST_TYP })}..${signature}`,
      'signature_key_unknown',
    ],
    [
      "another living key's name",
      `${encode({ alg: 'ES256', kid: otherKey.kid, typ: MANIFEST_TYP })}..${signature}`,
      'signature_wrong',
    ],
  ])('refuses %s', async (_, candidate, code) => {
    expect(await codeOf(candidate)).toBe(code)
  })

  it.each([
    ['a key it brings along', { jwk: publicHalfOf(key) }],
    ['a place to fetch a key from', { jku: 'https://evil.example/jwks' }],
    ['a certificate', { x5c: ['AAAA'] }],
    ['a place to fetch a certificate from', { x5u: 'https://evil.example/cert' }],
    ['a critical extension', { crit: ['https://example.test/odd'], 'https://example.test/odd': true }],
    ['another type', { typ: 'countersign-key+jws' }],
  ])('refuses a valid signature whose header holds %s', async (_, members) => {
    expect(await codeOf(await signedWith({}))).toBe('ok')
    expect(await codeOf(await signedWith(members))).toBe('signature_header_refused')
  })
})

describe('verifyKeyAddition', () => {
  const addition = { publisher: 'coffee.example', newKeyJwk: publicHalfOf(otherKey) }

  it('accepts the word of a living key for exactly this publisher and key', async () => {
    const made = await signKeyAddition(addition, key)
    expect(await verifyKeyAddition(addition, made, findKey)).toEqual({ ok: true, kid: key.kid })
    for (const other of [
      { ...addition, publisher: 'tea.example' },
      { ...addition, newKeyJwk: publicHalfOf(key) },
    ])
      expect(await verifyKeyAddition(other, made, findKey)).toMatchObject({ code: 'signature_wrong' })
  })

  it('never takes a signature over a manifest for one over a key', async () => {
    expect(await verifyKeyAddition(addition, jws, findKey)).toMatchObject({
      code: 'signature_header_refused',
    })
  })
})

describe('generatePublisherKey', () => {
  it.each(['EdDSA', 'ES256'] as const)('makes %s keys whose public half is accepted', async (alg) => {
    const made = await generatePublisherKey(alg)
    expect(parsePublicJwk(publicHalfOf(made))).toEqual({ ok: true, jwk: publicHalfOf(made) })
    expect(publicHalfOf(made)).not.toHaveProperty('d')
    expect(parsePrivateJwk(JSON.parse(JSON.stringify(made)))).toEqual(made)
    expect(parsePrivateJwk(publicHalfOf(made))).toBeUndefined()
  })
})

describe('signSample', () => {
  it('signs a sample at another address with other runtime keys', async () => {
    const runtimeKey = publicHalfOf(await generatePublisherKey())
    const signed = await signSample(manifest, { baseUrl: 'http://127.0.0.1:4000', runtimeKeys: [runtimeKey] })
    expect(signed.manifest.endpoint).toEqual({ transport: 'http', baseUrl: 'http://127.0.0.1:4000' })
    const verdict = await verifyManifestSignature(Buffer.from(signed.canonical), signed.jws, (kid) =>
      kid === signed.publisherJwk.kid ? signed.publisherJwk : undefined,
    )
    expect(verdict.ok).toBe(true)
  })
})
