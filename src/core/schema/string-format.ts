export const FORMATS = ['uri', 'email', 'date', 'date-time', 'uuid'] as const
export type Format = (typeof FORMATS)[number]

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const DATE = /^(\d{4})-(\d{2})-(\d{2})$/
const TIME = /^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i
const MAILBOX = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/i
/** An absolute URI of RFC 3986: a scheme, then only its characters. WHATWG alone would trim and mend. */
const URI = /^[a-z][a-z0-9+.-]*:[\w\-.~:/?#[\]@!$&'()*+,;=%]+$/i

const MATCHES: { readonly [F in Format]: (text: string) => boolean } = {
  uri: (text) => URI.test(text) && !/%(?![0-9a-f]{2})/i.test(text) && URL.canParse(text),
  email: isEmail,
  date: isDate,
  'date-time': (text) =>
    /^[Tt]$/.test(text[10] ?? '') && isDate(text.slice(0, 10)) && TIME.test(text.slice(11)),
  uuid: (text) => UUID.test(text),
}

/** Tells whether a text has one of the five formats; every expression here is linear in its length. */
export function hasFormat(text: string, format: Format): boolean {
  return MATCHES[format](text)
}

/** One ASCII mailbox (RFC 5321 section 4.1.2 without quoted names and address literals). */
function isEmail(text: string): boolean {
  const at = text.lastIndexOf('@')
  const local = text.slice(0, Math.max(at, 0))
  const domain = text.slice(at + 1)
  if (at < 1 || local.length > 64 || domain.length > 253 || !MAILBOX.test(local)) return false
  const labels = domain.split('.')
  return labels.length > 1 && labels.every((label) => LABEL.test(label))
}

/** A day that exists (RFC 3339 section 5.6, with the month lengths of section 5.7). */
function isDate(text: string): boolean {
  const [, year = '', month = '', day = ''] = DATE.exec(text) ?? []
  const isLeap = Number(year) % 4 === 0 && (Number(year) % 100 !== 0 || Number(year) % 400 === 0)
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][Number(month) - 1]
  return days !== undefined && Number(day) >= 1 && Number(day) <= days
}
