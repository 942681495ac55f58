import type { Bilingual, Effect, Manifest } from '../manifest/manifest.ts'
import { formatMoney, isCurrency } from '../money.ts'
import type { BudgetWindow } from '../spending/budget-limit.ts'
import { visibleText } from '../text-rules.ts'
import { type Locale, type LocalInstant, WORDS } from './words.ts'

/** Says values in one language. What others wrote is quoted, and every odd character in it made visible. */
export type Speaker = {
  readonly locale: Locale
  readonly quote: (text: string) => string
  readonly title: (title: Bilingual) => string
  readonly list: (items: readonly string[]) => string
  readonly money: (amountMinor: number, currency: string) => string
  readonly instant: (atMs: number) => string
  readonly minuteOfDay: (minute: number) => string
  readonly span: (ms: number) => string
  readonly days: (days: number) => string
  readonly times: (count: number) => string
  readonly window: (window: BudgetWindow) => string
  readonly effects: (effects: readonly Effect[]) => string
  readonly role: (role: Manifest['recipients'][number]['role']) => string
}

export function speakerOf(locale: Locale, zone: string): Speaker {
  const words = WORDS[locale]
  const quote = (text: string) => `“${visibleQuoted(text)}”`
  const list = (items: readonly string[]) => items.join(words.separator)
  const count = (amount: number, [one, many]: readonly [string, string]) =>
    `${amount}${amount === 1 ? one : many}`
  const span = (ms: number) =>
    spanParts(ms)
      .map(([amount, unit]) => count(amount, words.units[unit]))
      .join(' ')
  return {
    locale,
    quote,
    title: (title) => quote(title[locale]),
    list,
    money: (minor, currency) =>
      isCurrency(currency) && Number.isSafeInteger(minor)
        ? formatMoney(minor, currency, locale === 'zh' ? 'zh-CN' : 'en')
        : words.minorUnits(minor, currency),
    instant: (atMs) => words.instant(partsInZone(atMs, zone), zone),
    minuteOfDay: (minute) => `${twoDigits(Math.floor(minute / 60))}:${twoDigits(minute % 60)}`,
    span,
    days: (days) => count(days, words.units.day),
    times: (amount) => count(amount, words.times),
    window: (window) => {
      if (window.kind === 'rolling') return words.rolling(span(window.ms))
      return window.kind === 'calendar' ? words.calendar[window.period] : words[window.kind]
    },
    effects: (effects) => list(effects.map((effect) => words.effects[effect])),
    role: (role) => words.roles[role],
  }
}

/** Quotation marks inside a quotation are shown by number, so that no text can end its own quotation. */
function visibleQuoted(text: string): string {
  return visibleText(text).replace(/[“”]/g, (mark) => (mark === '“' ? '‹U+201C›' : '‹U+201D›'))
}

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
  ['millisecond', 1],
] as const

function spanParts(ms: number): [number, (typeof UNITS)[number][0]][] {
  let restMs = ms
  return UNITS.flatMap(([unit, unitMs]): [number, (typeof UNITS)[number][0]][] => {
    const amount = Math.floor(restMs / unitMs)
    restMs -= amount * unitMs
    return amount > 0 ? [[amount, unit]] : []
  })
}

/** Only numbers are taken from the platform: its date texts change between versions, and ours are hashed. */
function partsInZone(atMs: number, zone: string): LocalInstant {
  const parts = new Intl.DateTimeFormat('en-u-ca-gregory-nu-latn', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  }).formatToParts(atMs)
  const numberOf = (type: string) => Number(parts.find((part) => part.type === type)?.value ?? 0)
  const time = `${twoDigits(numberOf('hour'))}:${twoDigits(numberOf('minute'))}`
  return { year: numberOf('year'), month: numberOf('month'), day: numberOf('day'), time }
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}
