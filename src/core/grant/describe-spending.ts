import type { ManifestAction } from '../manifest/manifest.ts'
import { ALWAYS_ASKED, ASKED_AFTER_UNTRUSTED, isCommandAsked, isUnasked } from './ask-first.ts'
import type { Sentence } from './consent-sentence.ts'
import { actionTitle, actionTitles, grantedActions, type Telling } from './consent-subject.ts'
import { describeAskFirst } from './describe-ask-first.ts'
import type { GrantTerms } from './terms.ts'

/** When money may go and things may change: budgets, what is asked first, and what is not. */
export function describeSpending(telling: Telling): Sentence[] {
  const { subject, speaker, say } = telling
  const agent = speaker.quote(subject.agent.name)
  const actions = grantedActions(subject)
  const spending = actions.filter((action) => action.spends || action.effects.includes('spend'))
  const budgets = subject.terms.budgets.map((budget) => describeBudget(telling, budget))
  return [
    ...(spending.length === 0 ? [say('spend_none', 'countersign', {})] : []),
    ...budgets,
    ...spending.flatMap((action) => describeCost(telling, action)),
    ...(spending.length === 0
      ? []
      : [say('spend_counts_on', 'countersign', {}), say('spend_overrun', 'countersign', {})]),
    ...(budgets.length === 0
      ? []
      : [say(subject.terms.sharesBudget ? 'budget_shared' : 'budget_not_shared', 'countersign', { agent })]),
    ...subject.terms.askFirst.map((rule) => describeAskFirst(telling, rule)),
    ...actions.flatMap((action) => describeDefaultRules(telling, action)),
    describeUnaskedActions(telling, actions),
  ]
}

function describeBudget(telling: Telling, budget: GrantTerms['budgets'][number]): Sentence {
  const { speaker, say } = telling
  const window = speaker.window(budget.window)
  const action = budget.action === undefined ? undefined : actionTitle(telling, budget.action)
  if (budget.measure === 'amount') {
    const amount = speaker.money(budget.limit, budget.currency)
    return action === undefined
      ? say('budget_amount', 'countersign', { amount, window })
      : say('budget_amount_action', 'countersign', { action, amount, window }, budget.action)
  }
  const count = speaker.times(budget.limit)
  return action === undefined
    ? say('budget_count', 'countersign', { count, window })
    : say('budget_count_action', 'countersign', { action, count, window }, budget.action)
}

function describeCost(telling: Telling, action: ManifestAction): Sentence[] {
  const { subject, speaker, say } = telling
  const title = speaker.title(action.title)
  const { most = {}, recurs } = action.spends ?? {}
  const sentences = Object.entries(most).map(([currency, minor]) => {
    const isCovered = subject.terms.budgets.some(
      (budget) =>
        budget.measure === 'amount' &&
        budget.currency === currency &&
        (budget.action === undefined || budget.action === action.name),
    )
    return isCovered
      ? say(
          'spend_most',
          'countersign',
          { action: title, amount: speaker.money(minor, currency) },
          action.name,
        )
      : say('spend_no_budget', 'countersign', { action: title, currency }, action.name)
  })
  if (!recurs) return sentences
  const facts = { action: title, count: String(recurs.most) }
  return [...sentences, say('spend_recurs', 'countersign', facts, action.name)]
}

type DefaultRuleCode =
  | 'ask_adds_recipient'
  | 'ask_command'
  | 'ask_payment_without_order'
  | 'ask_default_always'
  | 'ask_default_untrusted'
  | 'unasked_always'
  | 'unasked_after_untrusted'

function describeDefaultRules({ subject, speaker, say }: Telling, action: ManifestAction): Sentence[] {
  const facts = { action: speaker.title(action.title) }
  const has = (effects: readonly string[]) => action.effects.some((effect) => effects.includes(effect))
  const sayRule = (code: DefaultRuleCode) => say(code, 'countersign', facts, action.name)
  const sentences: Sentence[] = []
  if (action.addsRecipient) sentences.push(sayRule('ask_adds_recipient'))
  const asksCommand = isCommandAsked(subject.terms, action)
  if (asksCommand) sentences.push(sayRule('ask_command'))
  if (action.spends?.pays) sentences.push(sayRule('ask_payment_without_order'))
  const isSwitchedOff = isUnasked(subject.terms, 'always', action.name)
  // Said of an action that adds a recipient, or of any command, it would be wrong: those are asked about all the same.
  if (isSwitchedOff && !action.addsRecipient && !asksCommand) sentences.push(sayRule('unasked_always'))
  else if (!isSwitchedOff && has(ALWAYS_ASKED)) sentences.push(sayRule('ask_default_always'))
  if (isUnasked(subject.terms, 'after_untrusted', action.name))
    sentences.push(sayRule('unasked_after_untrusted'))
  else if (has(ASKED_AFTER_UNTRUSTED)) sentences.push(sayRule('ask_default_untrusted'))
  return sentences
}

/** What can happen while nobody looks, in so many words: rules alone leave that to be worked out. */
function describeUnaskedActions(telling: Telling, actions: readonly ManifestAction[]): Sentence {
  const { terms } = telling.subject
  const changing = actions.filter((action) => action.effects.some((effect) => effect !== 'read'))
  if (changing.length === 0) return telling.say('acts_only_reading', 'skill_promise', {})
  const unasked = changing.filter((action) => !isAlwaysAsked(terms, action)).map(({ name }) => name)
  if (unasked.length === 0) return telling.say('acts_always_asked', 'countersign', {})
  return telling.say('acts_without_asking', 'countersign', { actions: actionTitles(telling, unasked) })
}

function isAlwaysAsked(terms: GrantTerms, action: ManifestAction): boolean {
  if (action.addsRecipient || isCommandAsked(terms, action)) return true
  if (
    terms.askFirst.some((rule) => rule.kind === 'always' && (rule.actions?.includes(action.name) ?? true))
  ) {
    return true
  }
  const isRisky = action.effects.some((effect) => ALWAYS_ASKED.some((always) => always === effect))
  return isRisky && !isUnasked(terms, 'always', action.name)
}
