import type { Refusal, RefusalCode } from '../core/decision/decision.ts'
import type { Answer } from './answer.ts'
import { PROBLEMS, type ProblemCode } from './problem-codes.ts'

/** Where bad input is at fault: a JSON Pointer into the body, or the name of a parameter or header. */
export type Fault = { readonly pointer: string; readonly code: string; readonly message: string }

export type ProblemFacts = {
  /** Instead of the code's own explanation. */
  readonly detail?: string
  readonly faults?: readonly Fault[]
  readonly headers?: Readonly<Record<string, string>>
  /** Further members the code's documentation names. */
  readonly members?: Readonly<Record<string, unknown>>
}

/** The caller sent nonsense, or may not do this: told at once, remembered nowhere. */
export class InvalidRequest extends Error {
  override name = 'InvalidRequest'
  readonly code: ProblemCode
  readonly facts: ProblemFacts

  constructor(code: ProblemCode, facts: ProblemFacts = {}) {
    super(code)
    this.code = code
    this.facts = facts
  }
}

/** A problem as RFC 9457 has it; its `type` is a page that explains it. */
export function problem(code: ProblemCode, facts: ProblemFacts = {}): Answer {
  const { status, title, detail } = PROBLEMS[code]
  return {
    status,
    ...(facts.headers ? { headers: facts.headers } : {}),
    body: {
      type: `/problems/${code}`,
      title,
      status,
      code,
      detail: facts.detail ?? detail,
      ...(facts.faults ? { faults: facts.faults } : {}),
      ...facts.members,
    },
  }
}

/**
 * What a caller is told of a refusal. Whether consent once existed, which freeze stands and what the clock does is
 * nobody's business but the user's and the operators'; the switch fails to compile on a new code.
 */
export function publicReason(code: RefusalCode): ProblemCode {
  switch (code) {
    case 'agent_not_connected':
    case 'consent_required':
      return 'consent_required'
    case 'clock_unconfirmed':
    case 'spending_stopped':
      return 'spending_stopped'
    case 'frozen':
    case 'skill_unknown':
    case 'skill_suspended':
    case 'action_not_declared':
    case 'enforced_elsewhere':
    case 'amount_above_manifest':
    case 'currency_not_declared':
    case 'outcome_not_reported':
    case 'debt_unknown':
    case 'debt_settled':
    case 'debt_mismatch':
    case 'consent_suspended':
    case 'consent_outdated':
    case 'constraint_violated':
    case 'deployment_not_allowed':
    case 'recipient_not_allowed':
    case 'category_not_allowed':
    case 'account_not_linked':
    case 'account_unavailable':
    case 'deletion_overdue':
    case 'currency_without_budget':
    case 'budget_exceeded':
    case 'amount_too_large':
    case 'approval_refused':
    case 'asked_too_often':
    case 'decision_failed':
      return code
  }
}

/** Facts of a refusal the caller may know: what its own arguments and the public manifest show anyway. */
export function publicFacts(refusal: Refusal): Readonly<Record<string, unknown>> {
  switch (refusal.code) {
    case 'amount_above_manifest':
      return { mostMinor: refusal.mostMinor }
    case 'constraint_violated':
      return { pointer: refusal.pointer }
    case 'account_not_linked':
      return { link: `/linked?skill=${encodeURIComponent(refusal.skill)}#${refusal.link}` }
    case 'currency_without_budget':
      return { currency: refusal.currency }
    case 'budget_exceeded':
      return refusal.shared ? { availableMinor: refusal.availableMinor } : {}
    default:
      return {}
  }
}
