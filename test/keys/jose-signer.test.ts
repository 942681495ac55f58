import { createPublicKey, verify } from 'node:crypto'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { KEY_PURPOSES } from '../../src/ports/signer.ts'
import { createTestSigner } from '../support/test-broker-keys.ts'

const { signer } = createTestSigner()

describe('createSigner', () => {
  it('signs what any JOSE library verifies with the published keys', async () => {
    const token = await signer.sign('access', { typ: 'at+jwt' }, { sub: 'usr_1', name: '小明' })
    const keys = createLocalJWKSet({ keys: signer.jwks().keys.map((key) => ({ ...key })) })
    const { payload, protectedHeader } = await jwtVerify(token, keys, {
      typ: 'at+jwt',
      algorithms: ['EdDSA'],
    })
    expect(payload).toEqual({ sub: 'usr_1', name: '小明' })
    expect(protectedHeader).toEqual({ alg: 'EdDSA', typ: 'at+jwt', kid: signer.currentKey('access').kid })
  })

  it('signs bytes with the log key as they are', async () => {
    const bytes = Buffer.from('log.example\n3\nroot\n')
    const signature = await signer.signBytes('log', bytes)
    const { kty, crv, x } = signer.currentKey('log')
    expect(verify(null, bytes, createPublicKey({ format: 'jwk', key: { kty, crv, x } }), signature)).toBe(
      true,
    )
  })

  it('publishes every purpose and no private part', () => {
    const { keys } = signer.jwks()
    expect(keys.map((key) => key.cs_purpose).sort()).toEqual([...KEY_PURPOSES].sort())
    for (const key of keys) {
      expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'cs_purpose', 'kid', 'kty', 'use', 'x'])
    }
  })
})
