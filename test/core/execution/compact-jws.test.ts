import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  importVerificationKeys,
  jwsSigningInput,
  verifyCompactJws,
} from '../../../src/core/execution/compact-jws.ts'

const TYP = 'countersign-test+jwt'
const ed = generateKeyPairSync('ed25519')
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const publicJwk = { ...ed.publicKey.export({ format: 'jwk' }), kid: 'ed', cs_purpose: 'action' }
const keys = importVerificationKeys([
  publicJwk,
  { ...ec.publicKey.export({ format: 'jwk' }), kid: 'ec', cs_purpose: 'action' },
])

function signEd(header: object, payload: object = { a: 1 }, key: KeyObject = ed.privateKey): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${sign(null, Buffer.from(input), key).toString('base64url')}`
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const HEADER = { alg: 'EdDSA', kid: 'ed', typ: TYP }

function check(token: string, changes: { typ?: string; purpose?: string } = {}) {
  const verdict = verifyCompactJws(token, { typ: TYP, keys, purpose: 'action', ...changes })
  return verdict.ok ? verdict.payload : verdict.code
}

describe('verifyCompactJws', () => {
  it('accepts a token signed with EdDSA', () => {
    expect(check(signEd(HEADER))).toEqual({ a: 1 })
  })

  it('accepts a token signed with ES256 in the fixed-length form', () => {
    const input = jwsSigningInput({ alg: 'ES256', kid: 'ec', typ: TYP }, { b: 2 })
    const bytes = Buffer.from(input)
    const fixed = sign('sha256', bytes, { key: ec.privateKey, dsaEncoding: 'ieee-p1363' })
    expect(check(`${input}.${fixed.toString('base64url')}`)).toEqual({ b: 2 })
    const der = sign('sha256', bytes, ec.privateKey)
    expect(check(`${input}.${der.toString('base64url')}`)).toBe('bad_signature')
  })

  it.each([
    [
      'alg none without a signature',
      `${encode({ ...HEADER, alg: 'none' })}.${encode({ a: 1 })}.`,
      'algorithm_refused',
    ],
    ['alg None', signEd({ ...HEADER, alg: 'None' }), 'algorithm_refused'],
    ['an algorithm of another curve', signEd({ ...HEADER, alg: 'ES256' }), 'algorithm_refused'],
    ['an algorithm under another name', signEd({ ...HEADER, alg: 'Ed25519' }), 'algorithm_refused'],
    ['another type', signEd({ ...HEADER, typ: 'at+jwt' }), 'wrong_type'],
    ['no type', signEd({ alg: 'EdDSA', kid: 'ed' }), 'header_refused'],
    ['no key id', signEd({ alg: 'EdDSA', typ: TYP }), 'header_refused'],
    ['an unknown key id', signEd({ ...HEADER, kid: 'other' }), 'unknown_key'],
    ['a key it brings along', signEd({ ...HEADER, jwk: publicJwk }), 'header_refused'],
    ['a key set URL', signEd({ ...HEADER, jku: 'https://evil.example/jwks' }), 'header_refused'],
    ['a certificate URL', signEd({ ...HEADER, x5u: 'https://evil.example/cert' }), 'header_refused'],
    ['certificates', signEd({ ...HEADER, x5c: ['AAAA'] }), 'header_refused'],
    ['critical extensions', signEd({ ...HEADER, crit: ['b64'], b64: false }), 'header_refused'],
    ['compression', signEd({ ...HEADER, zip: 'DEF' }), 'header_refused'],
    ['two parts', signEd(HEADER).split('.').slice(0, 2).join('.'), 'malformed'],
    ['four parts', `${signEd(HEADER)}.x`, 'malformed'],
    ['five parts, as an encrypted token has', 'a.b.c.d.e', 'malformed'],
    ['an empty payload', `${encode(HEADER)}..AAAA`, 'malformed'],
    ['padding in its header', `${encode(HEADER)}=.${encode({})}.AAAA`, 'malformed'],
    ['too many characters', 'a'.repeat(20_000), 'malformed'],
    ['nothing', '', 'malformed'],
    ['a header that is no object', `${Buffer.from('"x"').toString('base64url')}.e30.AAAA`, 'header_refused'],
    ['no signature', `${encode(HEADER)}.${encode({ a: 1 })}.`, 'bad_signature'],
    ['a signature that is too short', `${encode(HEADER)}.${encode({ a: 1 })}.AAAA`, 'bad_signature'],
    [
      'another key under a known id',
      signEd(HEADER, {}, generateKeyPairSync('ed25519').privateKey),
      'bad_signature',
    ],
  ])('refuses a token with %s', (_, token, code) => {
    expect(check(token)).toBe(code)
  })

  it('refuses HS256 keyed with the public key in any of its spellings', () => {
    const pem = createPublicKey(ed.privateKey).export({ format: 'pem', type: 'spki' }).toString()
    const input = `${encode({ ...HEADER, alg: 'HS256' })}.${encode({ a: 1 })}`
    for (const secret of [pem, publicJwk.x ?? '', JSON.stringify(publicJwk)]) {
      const tag = createHmac('sha256', secret).update(input).digest('base64url')
      expect(check(`${input}.${tag}`)).toBe('algorithm_refused')
    }
  })

  it('refuses a changed payload and a changed header', () => {
    const [header, , signature] = signEd(HEADER).split('.')
    expect(check(`${header}.${encode({ a: 2 })}.${signature}`)).toBe('bad_signature')
    const [, payload] = signEd(HEADER).split('.')
    expect(check(`${encode({ typ: TYP, alg: 'EdDSA', kid: 'ed' })}.${payload}.${signature}`)).toBe(
      'bad_signature',
    )
  })

  it('refuses a second spelling of the same signature', () => {
    const token = signEd(HEADER)
    // 64 bytes leave four unused bits in the last character; setting them must not give another valid token.
    const last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const index = last.indexOf(token.at(-1) ?? '')
    expect(check(token.slice(0, -1) + last[index + 1])).toBe('bad_signature')
  })

  it('refuses a key for another purpose, and a purpose where none is expected', () => {
    expect(check(signEd(HEADER), { purpose: 'access' })).toBe('wrong_purpose')
    expect(verifyCompactJws(signEd(HEADER), { typ: TYP, keys })).toEqual({ ok: false, code: 'wrong_purpose' })
  })
})

describe('importVerificationKeys', () => {
  it.each([
    ['an RSA key', { kty: 'RSA', n: 'AQAB', e: 'AQAB', kid: 'x' }],
    ['a symmetric key', { kty: 'oct', k: 'AAAA', kid: 'x' }],
    ['a key for encryption', { ...publicJwk, use: 'enc' }],
    ['a key without an id', { ...publicJwk, kid: undefined }],
    ['a key whose algorithm contradicts its curve', { ...publicJwk, alg: 'ES256' }],
    ['a key whose type contradicts its curve', { ...publicJwk, kty: 'EC' }],
    ['a point that is not on the curve', { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', kid: 'x' }],
    ['no object', 'key'],
  ])('leaves out %s', (_, candidate) => {
    expect(importVerificationKeys([candidate])).toEqual([])
  })

  it('takes neither of two keys with one id', () => {
    const other = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })
    expect(importVerificationKeys([publicJwk, { ...other, kid: 'ed' }])).toEqual([])
  })
})
