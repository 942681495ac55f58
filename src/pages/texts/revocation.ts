import type { Locale } from '../locale.ts'
import { REVOCATION_EN, type RevocationTexts } from './revocation-en.ts'
import { REVOCATION_ZH } from './revocation-zh.ts'

export const REVOCATION: Readonly<Record<Locale, RevocationTexts>> = { en: REVOCATION_EN, zh: REVOCATION_ZH }
