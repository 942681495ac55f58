import type { RefusalCode } from '../core/decision/decision.ts'
import { PROBLEMS, type ProblemCode } from '../http/problem-codes.ts'

type Words = { readonly detail: string; readonly next: string }

const ASK = 'Ask with the tool countersign_ask_consent, and call this tool again when the user has said yes.'
const NOTHING = 'Nothing you do changes that. Tell the user.'

/**
 * What an agent is told that would make a refused call pass, by the public reason; the rest of what is said of a reason
 * is the API's.
 */
const NEXT: { readonly [Code in ProblemCode]?: string } = {
  frozen: NOTHING,
  skill_unknown: 'Find skills with the tool countersign_find_skills.',
  skill_suspended: NOTHING,
  action_not_declared: 'Find actions with the tool countersign_find_skills.',
  amount_above_manifest: 'Ask for less.',
  currency_not_declared: 'Use a currency the skill charges in; countersign_find_skills lists them.',
  debt_unknown: 'Name the execution that owes, or pay without naming one.',
  debt_settled: 'Do not pay again.',
  debt_mismatch: 'Use the payee, amount and currency that the order owes.',
  consent_required: ASK,
  consent_outdated: ASK,
  constraint_violated: `Use an argument the user allowed, or ask for more. ${ASK}`,
  deployment_not_allowed: `Name the registered deployment you run on in _meta "countersign/deployment", or ask. ${ASK}`,
  recipient_not_allowed: ASK,
  category_not_allowed: 'Start a new session, or ask for consent to send this data.',
  deletion_overdue: NOTHING,
  spending_stopped: NOTHING,
  currency_without_budget: `Nothing is converted. ${ASK} Name a budget in this currency.`,
  budget_exceeded: 'Ask for less, wait for the next window, or ask the user for a wider consent.',
  amount_too_large: 'Ask for less.',
  approval_refused: 'Do something else. The user is not asked the same again for a while.',
  asked_too_often: 'Wait. Too many questions are open, or the user refused this a short while ago.',
  decision_failed: NOTHING,
  outcome_not_reported: 'This spends, so it has to go through the broker itself. Do not try it again here.',
  overtaken: 'Nothing was sent. Ask for consent if it is still wanted.',
}

/** The words for a public reason. */
export function wordsFor(code: ProblemCode): Words {
  const { title } = PROBLEMS[code]
  return { detail: `${title}.`, next: NEXT[code] ?? NOTHING }
}

/** Reasons that a new consent changes, so that one may be asked for in the same breath. */
export function isForConsent(code: RefusalCode): boolean {
  return code === 'consent_required' || code === 'consent_outdated'
}
