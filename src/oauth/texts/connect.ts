import type { Locale } from '../../pages/locale.ts'
import { CONNECT_EN, type ConnectTexts } from './connect-en.ts'
import { CONNECT_ZH } from './connect-zh.ts'

export const CONNECT: Readonly<Record<Locale, ConnectTexts>> = { en: CONNECT_EN, zh: CONNECT_ZH }
