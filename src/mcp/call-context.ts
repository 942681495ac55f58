import type { JsonValue } from '../core/json-value.ts'
import type { Caller } from '../core/tokens/access-token.ts'

export type AgentCaller = Extract<Caller, { kind: 'agent' }>

/** What a client can do beside waiting for an answer, and what it sent along. */
export type ClientSide = {
  /** Whether the client opens a page for its user where it is asked to. */
  readonly opensPages: boolean
  /**
   * Asks a client of the 2025 protocol to open a page, and tells what its user said; null where the protocol has another
   * way, or none.
   */
  readonly openPage: ((page: PageToOpen) => Promise<'accept' | 'decline' | 'cancel'>) | null
  /** Tells how it goes on; null where the client does not listen. */
  readonly progress: ((message: string) => void) | null
  /** Log lines for clients that asked for them. */
  readonly log: (message: string) => void
  /** The caller gave up waiting. What was dispatched goes on. */
  readonly signal: AbortSignal
  /** What a client of the 2026 protocol handed back, and what its user said to being asked. */
  readonly repeated: { readonly state: string; readonly action: 'accept' | 'decline' | 'cancel' } | null
}

export type PageToOpen = { readonly id: string; readonly message: string; readonly url: string }

/** One `tools/call`, parsed and authenticated. */
export type ToolCall = {
  readonly caller: AgentCaller
  readonly name: string
  /** As they came in, so that nothing is lost that has to be refused. */
  readonly arguments: JsonValue
  readonly meta: Readonly<Record<string, unknown>>
  readonly client: ClientSide
}
