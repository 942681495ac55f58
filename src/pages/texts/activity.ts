import type { Locale } from '../locale.ts'
import { ACTIVITY_EN, type ActivityTexts } from './activity-en.ts'
import { ACTIVITY_ZH } from './activity-zh.ts'

export const ACTIVITY: Readonly<Record<Locale, ActivityTexts>> = { en: ACTIVITY_EN, zh: ACTIVITY_ZH }
