import type { AskReason } from '../grant/ask-first.ts'
import type { ConstraintFaultCode, SavedRecipient } from '../grant/constraint.ts'
import type { GrantState } from '../grant/grant-state.ts'
import type { GrantTerms } from '../grant/terms.ts'
import type { JsonValue } from '../json-value.ts'
import type { LoadedAction, LoadedManifest } from '../manifest/loaded-manifest.ts'
import type { ManifestChange } from '../manifest/manifest-change.ts'
import type { Amount, CoveringLimit } from '../spending/budget.ts'
import type { BudgetOwner, Counter } from '../spending/counter.ts'
import type { Debt } from '../spending/debt.ts'
import type { ForgottenSpan } from '../spending/forgotten.ts'
import type { ArgumentFault } from './check-arguments.ts'

/** What an agent asks the broker to do, parsed and authenticated. */
export type DecisionRequest = {
  userId: string
  agentId: string
  skill: string
  action: string
  deploymentId: string
  /** As the agent sent them; `arguments` of the facts are the ones with defaults filled in. */
  arguments: JsonValue
  /** Left out where the broker itself calls the skill. */
  enforcement?: Enforcement
}

/** Who carries an action out in the broker's place, and how long it has to say what became of it. */
export type Enforcement = {
  /** An enforcement point's id, or the name of a guard. */
  readonly by: string
  /** Milliseconds; null where nobody will ever say. */
  readonly reportWithinMs: number | null
}

/** A grant of this user for this agent and skill, with what is needed to decide under it. */
export type CandidateGrant = {
  id: string
  state: GrantState
  oneTime: boolean
  terms: GrantTerms
  /** What the current manifest asks for this action beyond what was consented to; empty means nothing. */
  newlyAsked: readonly ManifestChange[]
  limits: readonly CoveringLimit[]
}

/** Everything a decision may look at, loaded in the transaction that decides. */
export type Facts = {
  nowMs: number
  /** When the action would count; at least nowMs. */
  reservedAtMs: number
  clockTrusted: boolean
  frozenBy: readonly string[]
  agent: { connected: boolean; lineageId: string; deploymentIds: readonly string[] } | null
  skill:
    | { kind: 'unknown' }
    | { kind: 'suspended' }
    | { kind: 'approved'; loaded: LoadedManifest; action: LoadedAction | null }
  /** The enforcement point that asks has been ended. */
  pointEnded?: boolean
  /** The arguments with the manifest's defaults filled in. */
  arguments: JsonValue
  /** Why the arguments are no request at all; empty when they fit. */
  argumentFaults: readonly ArgumentFault[]
  /** What the action would take, everything it repeats included. */
  amount: Amount | null
  /** Values of the fields the manifest marks as recipients. */
  recipients: readonly string[]
  savedRecipients: readonly SavedRecipient[]
  newRecipient: boolean
  minuteOfDay: number
  session: { readUntrusted: boolean; categories: readonly string[] }
  spendingStopped: boolean
  /** The skill owes this user a deletion, or refused one. */
  deletionOverdue: boolean
  /** The debt of the execution a payment names; `unknown` if it names one that owes nothing here. */
  debt: { kind: 'none' } | { kind: 'unknown' } | { kind: 'known'; debt: Debt; payee: string }
  /** Accounts this action wants that are not linked, and those that cannot be used now. */
  accounts: { unlinked: readonly string[]; unavailable: readonly string[] }
  grants: readonly CandidateGrant[]
  counters: readonly Counter[]
  /** What a restore has forgotten of this user and nobody has lifted; empty where nothing was ever restored. */
  forgotten: readonly ForgottenSpan[]
  /** The newest approval of exactly this request, if there is one. */
  approval: { id: string; state: 'waiting' | 'approved' | 'refused' | 'expired' } | null
  /** A person refused, or was asked, too recently or too often for this agent, skill and action. */
  mayAsk: 'yes' | 'cooling_down' | 'too_many_open' | 'too_many_today'
}

/** Why not. Codes are stable; what outsiders learn of them is decided in one place per surface. */
export type Refusal =
  | { code: 'frozen'; freezeIds: readonly string[] }
  | { code: 'agent_not_connected' }
  | { code: 'skill_unknown' }
  | { code: 'skill_suspended' }
  | { code: 'action_not_declared' }
  /** A guard enforces it and the broker was to call it, or the other way round. */
  | { code: 'enforced_elsewhere' }
  | { code: 'amount_above_manifest'; mostMinor: number }
  | { code: 'currency_not_declared' }
  /** Nobody will say what it took, so nothing may be spent. */
  | { code: 'outcome_not_reported' }
  | { code: 'debt_unknown' }
  | { code: 'debt_settled' }
  | { code: 'debt_mismatch' }
  | {
      code: 'consent_required'
      why: 'no_grant' | 'action_not_granted' | Exclude<GrantState, 'active' | 'suspended'>
    }
  /** The store was restored, and the user has not confirmed what they had allowed. */
  | { code: 'consent_suspended' }
  | { code: 'consent_outdated'; changes: readonly ManifestChange[] }
  | { code: 'constraint_violated'; pointer: string; fault: ConstraintFaultCode }
  | { code: 'deployment_not_allowed' }
  | { code: 'recipient_not_allowed'; recipients: readonly string[] }
  | { code: 'category_not_allowed'; categories: readonly string[] }
  /** An account its user has not linked, or that the skill no longer honours. */
  | { code: 'account_not_linked'; skill: string; link: string }
  /** The account is linked, but its token cannot be renewed now. */
  | { code: 'account_unavailable' }
  /** The skill has not deleted what it was told to delete of this user's, and stands still until it does. */
  | { code: 'deletion_overdue' }
  | { code: 'clock_unconfirmed' }
  | { code: 'spending_stopped' }
  | { code: 'currency_without_budget'; currency: string }
  | { code: 'budget_exceeded'; owner: BudgetOwner; availableMinor: number; shared: boolean }
  | { code: 'amount_too_large' }
  | { code: 'approval_refused' }
  | { code: 'asked_too_often' }
  | { code: 'decision_failed' }
export type RefusalCode = Refusal['code']

/** Nonsense is not decided: it is bad input, told in full and counted. */
export type Invalid = { effect: 'invalid'; faults: readonly ArgumentFault[] }

export type Decision =
  | { effect: 'deny'; refusal: Refusal; grantId: string | null }
  | { effect: 'ask'; grantId: string; questions: readonly AskReason[] }
  | {
      effect: 'permit'
      grant: CandidateGrant
      /** The approval this permit uses up; null if nobody had to be asked. */
      approvalId: string | null
      /** The counters as they stand with the reservation in them. */
      counters: readonly Counter[]
    }
