import { describe, expect, it } from 'vitest'
import { renewedTerms, stateOf, statusAfter } from '../../../src/core/grant/grant-state.ts'
import { DAY_MS, NOW_MS, TERMS } from './sample-grant.ts'

describe('the state of a grant', () => {
  it.each([
    ['active', NOW_MS + 1, 'active'],
    ['active', NOW_MS, 'expired'],
    ['paused', NOW_MS + 1, 'paused'],
    ['paused', NOW_MS, 'expired'],
    ['revoked', NOW_MS, 'revoked'],
    ['used_up', NOW_MS - 1, 'used_up'],
    ['replaced', NOW_MS - 1, 'replaced'],
  ] as const)('%s, with expiry %d, is %s', (status, expiresAtMs, state) => {
    expect(stateOf({ status, expiresAtMs }, NOW_MS)).toBe(state)
  })

  it('never comes back from an end', () => {
    for (const state of ['revoked', 'used_up', 'replaced'] as const) {
      for (const event of ['pause', 'resume', 'revoke', 'use_up', 'replace', 'renew'] as const) {
        expect(statusAfter(state, event)).toBeUndefined()
      }
    }
  })

  it('is used up only while active', () => {
    expect(statusAfter('active', 'use_up')).toBe('used_up')
    expect(statusAfter('paused', 'use_up')).toBeUndefined()
    expect(statusAfter('expired', 'use_up')).toBeUndefined()
  })

  it('does not resume by being renewed', () => {
    expect(statusAfter('paused', 'renew')).toBe('paused')
    expect(statusAfter('expired', 'resume')).toBeUndefined()
  })
})

describe('renewal', () => {
  const was = TERMS.expiresAtMs
  it.each([
    ['of a revoked grant', 'revoked', was + 1, 'grant_ended'],
    ['of a used one-time grant', 'used_up', was + 1, 'grant_ended'],
    ['until the very instant', 'active', NOW_MS, 'expiry_passed'],
    ['until the same time', 'active', was, 'expiry_not_later'],
    ['a millisecond beyond 400 days', 'active', NOW_MS + 400 * DAY_MS + 1, 'expiry_too_far'],
    ['for 400 days', 'active', NOW_MS + 400 * DAY_MS, 'ok'],
    ['of a paused grant', 'paused', was + 1, 'ok'],
    ['of an expired grant', 'expired', was + 1, 'ok'],
  ] as const)('%s', (_, state, expiresAtMs, expected) => {
    const renewal = renewedTerms(TERMS, state, expiresAtMs, NOW_MS)
    expect(renewal.ok ? 'ok' : renewal.code).toBe(expected)
    if (renewal.ok) expect(renewal.terms).toEqual({ ...TERMS, expiresAtMs })
  })
})
