import { canonicalJson } from '../canonical-json.ts'
import type { JsonValue } from '../json-value.ts'
import { isJsonObject } from '../json-value.ts'
import type { Manifest } from '../manifest/manifest.ts'
import type { ManifestChange } from '../manifest/manifest-change.ts'
import { plainJson } from '../manifest/manifest-change.ts'
import { type Enforcer, type Sentence, sentenceMaker, sentenceText } from './consent-sentence.ts'
import { actionTitle, type SkillTelling } from './consent-subject.ts'
import { type Speaker, speakerOf } from './speaker.ts'
import type { Locale } from './words.ts'
import { WORDS } from './words.ts'

/** What an update newly asks for, of the actions a grant has. */
export type DifferenceSubject = {
  /** The newer version. */
  readonly manifest: Manifest
  readonly agent: { readonly name: string }
  readonly perAction: Readonly<Record<string, readonly ManifestChange[]>>
  readonly zone: string
}

export type DifferenceDescription = {
  readonly title: string
  readonly sentences: readonly Sentence[]
  /** Canonical JSON of all that was shown and of what it stands for. */
  readonly digestInput: string
}

/** Only what Countersign itself sees or calls can be held to; the rest is the publisher's word. */
const ENFORCED: readonly ManifestChange['code'][] = [
  'action_added',
  'action_removed',
  'publisher_changed',
  'skill_changed',
  'endpoint_changed',
  'input_widened',
  'result_widened',
  'most_raised',
  'currency_added',
  'companion_added',
  'companion_removed',
  'companion_changed',
]

/**
 * Says what a new version of a manifest asks for beyond what the user agreed to (P10), each change in full:
 * what is not said in words is shown as the manifest has it.
 */
export function describeDifference(subject: DifferenceSubject, locale: Locale): DifferenceDescription {
  const speaker = speakerOf(locale, subject.zone)
  const telling: SkillTelling = { subject, speaker, say: sentenceMaker(locale) }
  const title = sentenceText(locale, 'title_difference', {
    agent: speaker.quote(subject.agent.name),
    skill: speaker.title(subject.manifest.title),
  })
  const sentences = Object.entries(subject.perAction).flatMap(([name, changes]) =>
    changes.map((change) => describeChange(telling, name, change)),
  )
  const { manifest, perAction } = subject
  const shown = { locale, title, sentences, manifest, perAction }
  return { title, sentences, digestInput: canonicalJson(plainJson(shown)) }
}

function describeChange(telling: SkillTelling, name: string, change: ManifestChange): Sentence {
  const { speaker, say } = telling
  const [before, after] = sidesOf(speaker, change)
  const facts = { action: actionTitle(telling, name), before, after }
  const enforcedBy: Enforcer = ENFORCED.includes(change.code) ? 'countersign' : 'skill_promise'
  return say(`change_${change.code}`, enforcedBy, facts, name)
}

function sidesOf(speaker: Speaker, { before, after }: ManifestChange): [string, string] {
  const [was, is] = [sideOf(speaker, before), sideOf(speaker, after)]
  if (was !== is || before === undefined || after === undefined) return [was, is]
  // Only the other language changed; shown in one, it would look like no change at all.
  return [speaker.quote(canonicalJson(before)), speaker.quote(canonicalJson(after))]
}

function sideOf(speaker: Speaker, side: JsonValue | undefined): string {
  if (side === undefined) return WORDS[speaker.locale].nothing
  if (typeof side === 'string') return speaker.quote(side)
  if (isJsonObject(side) && typeof side.en === 'string' && typeof side.zh === 'string') {
    // Both texts are what was signed, but a person reads one of them.
    return speaker.title({ en: side.en, zh: side.zh })
  }
  return speaker.quote(canonicalJson(side))
}
