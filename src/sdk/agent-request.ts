import type { GrantTerms } from '../core/grant/terms.ts'
import type { JsonObject } from '../core/json-value.ts'
import type { ActionOutcome } from './agent-answers.ts'
import type { AgentFault, Answered } from './agent-fault.ts'

/** One action an agent asks for. */
export type ActionRequest = {
  readonly skill: string
  readonly action: string
  /** As the action's schema in the manifest has them; the broker validates them and mends nothing. */
  readonly arguments: JsonObject
  /** Id of the registered deployment the agent runs on. */
  readonly deployment?: string
  /** What the model endpoint was asked for and what it returned. */
  readonly model?: { readonly requested: string; readonly returned: string }
  /** Made anew unless given. Keep it with the request to be able to go on after a crash: it is done at most once. */
  readonly key?: string
}

type Action = GrantTerms['actions'][number]

/** What an agent asks its user to allow; what it leaves out is filled in as narrowly as makes sense. */
export type ConsentWish = {
  readonly skill: string
  readonly actions?: readonly { readonly name: string; readonly constraints?: Action['constraints'] }[]
  /** In the agent's own words, shown as its claim. */
  readonly purpose?: string
  readonly renewsGrantId?: string
} & Partial<Omit<GrantTerms, 'skill' | 'actions'>>

/** What an agent wants to be remembered, in a memory class of a skill it was granted. */
export type MemoryWish = {
  readonly skill: string
  readonly class: string
  readonly category?: string
  /** In words for the user. */
  readonly purpose: string
  /** The name it is recalled by; what is kept under it is replaced. */
  readonly key?: string
  readonly content: string
  readonly originActionId?: string
  /** As late as is allowed if left out. */
  readonly expiresAtMs?: number
  readonly sessionOnly?: boolean
  readonly deployment?: string
  /** Made anew unless given. */
  readonly idempotencyKey?: string
}

/** What an agent wants to recall; everything it may if nothing is said. */
export type RecallWish = {
  readonly skill?: string
  readonly class?: string
  readonly key?: string
  readonly words?: string
  readonly limit?: number
  readonly deployment?: string
}

/** Something only the user answers, and where. */
export type Question = {
  readonly kind: 'approval' | 'consent'
  readonly id: string
  /** Works in any browser, for this user alone. */
  readonly url: string
  readonly expiresAtMs: number
}

/** How a question ended; `waiting`: not yet, in the time that was given. */
export type QuestionEnd = 'approved' | 'refused' | 'withdrawn' | 'expired' | 'used' | 'waiting'

export type Performed =
  | { readonly kind: 'done'; readonly action: ActionOutcome; readonly isReplayed: boolean }
  /** The same call under the same key goes on after the yes. */
  | {
      readonly kind: 'approval_required'
      readonly actionId: string
      readonly question: Question
      /** Codes of the rules that ask. */
      readonly reasons: readonly string[]
    }
  /** It was sent, and what became of it is not known. Never to be tried under another key. */
  | { readonly kind: 'in_doubt'; readonly actionId: string }
  /** The broker said no, and says no again under this key. A yes to `question` makes a new key worth trying. */
  | { readonly kind: 'refused'; readonly fault: AgentFault; readonly question: Question | null }

/** What came of an action, with the key it went under. */
export type PerformAnswer = Answered<Performed> & { readonly key: string }
