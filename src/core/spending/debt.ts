/** What an order said it owes, and whether a permitted payment has taken it on. */
export interface Debt {
  readonly payee: string
  readonly amountMinor: number
  readonly currency: string
  readonly paid: boolean
}

export interface Payment {
  readonly payee: string
  readonly amountMinor: number
  readonly currency: string
}

/** In order of precedence. */
export type PaymentCheck = 'ask_first' | 'already_settled' | 'debt_mismatch' | 'settles'

/**
 * Whether a payment is what its order owes: money is counted where it moves, once. A payment of no order is
 * ask-first; one that names an execution which owes nothing is not "no order", and its caller refuses it.
 *
 * @param debt the debt of the execution that the payment names; null if it names none.
 */
export function checkPayment(debt: Debt | null, payment: Payment): PaymentCheck {
  if (debt === null) return 'ask_first'
  if (debt.paid) return 'already_settled'
  const equal =
    debt.payee === payment.payee &&
    debt.amountMinor === payment.amountMinor &&
    debt.currency === payment.currency
  return equal ? 'settles' : 'debt_mismatch'
}
