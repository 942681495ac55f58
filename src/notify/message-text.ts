import type { Locale } from '../core/grant/words.ts'
import type { Delivery } from '../ports/carriers.ts'
import { MAIL_EN, type MailWords, MESSAGES_EN, type MessageText } from './texts-en.ts'
import { MAIL_ZH, MESSAGES_ZH } from './texts-zh.ts'

const MESSAGES = { en: MESSAGES_EN, zh: MESSAGES_ZH }
const WORDS: Readonly<Record<Locale, MailWords>> = { en: MAIL_EN, zh: MAIL_ZH }

/** What a person reads of a message in their language; how many wait is all it adds to the kind. */
export function textOf({ kind, locale, subjects }: Delivery): MessageText {
  const text = MESSAGES[locale][kind]
  if (subjects.length < 2) return text
  return { title: text.title, body: `${wordsFor(locale).several(subjects.length)} ${text.body}` }
}

export function wordsFor(locale: Locale): MailWords {
  return WORDS[locale]
}
