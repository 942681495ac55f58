import type { ManifestAction } from '../manifest/manifest.ts'
import { listInputFields } from './input-field.ts'
import type { AskFirstRule, GrantTerms } from './terms.ts'

type RuleOf<Kind extends AskFirstRule['kind']> = Extract<AskFirstRule, { kind: Kind }>

/** Why the user is asked: the kind of an ask-first rule, or one of two that nobody can switch off. */
export type AskReason = AskFirstRule['kind'] | 'adds_recipient' | 'payment_without_order'

export type AskFacts = {
  /** All that would be reserved, recurrences included; null if the action spends nothing. */
  readonly amount: { readonly minor: number; readonly currency: string } | null
  /** What went through without a yes in the rule's window so far, in the rule's currency. */
  readonly unaskedMinorBefore: (rule: RuleOf<'above_unasked'>) => number
  /** How many covered actions were permitted in the rule's window so far. */
  readonly countBefore: (rule: RuleOf<'too_many'>) => number
  /** Some recipient of the action gets something under this grant for the first time. */
  readonly newRecipient: boolean
  /** Minute of the user's day, 0 to 1439, in the user's time zone. */
  readonly minuteOfDay: number
  /** Content marked untrusted was read in this session. */
  readonly untrustedRead: boolean
  /** The payment names an execution that owes exactly this; without meaning for actions that do not pay. */
  readonly paysKnownOrder: boolean
  /** The terms name every command of the action word for word, or it has none. */
  readonly exactCommand: boolean
}

/** Effects after which the user is always asked unless the terms say otherwise (DESIGN section 7). */
export const ALWAYS_ASKED = ['authority', 'physical'] as const
/** Effects that are asked about once untrusted content was read, unless the terms say otherwise. */
export const ASKED_AFTER_UNTRUSTED = ['egress', 'spend', 'authority'] as const

/**
 * Returns why the user must be asked before this action, sorted and each reason once; empty means that nobody
 * needs to be asked. One approval of the exact action satisfies all of them.
 */
export function dueQuestions(terms: GrantTerms, action: ManifestAction, facts: AskFacts): AskReason[] {
  const reasons = new Set<AskReason>(defaultReasons(terms, action, facts))
  for (const rule of terms.askFirst) {
    if (coversAction(rule, action) && isDue(rule, action, facts)) reasons.add(rule.kind)
  }
  return [...reasons].sort()
}

/** Tells whether a rule is about this action: one it names, or without names any that does more than read. */
export function coversAction(rule: AskFirstRule, action: ManifestAction): boolean {
  return rule.actions ? rule.actions.includes(action.name) : action.effects.some((e) => e !== 'read')
}

/** Tells whether the terms switch a default rule off for an action. */
export function isUnasked(terms: GrantTerms, rule: 'always' | 'after_untrusted', action: string): boolean {
  return terms.unasked.some((entry) => entry.rule === rule && entry.action === action)
}

/** Whether terms allow an action with certain commands only, each written out. @param pointers of its command fields. */
export function isExactCommand(terms: GrantTerms, action: string, pointers: readonly string[]): boolean {
  const constraints = terms.actions.find(({ name }) => name === action)?.constraints ?? []
  return pointers.every((at) =>
    constraints.some((one) => (one.kind === 'equals' || one.kind === 'one_of') && one.pointer === at),
  )
}

/** Whether a person is asked about an action because of a command the terms do not write out. */
export function isCommandAsked(terms: GrantTerms, action: ManifestAction): boolean {
  const commands = listInputFields(action).filter(({ kind }) => kind === 'command')
  return !isExactCommand(
    terms,
    action.name,
    commands.map(({ pointer }) => pointer),
  )
}

function defaultReasons(terms: GrantTerms, action: ManifestAction, facts: AskFacts): AskReason[] {
  const has = (effects: readonly string[]) => action.effects.some((effect) => effects.includes(effect))
  const reasons: AskReason[] = []
  if (action.addsRecipient) reasons.push('adds_recipient')
  if (action.spends?.pays && !facts.paysKnownOrder) reasons.push('payment_without_order')
  // A part of a command says nothing of the rest: what is not named in full is asked about, whatever else is allowed.
  if (!facts.exactCommand) reasons.push('always')
  if (has(ALWAYS_ASKED) && !isUnasked(terms, 'always', action.name)) reasons.push('always')
  if (facts.untrustedRead && has(ASKED_AFTER_UNTRUSTED)) {
    if (!isUnasked(terms, 'after_untrusted', action.name)) reasons.push('after_untrusted')
  }
  return reasons
}

function isDue(rule: AskFirstRule, action: ManifestAction, facts: AskFacts): boolean {
  switch (rule.kind) {
    case 'always':
      return true
    case 'above_amount':
      return isAbove(rule, action, facts, () => 0)
    case 'above_unasked':
      return isAbove(rule, action, facts, () => facts.unaskedMinorBefore(rule))
    case 'new_recipient':
      return facts.newRecipient
    case 'outside_hours':
      return !isWithinHours(rule, facts.minuteOfDay)
    case 'after_untrusted':
      return facts.untrustedRead
    case 'too_many':
      return facts.countBefore(rule) >= rule.count
    default:
      // A rule this version cannot read is one the user made in order to be asked.
      return true
  }
}

function isAbove(
  rule: { currency: string; amountMinor: number },
  action: ManifestAction,
  facts: AskFacts,
  beforeMinor: () => number,
): boolean {
  // Spending an amount nobody knows cannot be shown to be small.
  if (!facts.amount) return action.spends !== undefined
  return facts.amount.currency === rule.currency && beforeMinor() + facts.amount.minor > rule.amountMinor
}

/** Tells whether a minute lies in [fromMinute, toMinute); the span crosses midnight when from > to. */
export function isWithinHours(hours: { fromMinute: number; toMinute: number }, minuteOfDay: number): boolean {
  const { fromMinute, toMinute } = hours
  if (fromMinute <= toMinute) return minuteOfDay >= fromMinute && minuteOfDay < toMinute
  return minuteOfDay >= fromMinute || minuteOfDay < toMinute
}
