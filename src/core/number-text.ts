/**
 * Tells whether a JSON number's text denotes exactly what its double prints back (RFC 8785 section 3.2.2.3),
 * so `1.0`, `1e2` and `0.10` are exact while `1e400`, `9007199254740993` and `0.1000000000000000055` are not.
 *
 * @param text a number in the JSON grammar, already matched.
 */
export function isExactNumber(text: string, value: number): boolean {
  if (!Number.isFinite(value)) return false
  const printed = String(value)
  if (printed === text) return true
  const wanted = decimalOf(text)
  const got = decimalOf(printed)
  return wanted.digits === got.digits && wanted.exponent === got.exponent && isSameSign(wanted, got)
}

type Decimal = { readonly isNegative: boolean; readonly digits: string; readonly exponent: number }

/** Digits without zeros at either end, times ten to the exponent; zero has no digits and exponent 0. */
function decimalOf(text: string): Decimal {
  const isNegative = text.startsWith('-')
  const [mantissa = '', exponentText = '0'] = text.slice(isNegative ? 1 : 0).split(/[eE]/)
  const [whole = '', fraction = ''] = mantissa.split('.')
  const all = whole + fraction
  let start = 0
  let end = all.length
  while (start < end && all[start] === '0') start += 1
  while (end > start && all[end - 1] === '0') end -= 1
  if (start === end) return { isNegative, digits: '', exponent: 0 }
  const exponent = Number(exponentText) - fraction.length + (all.length - end)
  return { isNegative, digits: all.slice(start, end), exponent }
}

function isSameSign(a: Decimal, b: Decimal): boolean {
  return a.digits === '' || a.isNegative === b.isNegative
}
