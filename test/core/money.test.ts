import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  CURRENCIES,
  currencyExponent,
  formatMoney,
  fromDecimalString,
  isCurrency,
  parseMinor,
  toDecimalString,
} from '../../src/core/money.ts'

describe('the currency table', () => {
  it.each([
    ['CNY', 2],
    ['USD', 2],
    ['JPY', 0],
    ['KRW', 0],
    ['UGX', 0],
    ['KWD', 3],
    ['BHD', 3],
    ['JOD', 3],
    ['OMR', 3],
    ['TND', 3],
    ['IQD', 3],
    ['LYD', 3],
    ['CLF', 4],
    ['UYW', 4],
    ['HUF', 2], // Intl rounds forint and rupiah to 0 digits; payment systems count 2.
    ['IDR', 2],
  ])('counts %s in units of %i digits', (code, exponent) => {
    expect(currencyExponent(code)).toBe(exponent)
  })

  it.each(['usd', 'Usd', 'USD ', 'US', 'XAU', 'XXX', 'XTS', 'BTC', '', '__proto__', 'constructor'])(
    'does not know %j',
    (code) => {
      expect(isCurrency(code)).toBe(false)
      expect(fromDecimalString('1', code)).toEqual({ ok: false, code: 'currency_unknown' })
    },
  )

  it('lists every code once, in capitals', () => {
    expect(new Set(CURRENCIES).size).toBe(CURRENCIES.length)
    expect(CURRENCIES.every((code) => /^[A-Z]{3}$/.test(code))).toBe(true)
  })
})

describe('parseMinor', () => {
  it.each([
    ['zero', 0, 0],
    ['an amount', 3380, 3380],
    ['2^53 - 1', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
    ['2^53', 2 ** 53, 'amount_too_large'],
    ['a negative amount', -500, 'amount_negative'],
    ['a fraction', 19.99, 'amount_not_integer'],
    ['not a number', Number.NaN, 'amount_malformed'],
    ['infinity', Number.POSITIVE_INFINITY, 'amount_too_large'],
    ['a numeric string', '3380', 'amount_malformed'],
    ['nothing', null, 'amount_malformed'],
    ['a bigint', 3380n, 'amount_malformed'],
  ])('answers for %s', (_, value, expected) => {
    const parsed = parseMinor(value)
    expect(parsed.ok ? parsed.amountMinor : parsed.code).toBe(expected)
  })

  it('reads signed refunds only where they are asked for, and never a minus zero', () => {
    expect(parseMinor(-500, 'negative_allowed')).toEqual({ ok: true, amountMinor: -500 })
    expect(parseMinor(-(2 ** 53), 'negative_allowed')).toEqual({ ok: false, code: 'amount_too_large' })
    expect(parseMinor(-0)).toEqual({ ok: true, amountMinor: 0 })
  })
})

describe('fromDecimalString', () => {
  it.each([
    ['33.80', 'CNY', 3380],
    ['33.8', 'CNY', 3380],
    ['33', 'CNY', 3300],
    ['19.99', 'USD', 1999], // 19.99 * 100 is 1998.9999999999998: a budget read so denies its last cent.
    ['0.29', 'USD', 29],
    ['1000', 'JPY', 1000], // Times 100 this budget would allow 100 times as much.
    ['100.00', 'JPY', 'amount_too_precise'],
    ['10', 'KWD', 10_000],
    ['9.999', 'KWD', 9999], // Times 100 this payment within 10 KWD would be denied.
    ['9.9990', 'KWD', 'amount_too_precise'],
    ['0.0001', 'CLF', 1],
    ['0.001', 'CNY', 'amount_too_precise'],
    ['90071992547409.91', 'USD', 9_007_199_254_740_991],
    ['90071992547409.92', 'USD', 'amount_too_large'],
    ['99999999999999999999999999', 'USD', 'amount_too_large'],
    ['-1.00', 'USD', 'amount_negative'],
    ['+1.00', 'USD', 'amount_malformed'],
    ['1.', 'USD', 'amount_malformed'],
    ['.5', 'USD', 'amount_malformed'],
    ['01.00', 'USD', 'amount_malformed'],
    ['1e2', 'USD', 'amount_malformed'],
    ['1,000.00', 'USD', 'amount_malformed'],
    [' 1.00', 'USD', 'amount_malformed'],
    ['1.00\n', 'USD', 'amount_malformed'],
    ['１.00', 'USD', 'amount_malformed'],
    ['', 'USD', 'amount_malformed'],
    ['1.00', 'usd', 'currency_unknown'],
  ])('reads %j %s', (text, currency, expected) => {
    const parsed = fromDecimalString(text, currency)
    expect(parsed.ok ? parsed.amountMinor : parsed.code).toBe(expected)
  })

  it('reads back exactly what toDecimalString wrote, for every currency', () => {
    const amount = fc.integer({ min: -Number.MAX_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER })
    for (const currency of CURRENCIES) {
      fc.assert(
        fc.property(amount, (amountMinor) => {
          const text = toDecimalString(amountMinor, currency)
          expect(fromDecimalString(text, currency, 'negative_allowed')).toEqual({ ok: true, amountMinor })
        }),
        { seed: 1, numRuns: 50 },
      )
    }
  })
})

describe('toDecimalString', () => {
  it.each([
    [3380, 'CNY', '33.80'],
    [5, 'CNY', '0.05'],
    [0, 'CNY', '0.00'],
    [500, 'JPY', '500'],
    [-5, 'KWD', '-0.005'],
    [9_007_199_254_740_991, 'USD', '90071992547409.91'],
  ])('writes %i %s', (amountMinor, currency, text) => {
    expect(toDecimalString(amountMinor, currency)).toBe(text)
  })

  it('throws on what no parser here lets through', () => {
    expect(() => toDecimalString(1.5, 'USD')).toThrow(RangeError)
    expect(() => toDecimalString(2 ** 53, 'USD')).toThrow(RangeError)
    expect(() => toDecimalString(1, 'usd')).toThrow(RangeError)
  })
})

describe('formatMoney', () => {
  it.each([
    [3380, 'CNY', 'zh-CN', '¥33.80'],
    [3380, 'CNY', 'en', 'CN¥33.80'],
    [500, 'JPY', 'en', '¥500'],
    [9999, 'KWD', 'en', 'KWD\u00a09.999'],
    [12_345, 'HUF', 'en', 'HUF\u00a0123.45'],
    [9_007_199_254_740_991, 'USD', 'en', '$90,071,992,547,409.91'],
  ])('shows %i %s in %s without rounding', (amountMinor, currency, locale, shown) => {
    expect(formatMoney(amountMinor, currency, locale)).toBe(shown)
  })

  it('can show every currency', () => {
    for (const currency of CURRENCIES) expect(formatMoney(1234, currency, 'zh-CN')).toMatch(/\d/)
  })
})
