import type { Locale } from '../locale.ts'
import { OPERATOR_EN, type OperatorTexts } from './operator-en.ts'
import { OPERATOR_ZH } from './operator-zh.ts'

export const OPERATOR: Readonly<Record<Locale, OperatorTexts>> = { en: OPERATOR_EN, zh: OPERATOR_ZH }
