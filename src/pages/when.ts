import { LANGUAGE_TAGS, type Locale } from './locale.ts'

const formats = new Map<string, Intl.DateTimeFormat>()

/**
 * An instant as people write it, in their own time zone. For lists and notes: what a person agrees to is said by the
 * speaker of core/grant, whose words are hashed.
 */
export function when(atMs: number, zone: string, locale: Locale): string {
  const key = `${locale} ${zone}`
  const format =
    formats.get(key) ??
    new Intl.DateTimeFormat(LANGUAGE_TAGS[locale], {
      dateStyle: 'medium',
      timeStyle: 'short',
      timeZone: zone,
    })
  // Zones are the users' choice and few hundred; memory must not follow whatever they pick for ever.
  if (formats.size < 1_000) formats.set(key, format)
  return format.format(atMs)
}

/** A span in whole minutes, one at least: without script nothing counts down, so that seconds would only be wrong. */
export function wholeMinutes(ms: number): number {
  return Math.max(60_000, Math.floor(ms / 60_000) * 60_000)
}
