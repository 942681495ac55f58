import type { Deployment } from '../core/model/deployment.ts'
import type { AgentClient } from './agent-client.ts'
import type { AgentFault } from './agent-fault.ts'
import type { ModelDeps, ModelFault } from './ask-model.ts'
import type { ChatMessage } from './chat-message.ts'
import type { ModelEndpoint } from './model-endpoint.ts'
import type { AskedUser, ReadCall } from './run-tool-call.ts'

export type ToolLoopOptions = {
  readonly client: AgentClient
  readonly model: ModelEndpoint
  /** Skills whose actions are offered before the user has granted any: calling one asks for consent. */
  readonly skills?: readonly string[]
  readonly limits?: Partial<ToolLoopLimits>
  /**
   * Names the conversation over restarts of the program: keys follow from it, so that a call which was sent before a crash is
   * not done a second time after it. Without one each loop is a conversation of its own.
   */
  readonly conversationId?: string
  /** Shows the user where to answer. The loop waits for the answer meanwhile, on any device. */
  readonly onQuestion?: (question: AskedUser) => void | Promise<void>
  readonly onEvent?: (event: ToolLoopEvent) => void
  /** Told each idempotency key before anything is sent under it, so that it can be kept. */
  readonly onKey?: (key: string, call: ReadCall) => void | Promise<void>
} & Partial<ModelDeps>

export type ToolLoopLimits = {
  /** Answers of the model. */
  readonly rounds: number
  readonly callsARound: number
  /** The whole of one run, people's time to answer included. */
  readonly totalMs: number
  /** How long to wait for the answer to one question. */
  readonly answerMs: number
  /** `max_tokens` of each answer; the endpoint's own limit unless given. */
  readonly answerTokens: number | undefined
}

export type ToolLoopEvent =
  /** A piece of a streamed answer as it comes, calls that stand in the text and all; nothing of it is judged yet. */
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'answer'; readonly model: string; readonly text: string; readonly thinking: string }
  | { readonly kind: 'call'; readonly name: string; readonly code: string; readonly actionId: string | null }

/** Why a run ended without an answer of the model. Stable. */
export type StopCode =
  | ModelFault
  /** The endpoint thinks although the deployment is registered as one that does not. */
  | 'thinking_differs'
  /** The user's grant does not cover this deployment, or the broker knows of no such one. */
  | 'deployment_not_allowed'
  /** The answer was cut off at its token limit. Nothing of it was executed. */
  | 'truncated'
  | 'content_filtered'
  | 'too_many_rounds'
  | 'out_of_time'
  | 'broker_unavailable'
  | 'signed_out'

export type ToolLoopEnd = {
  /** Everything said, to go on from: give it to the next run. */
  readonly messages: readonly ChatMessage[]
  readonly calls: readonly {
    readonly name: string
    readonly code: string
    readonly key: string | null
    readonly actionId: string | null
  }[]
  /** The deployment that was named to the broker, and the model names behind each answer. */
  readonly deployment: { readonly id: string; readonly deployment: Deployment }
  readonly models: readonly { readonly requested: string; readonly returned: string }[]
} & (
  | { readonly kind: 'answered'; readonly text: string }
  | {
      readonly kind: 'stopped'
      readonly code: StopCode
      readonly detail: string
      readonly fault: AgentFault | null
    }
)

export interface ToolLoop {
  /**
   * Lets the model work on a prompt with the tools its user has granted, until it answers or has to stop.
   *
   * @param messages what was said before: of an earlier run, or a system message of your own. Nothing is thrown but
   *   what your own callbacks throw.
   */
  run(input: {
    readonly prompt: string
    readonly messages?: readonly ChatMessage[]
    readonly signal?: AbortSignal
  }): Promise<ToolLoopEnd>
}

/** What is told with each reason to stop. */
export const STOP_DETAILS: Readonly<Record<StopCode, string>> = {
  model_unavailable: 'The model endpoint did not give a whole answer.',
  model_refused: 'The model endpoint refused the request.',
  malformed_answer: 'The answer of the model endpoint cannot be read in one way only.',
  model_differs: 'The endpoint returned a model that the registered deployment is not.',
  thinking_differs: 'The endpoint thinks, and the registered deployment does not.',
  deployment_not_allowed: 'The user did not allow this model deployment.',
  truncated: 'The answer was cut off at its token limit. Nothing of it was run.',
  content_filtered: 'The endpoint filtered the answer. Nothing of it was run.',
  too_many_rounds: 'The model did not come to an end.',
  out_of_time: 'The time for this run is over.',
  aborted: 'The caller ended the run. What was sent goes on.',
  broker_unavailable: 'The broker does not answer. What was sent goes on.',
  signed_out: 'The broker takes no token of this agent any more.',
}
