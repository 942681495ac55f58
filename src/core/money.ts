import { currencyExponent } from './currency.ts'

export { CURRENCIES, currencyExponent, isCurrency } from './currency.ts'

export type AmountFaultCode =
  | 'amount_malformed'
  | 'amount_negative'
  | 'amount_not_integer'
  | 'amount_too_large'
  | 'amount_too_precise'
  | 'currency_unknown'

export type ParsedAmount =
  | { readonly ok: true; readonly amountMinor: number }
  | { readonly ok: false; readonly code: AmountFaultCode }

/** Signs are meant for refunds only; everywhere else a negative amount would raise a budget. */
export type SignRule = 'no_negative' | 'negative_allowed'

/** Reads an amount that is already in integer minor units. Never rounds; -0 becomes 0. */
export function parseMinor(value: unknown, sign: SignRule = 'no_negative'): ParsedAmount {
  if (typeof value !== 'number' || Number.isNaN(value)) return { ok: false, code: 'amount_malformed' }
  if (value < 0 && sign === 'no_negative') return { ok: false, code: 'amount_negative' }
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) return { ok: false, code: 'amount_too_large' }
  if (!Number.isInteger(value)) return { ok: false, code: 'amount_not_integer' }
  return { ok: true, amountMinor: value === 0 ? 0 : value }
}

const DECIMAL = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?$/

/**
 * Reads a decimal amount such as `33.80` as minor units of a currency, by digits alone: 19.99 times 100 is
 * 1998.9999999999998 in floating point, and a limit read so is one cent short.
 *
 * More decimals than the currency has are refused, zeros included: whoever writes `100.00` for yen has
 * another unit in mind.
 */
export function fromDecimalString(
  text: string,
  currency: string,
  sign: SignRule = 'no_negative',
): ParsedAmount {
  const exponent = currencyExponent(currency)
  if (exponent === undefined) return { ok: false, code: 'currency_unknown' }
  const match = DECIMAL.exec(text)
  if (!match) return { ok: false, code: 'amount_malformed' }
  const [, minus = '', whole = '', fraction = ''] = match
  if (minus !== '' && sign === 'no_negative') return { ok: false, code: 'amount_negative' }
  if (fraction.length > exponent) return { ok: false, code: 'amount_too_precise' }
  const magnitude = Number(whole + fraction.padEnd(exponent, '0'))
  if (!Number.isSafeInteger(magnitude)) return { ok: false, code: 'amount_too_large' }
  return { ok: true, amountMinor: minus === '' || magnitude === 0 ? magnitude : -magnitude }
}

/**
 * Writes minor units as a decimal with exactly the currency's digits: 3380 CNY is `33.80`.
 *
 * @throws RangeError on an unknown currency or an amount that is no safe integer; both are parsed before.
 */
export function toDecimalString(amountMinor: number, currency: string): string {
  const exponent = currencyExponent(currency)
  if (exponent === undefined) throw new RangeError('unknown currency')
  if (!Number.isSafeInteger(amountMinor)) throw new RangeError('amountMinor must be a safe integer')
  const digits = String(Math.abs(amountMinor)).padStart(exponent + 1, '0')
  const whole = digits.slice(0, digits.length - exponent)
  const fraction = exponent === 0 ? '' : `.${digits.slice(-exponent)}`
  return `${amountMinor < 0 ? '-' : ''}${whole}${fraction}`
}

const formats = new Map<string, Intl.NumberFormat>()

/**
 * Writes an amount for people, with the currency's own digits and no rounding, in a locale such as `en` or
 * `zh-CN`. Symbols are those by which the locale tells currencies apart (`¥` is yuan in Chinese, yen in English).
 *
 * @throws RangeError as `toDecimalString`, and on a locale that is none.
 */
export function formatMoney(amountMinor: number, currency: string, locale: string): string {
  const decimal = toDecimalString(amountMinor, currency)
  const key = `${locale} ${currency}`
  const format = formats.get(key) ?? newFormat(currency, locale)
  // Locales are ours and few; a caller that passes others must not fill memory.
  if (formats.size < 1000) formats.set(key, format)
  // As text, because `format` reads digits exactly where a division by 100 would not.
  return format.format(decimal as Intl.StringNumericLiteral)
}

function newFormat(currency: string, locale: string): Intl.NumberFormat {
  const digits = currencyExponent(currency) ?? 0
  return new Intl.NumberFormat(locale, {
    style: 'currency',
    currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
}
