import { SENTENCES_EN, type SentenceCode } from './sentences-en.ts'
import { SENTENCES_ZH } from './sentences-zh.ts'
import type { Locale } from './words.ts'

/** Who sees to it that a sentence is true; `claim` means that nobody does. */
export type Enforcer = 'countersign' | 'payment_rail' | 'skill_promise' | 'claim'

export type Sentence = {
  readonly text: string
  readonly enforcedBy: Enforcer
  readonly code: SentenceCode
  /** The action it is about, for pages that put an action's sentences together. */
  readonly action?: string
}

type NamesIn<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | NamesIn<Rest>
  : never
export type SentenceFacts<Code extends SentenceCode> = Readonly<
  Record<NamesIn<(typeof SENTENCES_EN)[Code]>, string>
>

/** Returns the text of a code with its facts filled in; facts may hold braces, they are not filled again. */
export function sentenceText<Code extends SentenceCode>(
  locale: Locale,
  code: Code,
  facts: SentenceFacts<Code>,
): string {
  const template: string = (locale === 'zh' ? SENTENCES_ZH : SENTENCES_EN)[code]
  const values = new Map<string, string>(Object.entries(facts))
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values.get(name)
    // A gap in what a person agrees to must not pass for a sentence.
    if (value === undefined) throw new Error(`sentence ${code} lacks ${name}`)
    return value
  })
}

/** Makes the sentences of one language. */
export function sentenceMaker(locale: Locale) {
  return <Code extends SentenceCode>(
    code: Code,
    enforcedBy: Enforcer,
    facts: SentenceFacts<Code>,
    action?: string,
  ): Sentence => ({
    text: sentenceText(locale, code, facts),
    enforcedBy,
    code,
    ...(action === undefined ? {} : { action }),
  })
}
export type Say = ReturnType<typeof sentenceMaker>
