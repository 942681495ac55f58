import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { bodyDigest } from '../../../src/core/execution/action-token.ts'
import { importVerificationKeys } from '../../../src/core/execution/compact-jws.ts'
import { verifySkillReceipt } from '../../../src/core/execution/skill-receipt.ts'
import { importSkillKey, type SkillStatement, signSkillReceipt } from '../../../src/sdk/sign-skill-receipt.ts'

const NOW_MS = 1_800_000_000_000
const ed = generateKeyPairSync('ed25519')
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const edKey = importSkillKey({ ...ed.privateKey.export({ format: 'jwk' }), kid: 'run-1' })
const ecKey = importSkillKey({ ...ec.privateKey.export({ format: 'jwk' }), kid: 'run-2' })
const runtimeKeys = importVerificationKeys([
  { ...ed.publicKey.export({ format: 'jwk' }), kid: 'run-1', alg: 'EdDSA' },
  { ...ec.publicKey.export({ format: 'jwk' }), kid: 'run-2', alg: 'ES256' },
])
const ABOUT = {
  executionId: 'exe_1',
  bodyDigest: bodyDigest(Buffer.from('{}')),
  skillId: 'coffee.order',
  action: 'place',
}
const EXPECTED = { ...ABOUT, dispatchedAtMs: NOW_MS - 1_000, nowMs: NOW_MS }
const TAKEN: SkillStatement = { status: 'succeeded', taken: { amountMinor: 3380, currency: 'CNY' } }

describe('verifySkillReceipt', () => {
  it.each([
    ['Ed25519', edKey],
    ['P-256', ecKey],
  ])('accepts what the skill signed with its %s runtime key', (_, key) => {
    const verdict = verifySkillReceipt(signSkillReceipt(key, ABOUT, TAKEN, NOW_MS), runtimeKeys, EXPECTED)
    const receipt = {
      exe: 'exe_1',
      bod: ABOUT.bodyDigest,
      skl: 'coffee.order',
      act: 'place',
      iat: NOW_MS / 1000,
    }
    expect(verdict).toEqual({ ok: true, receipt: { ...receipt, status: 'succeeded', amt: 3380, cur: 'CNY' } })
  })

  it.each(['succeeded', 'refused', 'not_found', 'pending'] as const)(
    'may say %s without an amount',
    (status) => {
      const token = signSkillReceipt(edKey, ABOUT, { status }, NOW_MS)
      expect(verifySkillReceipt(token, runtimeKeys, EXPECTED)).toMatchObject({
        ok: true,
        receipt: { status },
      })
    },
  )

  it.each([
    ['another execution', { ...ABOUT, executionId: 'exe_2' }],
    ['other bytes', { ...ABOUT, bodyDigest: bodyDigest(Buffer.from('{"a":1}')) }],
    ['another skill', { ...ABOUT, skillId: 'pay.transfer' }],
    ['another action', { ...ABOUT, action: 'quote' }],
  ])('refuses a statement about %s', (_, about) => {
    const token = signSkillReceipt(edKey, about, TAKEN, NOW_MS)
    expect(verifySkillReceipt(token, runtimeKeys, EXPECTED)).toEqual({ ok: false, code: 'other_execution' })
  })

  it.each([
    ['just early enough', -301_000, true],
    ['too early to speak of this', -302_000, false],
    ['just late enough', 300_000, true],
    ['from the future', 301_000, false],
  ])('judges a statement that is %s', (_, afterMs, ok) => {
    const token = signSkillReceipt(edKey, ABOUT, TAKEN, NOW_MS + afterMs)
    expect(verifySkillReceipt(token, runtimeKeys, EXPECTED).ok).toBe(ok)
  })

  it.each([
    ['never had it, by the call that asked', { status: 'not_found' }, {}, true],
    ['took it, by the call that asked', TAKEN, {}, false],
    [
      'never had it, by another call',
      { status: 'not_found' },
      { bodyDigest: bodyDigest(Buffer.from('x')) },
      false,
    ],
    ['never had it, by another action', { status: 'not_found' }, { action: 'quote' }, false],
    ['never had another execution', { status: 'not_found' }, { executionId: 'exe_2' }, false],
  ] as const)('a skill that says it %s', (_, statement, other, ok) => {
    const askedBy = { bodyDigest: bodyDigest(Buffer.from('{"execution_id":"exe_1"}')), action: 'get_order' }
    const token = signSkillReceipt(edKey, { ...ABOUT, ...askedBy, ...other }, statement, NOW_MS)
    expect(verifySkillReceipt(token, runtimeKeys, { ...EXPECTED, askedBy }).ok).toBe(ok)
  })

  it('refuses a key the manifest does not name, and a broker key', () => {
    const token = signSkillReceipt(edKey, ABOUT, TAKEN, NOW_MS)
    expect(verifySkillReceipt(token, [], EXPECTED)).toEqual({ ok: false, code: 'unknown_key' })
    const asBroker = { ...ed.publicKey.export({ format: 'jwk' }), kid: 'run-1', cs_purpose: 'receipt' }
    const verdict = verifySkillReceipt(token, importVerificationKeys([asBroker]), EXPECTED)
    expect(verdict).toEqual({ ok: false, code: 'wrong_purpose' })
  })

  it('cannot be signed misshapen: negative, fractional, too large, or in no currency', () => {
    for (const amountMinor of [-1, 1.5, 2 ** 53]) {
      const statement = { status: 'succeeded', taken: { amountMinor, currency: 'CNY' } } as const
      expect(() => signSkillReceipt(edKey, ABOUT, statement, NOW_MS)).toThrow()
    }
    const inNone = { status: 'succeeded', taken: { amountMinor: 1, currency: 'cny' } } as const
    expect(() => signSkillReceipt(edKey, ABOUT, inNone, NOW_MS)).toThrow()
  })
})
