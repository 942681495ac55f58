import type { Locale } from '../locale.ts'
import { REACH_EN, type ReachTexts } from './reach-en.ts'
import { REACH_ZH } from './reach-zh.ts'

export const REACH: Readonly<Record<Locale, ReachTexts>> = { en: REACH_EN, zh: REACH_ZH }
