import type { Locale } from '../locale.ts'
import { LIMITS_EN, type LimitsTexts } from './limits-en.ts'
import { LIMITS_ZH } from './limits-zh.ts'

export const LIMITS: Readonly<Record<Locale, LimitsTexts>> = { en: LIMITS_EN, zh: LIMITS_ZH }
