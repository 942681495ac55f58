import type { Locale } from '../locale.ts'
import { ALWAYS_EN, type AlwaysTexts } from './always-en.ts'
import { ALWAYS_ZH } from './always-zh.ts'

export const ALWAYS: Readonly<Record<Locale, AlwaysTexts>> = { en: ALWAYS_EN, zh: ALWAYS_ZH }
