import type { Locale } from '../core/grant/words.ts'

export type { Locale } from '../core/grant/words.ts'

export const LOCALES: readonly Locale[] = ['en', 'zh']

/** BCP 47 tag for `lang` attributes and for `Intl`. */
export const LANGUAGE_TAGS: Readonly<Record<Locale, string>> = { en: 'en', zh: 'zh-CN' }

const HEADER_CHARACTERS_MOST = 500

/** The cookie's language if it is one of ours, else the browser's first that is (RFC 9110 section 12.5.4), else English. */
export function chooseLocale(cookie: string | undefined, acceptLanguage: string | null): Locale {
  const chosen = LOCALES.find((locale) => locale === cookie)
  if (chosen) return chosen
  const ranges = (acceptLanguage ?? '')
    .slice(0, HEADER_CHARACTERS_MOST)
    .split(',')
    .map((part, place) => {
      const [tag = '', ...parameters] = part.trim().toLowerCase().split(';')
      const quality = parameters.map((parameter) => /^\s*q=([01](?:\.\d{0,3})?)\s*$/.exec(parameter)?.[1])
      return { tag: tag.trim(), quality: Number(quality.find((q) => q !== undefined) ?? 1), place }
    })
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality || a.place - b.place)
  for (const { tag } of ranges) {
    const found = LOCALES.find((locale) => tag === locale || tag.startsWith(`${locale}-`))
    if (found) return found
  }
  return 'en'
}
