import type { Locale } from '../locale.ts'
import { LAYOUT_EN, type LayoutTexts } from './layout-en.ts'
import { LAYOUT_ZH } from './layout-zh.ts'

export const LAYOUT: Readonly<Record<Locale, LayoutTexts>> = { en: LAYOUT_EN, zh: LAYOUT_ZH }
