import { isWithinHours } from './ask-first.ts'
import type { AskFirstRule } from './terms.ts'

/**
 * Tells whether the user is still asked whenever `wanted` would have asked, as far as the actions in `names`
 * go. Several rules may share the work, each for some of the actions.
 */
export function isQuestionKept(
  wanted: AskFirstRule,
  given: readonly AskFirstRule[],
  names: readonly string[],
): boolean {
  const asksAsMuch = given.filter((rule) => asksAtLeast(rule, wanted))
  if (!wanted.actions && asksAsMuch.some((rule) => !rule.actions)) return true
  return names
    .filter((name) => wanted.actions?.includes(name) ?? true)
    .every((name) =>
      // A rule without names leaves reading out, and whether an action only reads is not known here.
      asksAsMuch.some((rule) => rule.actions?.includes(name) ?? false),
    )
}

/** Tells whether a rule asks in every case in which the other does, for an action that both cover. */
function asksAtLeast(rule: AskFirstRule, wanted: AskFirstRule): boolean {
  if (rule.kind === 'always') return true
  switch (wanted.kind) {
    case 'above_amount':
      return (
        rule.kind === 'above_amount' &&
        rule.currency === wanted.currency &&
        rule.amountMinor <= wanted.amountMinor
      )
    case 'above_unasked':
      return (
        rule.kind === 'above_unasked' &&
        rule.currency === wanted.currency &&
        rule.amountMinor <= wanted.amountMinor &&
        rule.windowMs >= wanted.windowMs
      )
    case 'outside_hours':
      return rule.kind === 'outside_hours' && areHoursWithin(rule, wanted)
    case 'too_many':
      return rule.kind === 'too_many' && rule.count <= wanted.count && rule.windowMs >= wanted.windowMs
    default:
      return rule.kind === wanted.kind
  }
}

type Hours = { fromMinute: number; toMinute: number }

/** Every minute is tried: 1440 of them are cheaper than a proof about spans that cross midnight. */
function areHoursWithin(inner: Hours, outer: Hours): boolean {
  for (let minute = 0; minute < 1440; minute += 1) {
    if (isWithinHours(inner, minute) && !isWithinHours(outer, minute)) return false
  }
  return true
}
