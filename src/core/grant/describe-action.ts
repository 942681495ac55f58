import { canonicalJson } from '../canonical-json.ts'
import type { JsonValue } from '../json-value.ts'
import { hostOf, isGuarded } from '../manifest/endpoint.ts'
import type { Manifest, ManifestAction } from '../manifest/manifest.ts'
import { plainJson } from '../manifest/manifest-change.ts'
import type { AskReason } from './ask-first.ts'
import type { Sentence } from './consent-sentence.ts'
import { sentenceMaker, sentenceText } from './consent-sentence.ts'
import type { SkillTelling } from './consent-subject.ts'
import { describeRepair } from './describe-mistakes.ts'
import { isFilledByBroker, listInputFields } from './input-field.ts'
import { argumentLabel, type ShownValue, shownValues } from './shown-values.ts'
import { speakerOf } from './speaker.ts'
import type { Locale } from './words.ts'

/** One exact action a person is asked about. */
export type ActionSubject = {
  readonly manifest: Manifest
  readonly action: ManifestAction
  readonly agent: { readonly name: string }
  readonly publisher: { readonly name: string }
  /** The arguments as decided: canonical, with defaults filled in. */
  readonly args: JsonValue
  /** All that would be reserved, recurrences included; null if nothing is. */
  readonly amount: { readonly minor: number; readonly currency: string } | null
  /** How often the amount may be taken; 1 if it does not recur. */
  readonly repetitions: number
  /** Recipients as resolved, with the user's own label if saved. */
  readonly recipients: readonly {
    readonly value: string
    readonly label: string | null
    readonly isNew: boolean
  }[]
  /** Why the user is asked, from `dueQuestions`. */
  readonly reasons: readonly AskReason[]
  /** What the preview action answered; null if there is none. */
  readonly preview: JsonValue | null
  /** Until when a yes can be used. */
  readonly expiresAtMs: number
  readonly zone: string
}

export type ActionDescription = {
  readonly title: string
  readonly sentences: readonly Sentence[]
  /** Every argument, in the order sent; none is left out or shortened. */
  readonly arguments: readonly ShownValue[]
  readonly preview: readonly ShownValue[]
  /** Canonical JSON of all that was shown and of what it stands for. */
  readonly digestInput: string
}

/**
 * Says what one exact action would do: where it goes, what is sent, what it costs, who receives it, whether it
 * can be undone, why the user is asked and what a yes means (P8).
 *
 * @throws RangeError if the zone is not an IANA time zone.
 */
export function describeAction(subject: ActionSubject, locale: Locale): ActionDescription {
  const speaker = speakerOf(locale, subject.zone)
  const telling: SkillTelling = { subject, speaker, say: sentenceMaker(locale) }
  const title = sentenceText(locale, 'title_action', {
    agent: speaker.quote(subject.agent.name),
    action: speaker.title(subject.action.title),
    skill: speaker.title(subject.manifest.title),
  })
  const args = shownValues(speaker, subject.args, (pointer) =>
    argumentLabel(speaker, subject.action, pointer),
  )
  const preview =
    subject.preview === null ? [] : shownValues(speaker, subject.preview, (pointer) => speaker.quote(pointer))
  const sentences = [
    ...describeWhere(telling, subject),
    ...describeMoney(telling, subject),
    ...describeReceivers(telling, subject),
    ...describeSent(telling, subject, args),
    ...describeRepair(telling, subject.action),
    ...subject.reasons.map((reason) => telling.say(`why_${reason}`, 'countersign', {})),
    telling.say('action_yes', 'countersign', {
      date: speaker.instant(subject.expiresAtMs),
      agent: speaker.quote(subject.agent.name),
    }),
    telling.say('action_no', 'countersign', {}),
    ...(preview.length === 0 ? [] : [telling.say('action_preview', 'skill_promise', {})]),
  ]
  const { manifest, action, amount, recipients, zone } = subject
  const meant = { skill: manifest.skill, action: action.name, args: subject.args, amount, recipients }
  const shown = { locale, zone, title, sentences, arguments: args, preview, meant }
  return { title, sentences, arguments: args, preview, digestInput: canonicalJson(plainJson(shown)) }
}

function describeWhere({ speaker, say }: SkillTelling, subject: ActionSubject): Sentence[] {
  const { manifest, action, publisher } = subject
  return [
    isGuarded(manifest.endpoint)
      ? say('action_guarded', 'claim', { publisher: speaker.quote(publisher.name) })
      : say('action_publisher', 'countersign', {
          publisher: speaker.quote(publisher.name),
          host: speaker.quote(hostOf(manifest.endpoint)),
        }),
    say('what_action_description', 'skill_promise', {
      action: speaker.title(action.title),
      description: speaker.title(action.description),
    }),
    say('action_effects', 'skill_promise', { effects: speaker.effects(action.effects) }),
  ]
}

function describeMoney({ speaker, say }: SkillTelling, subject: ActionSubject): Sentence[] {
  if (!subject.amount) return [say('action_no_amount', 'countersign', {})]
  const amount = speaker.money(subject.amount.minor, subject.amount.currency)
  if (subject.repetitions <= 1) return [say('action_amount', 'countersign', { amount })]
  return [say('action_amount_all', 'countersign', { amount, count: String(subject.repetitions) })]
}

function describeReceivers({ speaker, say }: SkillTelling, subject: ActionSubject): Sentence[] {
  const resolved = subject.recipients.flatMap(({ value: text, label, isNew }) => {
    const value = speaker.quote(text)
    return [
      label === null
        ? say('action_recipient_unsaved', 'countersign', { value })
        : say('action_recipient_saved', 'countersign', { value, label: speaker.quote(label) }),
      ...(isNew ? [say('action_recipient_new', 'countersign', { value })] : []),
    ]
  })
  const thirdParties = subject.action.recipients.map((id) => {
    const declared = subject.manifest.recipients.find((candidate) => candidate.id === id)
    const recipient = declared ? speaker.title(declared.title) : speaker.quote(id)
    const role = declared ? speaker.role(declared.role) : '?'
    return say('action_third_party', 'skill_promise', { recipient, role })
  })
  return [...resolved, ...thirdParties]
}

function describeSent(
  { speaker, say }: SkillTelling,
  subject: ActionSubject,
  args: readonly ShownValue[],
): Sentence[] {
  const filled = listInputFields(subject.action).filter(isFilledByBroker)
  const fields = filled.map(({ pointer }) => argumentLabel(speaker, subject.action, pointer))
  return [
    ...(args.length === 0 ? [say('action_no_arguments', 'countersign', {})] : []),
    ...(fields.length === 0
      ? []
      : [
          say('action_filled', 'countersign', {
            agent: speaker.quote(subject.agent.name),
            fields: speaker.list(fields),
          }),
        ]),
  ]
}
