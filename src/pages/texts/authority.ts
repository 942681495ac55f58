import type { Locale } from '../locale.ts'
import { AUTHORITY_EN, type AuthorityTexts } from './authority-en.ts'
import { AUTHORITY_ZH } from './authority-zh.ts'

export const AUTHORITY: Readonly<Record<Locale, AuthorityTexts>> = { en: AUTHORITY_EN, zh: AUTHORITY_ZH }
