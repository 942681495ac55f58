/** A message as the OpenAI format has it, as far as a tool loop writes it. */
export type ChatMessage =
  | { readonly role: 'system' | 'user'; readonly content: string }
  | { readonly role: 'assistant'; readonly content: string; readonly tool_calls?: readonly WireCall[] }
  | { readonly role: 'tool'; readonly tool_call_id: string; readonly content: string }

export type WireCall = {
  readonly id: string
  readonly type: 'function'
  readonly function: { readonly name: string; readonly arguments: string }
}

/** A call as the endpoint parsed it; its arguments are text that may be anything. */
export type NativeCall = { readonly id: string; readonly name: string; readonly arguments: string }

/** One whole answer of a model. */
export type ModelAnswer = {
  /** The name the endpoint returned, the same in every part; empty where it returned none. */
  readonly model: string
  readonly content: string
  /** Thinking that the endpoint told apart. */
  readonly reasoning: string
  readonly calls: readonly NativeCall[]
  /** `finish_reason`; null where the endpoint never gave one. */
  readonly finish: string | null
}
