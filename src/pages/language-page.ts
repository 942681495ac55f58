import { setCookie } from './cookies.ts'
import { LOCALES } from './locale.ts'
import { ownPath } from './own-path.ts'
import type { Page } from './page.ts'

const YEAR_SECONDS = 31_536_000

/** Keeps the language a person chose, and brings them back to where they were. */
export function languagePage(isSecure: boolean): Page {
  return {
    method: 'post',
    path: '/language',
    who: 'anyone',
    run({ form }) {
      const lang = LOCALES.find((locale) => locale === form.get('lang'))
      const location = ownPath(form.get('next'), '/')
      const cookies = lang ? [setCookie('lang', lang, { isSecure, maxAgeSeconds: YEAR_SECONDS })] : []
      return { kind: 'redirect', location, cookies }
    },
  }
}
