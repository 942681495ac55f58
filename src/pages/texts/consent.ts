import type { Locale } from '../locale.ts'
import { CONSENT_EN, type ConsentTexts } from './consent-en.ts'
import { CONSENT_ZH } from './consent-zh.ts'

export const CONSENT: Readonly<Record<Locale, ConsentTexts>> = { en: CONSENT_EN, zh: CONSENT_ZH }
