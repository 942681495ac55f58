import type { AmountPlace, ManifestAction } from '../manifest/manifest.ts'
import { findAction } from '../manifest/manifest.ts'
import type { Sentence } from './consent-sentence.ts'
import { actionTitle, fieldName, type Telling } from './consent-subject.ts'
import type { Speaker } from './speaker.ts'
import type { Constraint } from './terms.ts'
import { WORDS } from './words.ts'

/** Says one constraint of an action; one that this version does not know is said too, as it refuses all. */
export function describeConstraint(telling: Telling, name: string, constraint: Constraint): Sentence {
  const { subject, speaker, say } = telling
  const action = actionTitle(telling, name)
  if (constraint.kind === 'saved_recipient') return describeRecipients(telling, name, constraint)
  const declared = findAction(subject.manifest, name)
  const field = fieldName(speaker, declared, constraint.pointer)
  const value = (scalar: string | number | boolean) => sayValue(speaker, scalar, declared, constraint.pointer)
  switch (constraint.kind) {
    case 'equals':
      return say('constraint_equals', 'countersign', { action, field, value: value(constraint.value) }, name)
    case 'one_of': {
      const values = speaker.list(constraint.values.map(value))
      return say('constraint_one_of', 'countersign', { action, field, values }, name)
    }
    case 'range': {
      const { min, max } = constraint
      if (min !== undefined && max !== undefined) {
        const facts = { action, field, min: value(min), max: value(max) }
        return say('constraint_range_between', 'countersign', facts, name)
      }
      if (min !== undefined) {
        return say('constraint_range_min', 'countersign', { action, field, min: value(min) }, name)
      }
      if (max === undefined) return say('constraint_range_any', 'countersign', { action, field }, name)
      return say('constraint_range_max', 'countersign', { action, field, max: value(max) }, name)
    }
    case 'length':
      return say('constraint_length', 'countersign', { action, field, max: String(constraint.max) }, name)
    case 'absent':
      return say('constraint_absent', 'countersign', { action, field }, name)
    case 'origin': {
      const origins = speaker.list(constraint.origins.map(speaker.quote))
      return say('constraint_origin', 'countersign', { action, field, origins }, name)
    }
    case 'path_prefix': {
      const prefix = speaker.quote(constraint.prefix)
      return say('constraint_path_prefix', 'countersign', { action, field, prefix }, name)
    }
    case 'mail_domain': {
      const domains = speaker.list(constraint.domains.map(speaker.quote))
      return say('constraint_mail_domain', 'countersign', { action, field, domains }, name)
    }
    default:
      return say('constraint_unknown', 'countersign', { action }, name)
  }
}

function describeRecipients(
  telling: Telling,
  name: string,
  constraint: Extract<Constraint, { kind: 'saved_recipient' }>,
): Sentence {
  const { subject, speaker, say } = telling
  const action = actionTitle(telling, name)
  const { recipientIds } = constraint
  if (!recipientIds) return say('constraint_saved_recipient', 'countersign', { action }, name)
  const labels = recipientIds.map((id) => {
    const saved = subject.savedRecipients?.find((candidate) => candidate.id === id)
    return speaker.quote(saved?.label ?? id)
  })
  const recipients = labels.length === 0 ? WORDS[speaker.locale].emptyList : speaker.list(labels)
  return say('constraint_saved_recipient_only', 'countersign', { action, recipients }, name)
}

/** Says a value; an amount in minor units is said as money besides, in each currency it may be in. */
function sayValue(
  speaker: Speaker,
  scalar: string | number | boolean,
  action: ManifestAction | undefined,
  pointer: string,
): string {
  if (typeof scalar === 'boolean') return WORDS[speaker.locale][scalar ? 'yes' : 'no']
  if (typeof scalar === 'string') return speaker.quote(scalar)
  const currencies = action ? currenciesAt(action, pointer) : []
  if (currencies.length === 0 || !Number.isSafeInteger(scalar)) return String(scalar)
  return `${scalar} (${currencies.map((currency) => speaker.money(scalar, currency)).join(' / ')})`
}

/** Returns the currencies in which a field may be an amount of minor units; none if it is no amount. */
function currenciesAt(action: ManifestAction, pointer: string): readonly string[] {
  const place: AmountPlace | undefined = action.spends?.amount
  if (place?.pointer !== pointer || place.form !== 'minor') return []
  return 'currency' in place ? [place.currency] : Object.keys(action.spends?.most ?? {})
}
