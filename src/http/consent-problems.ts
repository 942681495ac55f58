import { problemKinds } from './problem-kind.ts'

/** Why what a user or an agent wants of a consent, an approval or a limit does not go. */
export const CONSENT_PROBLEMS = problemKinds({
  already_answered: {
    status: 409,
    title: 'This was answered before',
    detail: 'An answer is given once. state says which it was.',
  },
  question_expired: {
    status: 409,
    title: 'The time to answer is over',
    detail: 'The agent has to ask again.',
  },
  agent_not_connected: {
    status: 409,
    title: 'The agent is not connected',
    detail: 'Connect it before giving it anything.',
  },
  manifest_changed: {
    status: 409,
    title: 'The skill has changed since this was asked',
    detail: 'The agent has to ask again, so that the new version is shown.',
  },
  grant_changed: {
    status: 409,
    title: 'The grant has changed since this was asked',
    detail: 'The agent has to ask again.',
  },
  shown_differs: {
    status: 409,
    title: 'What would be agreed to is not what was shown',
    detail: 'Show it again and send the digest of what was shown then.',
  },
  cannot_be_shown: {
    status: 409,
    title: 'This can no longer be shown in full',
    detail: 'What cannot be shown can only be refused.',
  },
  not_narrower: {
    status: 422,
    title: 'This would allow more',
    detail:
      'What is given may only be narrower than what was asked for or given before; each fault names the place.',
  },
  invalid_terms: {
    status: 422,
    title: 'The terms do not fit the skill',
    detail: 'Each fault names the place and what the manifest has there.',
  },
  grant_not_in_state: {
    status: 409,
    title: 'The grant is in no state for this',
    detail: 'state says which it is in. An ended grant takes a new consent.',
  },
  grant_ended: {
    status: 409,
    title: 'The grant has ended',
    detail: 'A revoked, used or replaced grant is not renewed: the agent has to ask again.',
  },
  expiry_passed: {
    status: 422,
    title: 'The new end has passed',
    detail: 'Give an end in the future.',
  },
  expiry_not_later: {
    status: 422,
    title: 'The new end is not later',
    detail: 'Renewing gives a later end; narrow the grant to shorten it.',
  },
  expiry_too_far: {
    status: 422,
    title: 'The new end is too far away',
    detail: 'No consent lasts longer than 400 days without another yes.',
  },
  nothing_to_renew: {
    status: 409,
    title: 'Nothing has changed for this grant',
    detail: 'It still covers what it did.',
  },
  renewal_differs: {
    status: 422,
    title: 'A renewal changes nothing but the version',
    detail: 'Leave the named fields out, or ask for a new consent.',
  },
  recovered_recently: {
    status: 403,
    title: 'The account was recovered a short while ago',
    detail:
      'For 24 hours after a recovery code was used, nothing can be allowed that was not allowed before.',
  },
  erasure_pending: {
    status: 409,
    title: 'The account is to be erased',
    detail: 'Nothing begins or goes on until the erasure is cancelled, which is possible until it begins.',
  },
  erasure_under_way: {
    status: 409,
    title: 'The erasure has begun',
    detail: 'What it ended cannot be given back.',
  },
  too_many_erasures: {
    status: 409,
    title: 'Too many erasures have not ended',
    detail: 'Wait until one of them is done: the list says what each waits for.',
  },
  lineage_conflict: {
    status: 409,
    title: 'The key and the replaced agent belong to different agents',
    detail: 'Register without replaces, or with the key the agent had.',
  },
  deployments_registered: {
    status: 409,
    title: 'Other models are registered for this agent',
    detail: 'Name one of them with each action, or have the user change them.',
  },
  too_many_agents: {
    status: 409,
    title: 'There are too many agents',
    detail: 'Disconnect one that is not used.',
  },
  too_many_budgets: {
    status: 409,
    title: 'There are too many budgets',
    detail: 'Remove one first.',
  },
  too_many_recipients: {
    status: 409,
    title: 'There are too many saved recipients',
    detail: 'Remove one first.',
  },
  not_undoable: {
    status: 409,
    title: 'This cannot be undone',
    detail: 'Nothing was done, the skill offers no undo for it, or the time for that is over.',
  },
  already_saved: {
    status: 409,
    title: 'This recipient is saved already',
    detail: 'Remove it first to give it another label.',
  },
})
