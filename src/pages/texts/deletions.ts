import type { Locale } from '../locale.ts'
import { DELETIONS_EN, type DeletionTexts } from './deletions-en.ts'
import { DELETIONS_ZH } from './deletions-zh.ts'

export const DELETIONS: Readonly<Record<Locale, DeletionTexts>> = { en: DELETIONS_EN, zh: DELETIONS_ZH }
