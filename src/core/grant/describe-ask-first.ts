import type { Sentence } from './consent-sentence.ts'
import { actionTitles, type Telling } from './consent-subject.ts'
import type { AskFirstRule } from './terms.ts'
import { WORDS } from './words.ts'

/** Says when the user wants to be asked first, and for which actions. */
export function describeAskFirst(telling: Telling, rule: AskFirstRule): Sentence {
  const { speaker, say } = telling
  const scope = scopeOf(telling, rule)
  switch (rule.kind) {
    case 'always':
      return say('ask_always', 'countersign', { scope })
    case 'above_amount':
      return say('ask_above_amount', 'countersign', {
        scope,
        amount: speaker.money(rule.amountMinor, rule.currency),
      })
    case 'above_unasked':
      return say('ask_above_unasked', 'countersign', {
        scope,
        amount: speaker.money(rule.amountMinor, rule.currency),
        span: speaker.span(rule.windowMs),
      })
    case 'new_recipient':
      return say('ask_new_recipient', 'countersign', { scope })
    case 'outside_hours':
      return say('ask_outside_hours', 'countersign', {
        scope,
        from: speaker.minuteOfDay(rule.fromMinute),
        to: speaker.minuteOfDay(rule.toMinute),
      })
    case 'after_untrusted':
      return say('ask_after_untrusted', 'countersign', { scope })
    case 'too_many':
      return say('ask_too_many', 'countersign', {
        scope,
        count: speaker.times(rule.count),
        span: speaker.span(rule.windowMs),
      })
    default:
      return say('ask_unknown', 'countersign', { scope: WORDS[speaker.locale].anyEffect })
  }
}

function scopeOf(telling: Telling, rule: AskFirstRule): string {
  const words = WORDS[telling.speaker.locale]
  if (!rule.actions) return words.anyEffect
  return rule.actions.length === 0 ? words.emptyList : actionTitles(telling, rule.actions)
}
