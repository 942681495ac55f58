import type { Locale } from '../locale.ts'
import { PEOPLE_EN, type PeopleTexts } from './people-en.ts'
import { PEOPLE_ZH } from './people-zh.ts'

export const PEOPLE: Readonly<Record<Locale, PeopleTexts>> = { en: PEOPLE_EN, zh: PEOPLE_ZH }
