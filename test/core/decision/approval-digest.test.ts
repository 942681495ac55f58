import { describe, expect, it } from 'vitest'
import { approvalDigestOfExact, type ExactAction } from '../../../src/core/decision/approval-digest.ts'

const EXACT: ExactAction = {
  userId: 'usr_a',
  agentId: 'agt_a',
  skill: 'coffee.order',
  manifestDigest: 'digest',
  action: 'order_and_pay',
  arguments: { total_amount: 100, note: 'a' },
  amount: { amountMinor: 100, currency: 'CNY' },
  recipients: ['payee-a'],
  previewDigest: null,
}

describe('what one yes covers', () => {
  it('is the same whatever order the members of the arguments are in', () => {
    const reordered = { ...EXACT, arguments: { note: 'a', total_amount: 100 } }
    expect(approvalDigestOfExact(reordered)).toBe(approvalDigestOfExact(EXACT))
  })

  it.each<[string, Partial<ExactAction>]>([
    ['user', { userId: 'usr_b' }],
    ['agent', { agentId: 'agt_b' }],
    ['skill', { skill: 'coffee.other' }],
    ['manifest', { manifestDigest: 'other' }],
    ['action', { action: 'place_order' }],
    ['argument', { arguments: { total_amount: 100, note: 'b' } }],
    ['amount', { amount: { amountMinor: 101, currency: 'CNY' } }],
    ['currency', { amount: { amountMinor: 100, currency: 'JPY' } }],
    ['amount that is none', { amount: null }],
    ['recipient', { recipients: ['payee-b'] }],
    ['further recipient', { recipients: ['payee-a', 'payee-b'] }],
    ['preview', { previewDigest: 'shown' }],
  ])('is something else with another %s', (_, change) => {
    expect(approvalDigestOfExact({ ...EXACT, ...change })).not.toBe(approvalDigestOfExact(EXACT))
  })
})
