import type { Locale } from '../locale.ts'
import { APPROVAL_EN, type ApprovalTexts } from './approval-en.ts'
import { APPROVAL_ZH } from './approval-zh.ts'

export const APPROVAL: Readonly<Record<Locale, ApprovalTexts>> = { en: APPROVAL_EN, zh: APPROVAL_ZH }
