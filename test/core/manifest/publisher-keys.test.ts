import { describe, expect, it } from 'vitest'
import { type PublicJwk, parsePublicJwk, thumbprintOf } from '../../../src/core/manifest/public-key.ts'
import {
  addKey,
  findLivingKey,
  type PublisherKeySet,
  revokeKey,
} from '../../../src/core/manifest/publisher-keys.ts'

/** RFC 8037 appendix A.2 and A.3: the key and its thumbprint. */
const RFC_8037_X = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'
const RFC_8037_KID = 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k'
const ed25519 = { kty: 'OKP', crv: 'Ed25519', x: RFC_8037_X, kid: RFC_8037_KID, alg: 'EdDSA' } as const
/** RFC 7515 appendix A.3.1. */
const point = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
} as const
const p256 = { ...point, alg: 'ES256', kid: thumbprintOf(point) } as const

describe('parsePublicJwk', () => {
  it.each([
    ['an Ed25519 key', ed25519],
    ['a P-256 key', p256],
    ['a key that states its use', { ...ed25519, use: 'sig' }],
  ])('accepts %s', (_, jwk) => {
    expect(parsePublicJwk(jwk)).toEqual({ ok: true, jwk })
  })

  it.each([
    ['a private key', { ...ed25519, d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A' }, 'private_key_given'],
    ['a symmetric key', { kty: 'oct', k: 'AAAA' }, 'private_key_given'],
    ['nothing', undefined, 'not_a_public_key'],
    ['an unknown member', { ...ed25519, x5u: 'https://evil.example' }, 'not_a_public_key'],
    ['an algorithm of another key type', { ...ed25519, alg: 'ES256' }, 'not_a_public_key'],
    ['the algorithm none', { ...ed25519, alg: 'none' }, 'not_a_public_key'],
    ['a key for encryption', { ...ed25519, use: 'enc' }, 'not_a_public_key'],
    ['coordinates with a second spelling', { ...ed25519, x: `${RFC_8037_X.slice(0, -1)}p` }, 'not_on_curve'],
    ['a point off the curve', { ...p256, y: p256.x }, 'not_on_curve'],
    ["another key's kid", { ...ed25519, kid: p256.kid }, 'kid_not_thumbprint'],
  ])('refuses %s', (_, value, code) => {
    const parsed = parsePublicJwk(value)
    expect(parsed.ok ? 'accepted' : parsed.fault.code).toBe(code)
  })
})

/** Key rules look at kids only, so a kid is enough of a key here. */
const key = (kid: string): PublicJwk => ({ ...ed25519, kid })
const operator = { kind: 'operator', operatorId: 'opr_1' } as const
const by = (kid: string) => ({ kind: 'key', kid }) as const

function keySetOf(
  ...steps: [kid: string, addedBy: ReturnType<typeof by> | typeof operator][]
): PublisherKeySet {
  return steps.reduce<PublisherKeySet>(
    (keySet, [kid, addedBy]) => {
      const outcome = addKey(keySet, key(kid), addedBy)
      if (outcome.kind !== 'added') throw new Error(outcome.kind)
      return outcome.keySet
    },
    { publisher: 'coffee.example', keys: [] },
  )
}

function revoked(keySet: PublisherKeySet, kid: string): PublisherKeySet {
  const outcome = revokeKey(keySet, kid, [])
  if (outcome.kind !== 'revoked') throw new Error(outcome.kind)
  return outcome.keySet
}

const two = keySetOf(['a', operator], ['b', by('a')])

describe('addKey', () => {
  it.each([
    ['a key that was revoked, whoever lets it in', revoked(two, 'b'), 'b', operator, 'key_was_revoked'],
    ['a key that is there already', two, 'b', by('a'), 'key_already_living'],
    ['the word of a key nobody knows', two, 'c', by('z'), 'introducer_unknown'],
    ['the word of the new key itself', two, 'c', by('c'), 'introducer_unknown'],
    ['the word of a revoked key', revoked(two, 'b'), 'c', by('b'), 'introducer_revoked'],
    ['the word of a living key', two, 'c', by('b'), 'added'],
    ['the word of an operator', two, 'c', operator, 'added'],
  ] as const)('answers %s', (_, keySet, kid, addedBy, kind) => {
    expect(addKey(keySet, key(kid), addedBy).kind).toBe(kind)
  })

  it('keeps eight living keys and no more, until one is revoked', () => {
    const steps = ['b', 'c', 'd', 'e', 'f', 'g', 'h'].map(
      (kid) => [kid, by('a')] as [string, ReturnType<typeof by>],
    )
    const full = keySetOf(['a', operator], ...steps)
    expect(addKey(full, key('i'), by('a'))).toEqual({ kind: 'too_many_keys', most: 8 })
    expect(addKey(revoked(full, 'b'), key('i'), by('a')).kind).toBe('added')
  })

  it('remembers who let a key in, and changes no key set it was given', () => {
    expect(two.keys[1]).toMatchObject({ kid: 'b', state: 'living', addedBy: { kind: 'key', kid: 'a' } })
    addKey(two, key('c'), operator)
    expect(two.keys).toHaveLength(2)
  })
})

describe('revokeKey', () => {
  const versions = [
    { skill: 'coffee.order', version: 1, signedBy: ['a'] },
    { skill: 'coffee.order', version: 2, signedBy: ['a', 'b'] },
    { skill: 'coffee.order', version: 3, signedBy: ['b'] },
  ]

  it('suspends every version only it signed', () => {
    expect(revokeKey(two, 'a', versions)).toMatchObject({ kind: 'revoked', suspended: [{ version: 1 }] })
  })

  it('suspends what two keys signed once both are revoked', () => {
    expect(revokeKey(revoked(two, 'a'), 'b', versions)).toMatchObject({
      suspended: [{ version: 2 }, { version: 3 }],
    })
  })

  it('names the living keys it let in, at any remove', () => {
    const chain = keySetOf(['a', operator], ['b', by('a')], ['c', by('b')], ['d', operator])
    expect(revokeKey(chain, 'a', [])).toMatchObject({ suspectKids: ['b', 'c'] })
    expect(revokeKey(revoked(chain, 'b'), 'a', [])).toMatchObject({ suspectKids: ['c'] })
  })

  it('takes the key out of use at once', () => {
    expect(findLivingKey(two, 'b')?.kid).toBe('b')
    expect(findLivingKey(revoked(two, 'b'), 'b')).toBeUndefined()
  })

  it.each([
    ['an unknown key', two, 'z', 'key_unknown'],
    ['a key that is revoked already', revoked(two, 'b'), 'b', 'key_already_revoked'],
  ] as const)('answers %s', (_, keySet, kid, kind) => {
    expect(revokeKey(keySet, kid, versions).kind).toBe(kind)
  })
})
