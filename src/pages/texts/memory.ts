import type { Locale } from '../locale.ts'
import { MEMORY_EN, type MemoryTexts } from './memory-en.ts'
import { MEMORY_ZH } from './memory-zh.ts'

export const MEMORY: Readonly<Record<Locale, MemoryTexts>> = { en: MEMORY_EN, zh: MEMORY_ZH }
