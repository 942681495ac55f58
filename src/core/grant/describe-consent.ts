import { canonicalJson, taggedDigest } from '../canonical-json.ts'
import { plainJson } from '../manifest/manifest-change.ts'
import type { Sentence } from './consent-sentence.ts'
import { sentenceMaker, sentenceText } from './consent-sentence.ts'
import type { ConsentSubject, Telling } from './consent-subject.ts'
import { describeClaims } from './describe-claims.ts'
import { describeMemory, describeRecipients } from './describe-data.ts'
import { describeMistakes, describeTakeBack } from './describe-mistakes.ts'
import { describeSpending } from './describe-spending.ts'
import { describeWhat } from './describe-what.ts'
import { speakerOf } from './speaker.ts'
import type { Locale } from './words.ts'

export type QuestionId = 'what' | 'spend' | 'memory' | 'takeBack' | 'recipients' | 'mistakes'

/** The six questions of DESIGN section 1, in its order, each with what answers it. */
const ANSWERS: readonly (readonly [QuestionId, (telling: Telling) => Sentence[]])[] = [
  ['what', describeWhat],
  ['spend', describeSpending],
  ['memory', describeMemory],
  ['takeBack', describeTakeBack],
  ['recipients', describeRecipients],
  ['mistakes', describeMistakes],
]

export type ConsentDescription = {
  readonly title: string
  readonly claims: readonly Sentence[]
  readonly questions: readonly {
    readonly id: QuestionId
    readonly heading: string
    readonly sentences: readonly Sentence[]
  }[]
  /** Canonical JSON of all that was shown and of what it stands for; the same whenever it is shown again. */
  readonly digestInput: string
}

/**
 * Says what a person agrees to, as data for any page: plain sentences under six questions, each marked with
 * who enforces it. Every term is a sentence, and what others wrote is quoted with odd characters visible.
 *
 * @throws RangeError if the zone is not an IANA time zone; the user's is checked when it is set.
 */
export function describeConsent(subject: ConsentSubject, locale: Locale): ConsentDescription {
  const speaker = speakerOf(locale, subject.zone)
  const telling: Telling = { subject, speaker, say: sentenceMaker(locale) }
  const names = { agent: speaker.quote(subject.agent.name), skill: speaker.title(subject.manifest.title) }
  const title = sentenceText(locale, `title_${subject.kind}`, names)
  const claims = describeClaims(telling)
  const questions = ANSWERS.map(([id, answer]) => ({
    id,
    heading: sentenceText(locale, `heading_${id}`, {}),
    sentences: answer(telling),
  }))
  const { kind, manifest, terms, zone } = subject
  const shown = { locale, zone, kind, title, claims, questions, manifest, terms }
  return { title, claims, questions, digestInput: canonicalJson(plainJson(shown)) }
}

/** Returns the digest that the log keeps of what a person was shown (base64url SHA-256). */
export function consentDigest(description: ConsentDescription): string {
  return taggedDigest('countersign/v1/consent-shown', description.digestInput)
}
