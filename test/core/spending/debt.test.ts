import { describe, expect, it } from 'vitest'
import { checkPayment } from '../../../src/core/spending/debt.ts'

const OWED = { payee: 'shop_1', amountMinor: 3200, currency: 'CNY' }
const DEBT = { ...OWED, paid: false }

describe('a payment', () => {
  it.each([
    ['of no order', null, OWED, 'ask_first'],
    [
      'of a debt that is paid, even of another amount',
      { ...DEBT, paid: true },
      { ...OWED, amountMinor: 1 },
      'already_settled',
    ],
    ['of a debt that is paid', { ...DEBT, paid: true }, OWED, 'already_settled'],
    ['one unit above', DEBT, { ...OWED, amountMinor: 3201 }, 'debt_mismatch'],
    ['one unit below', DEBT, { ...OWED, amountMinor: 3199 }, 'debt_mismatch'],
    ['to someone else', DEBT, { ...OWED, payee: 'shop_2' }, 'debt_mismatch'],
    ['in another currency', DEBT, { ...OWED, currency: 'JPY' }, 'debt_mismatch'],
    ['of exactly what is owed', DEBT, OWED, 'settles'],
  ] as const)('%s', (_, debt, payment, verdict) => {
    expect(checkPayment(debt, payment)).toBe(verdict)
  })
})
