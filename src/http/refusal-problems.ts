import { problemKinds } from './problem-kind.ts'

/** Why an action is refused, as far as an agent may know (DESIGN section 4, what an agent learns). */
export const REFUSAL_PROBLEMS = problemKinds({
  frozen: {
    status: 403,
    title: 'Stopped by the operators',
    detail: 'The operators of the platform have stopped what this goes through. Only they can lift it.',
  },
  skill_unknown: {
    status: 403,
    title: 'No such skill',
    detail: 'No approved skill has this name. GET /v1/skills lists them.',
  },
  skill_suspended: {
    status: 403,
    title: 'The skill is suspended',
    detail: 'Its publisher has to submit a version that the operators approve.',
  },
  action_not_declared: {
    status: 403,
    title: 'The skill declares no such action',
    detail: 'GET /v1/skills/{id} lists the actions of its manifest.',
  },
  enforced_elsewhere: {
    status: 403,
    title: 'This is asked for elsewhere',
    detail:
      'Actions of a skill with the transport `guard` are asked for by a guard, at POST /v1/guard/permits, and all others are not. A guard is permitted nothing that spends.',
  },
  amount_above_manifest: {
    status: 403,
    title: 'More than the skill says this can cost',
    detail: 'The manifest limits what this action can cost; mostMinor is that limit.',
  },
  currency_not_declared: {
    status: 403,
    title: 'The skill does not charge in this currency',
    detail: 'The manifest lists the currencies of this action.',
  },
  outcome_not_reported: {
    status: 403,
    title: 'Nobody would say what this took',
    detail: 'What spends goes through the broker, or through an enforcement point that reports the outcome.',
  },
  debt_unknown: {
    status: 403,
    title: 'Nothing is owed for what this pays',
    detail: 'Name the execution that owes, one of this user’s, or pay without naming one.',
  },
  debt_settled: { status: 403, title: 'This is paid already', detail: 'A debt is paid once.' },
  debt_mismatch: {
    status: 403,
    title: 'The payment is not what is owed',
    detail: 'Payee, amount and currency have to equal what the order owes.',
  },
  consent_required: {
    status: 403,
    title: 'The user has not allowed this',
    detail: 'Ask for consent at POST /v1/consent-requests, and go on when the user has approved it.',
  },
  consent_suspended: {
    status: 403,
    title: 'The user has to confirm what they had allowed',
    detail:
      'The platform was restored from a backup, and everything allowed before waits for one more yes of the user. Asking for a new consent works too.',
  },
  consent_outdated: {
    status: 403,
    title: 'The skill has changed since the user allowed this',
    detail: 'Ask again at POST /v1/consent-requests; the user is shown what is different.',
  },
  constraint_violated: {
    status: 403,
    title: 'The user allowed this with other arguments only',
    detail: 'The argument at pointer is outside of what the user allowed.',
  },
  deployment_not_allowed: {
    status: 403,
    title: 'The user did not allow this model deployment',
    detail: 'Run on a registered deployment the consent covers, or ask for consent to this one.',
  },
  recipient_not_allowed: {
    status: 403,
    title: 'Data would go to somebody the user did not allow',
    detail: 'Ask for consent that names every recipient of the action.',
  },
  category_not_allowed: {
    status: 403,
    title: 'Data of a kind the user did not allow could leave',
    detail:
      'What was read in this session may not be sent on. Start a new session, or ask for consent to it.',
  },
  account_not_linked: {
    status: 403,
    title: 'The user has not linked an account at this skill',
    detail:
      'Give the user the path in `link`, under the origin of this broker: there they link it once. Then ask again under a new key.',
  },
  account_unavailable: {
    status: 403,
    title: 'The linked account cannot be used now',
    detail: 'The skill does not answer for it. Try again later under a new key.',
  },
  deletion_overdue: {
    status: 403,
    title: 'The skill stands still for this user',
    detail:
      'It has not deleted what it was told to delete. It goes on when it has, or when the operators have settled it.',
  },
  spending_stopped: {
    status: 403,
    title: 'Spending is stopped for now',
    detail: 'It goes on when the operators have looked at it. Nothing the agent does changes that.',
  },
  currency_without_budget: {
    status: 403,
    title: 'The user gave no budget in this currency',
    detail: 'Nothing is converted. Ask for consent with a budget in this currency.',
  },
  budget_exceeded: {
    status: 403,
    title: 'A budget does not cover this',
    detail: 'Ask for less, wait for the next window, or ask the user for a wider consent.',
  },
  amount_too_large: {
    status: 403,
    title: 'The amount is too large to be counted',
    detail: 'Sums have to stay below 2^53.',
  },
  approval_refused: {
    status: 403,
    title: 'The user said no',
    detail: 'Do something else. Asking the same again is not shown to the user for a while.',
  },
  asked_too_often: {
    status: 403,
    title: 'The user is not asked again now',
    detail: 'Too many questions are open, or the user refused this a short while ago. Try again later.',
  },
  decision_failed: {
    status: 403,
    title: 'The decision could not be made',
    detail: 'What cannot be decided is refused. The operators can see why.',
  },
  overtaken: {
    status: 403,
    title: 'The authority was taken back before anything was sent',
    detail: 'Nothing reached the skill and nothing was spent. Ask for consent if it is still wanted.',
  },
})
