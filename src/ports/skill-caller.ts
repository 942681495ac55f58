/** What a call of an MCP skill says besides its arguments. */
export interface ToolTarget {
  readonly skillId: string
  /** The server's URL from the signed manifest; null for one that the operator starts beside the broker. */
  readonly url: string | null
  readonly name: string
  /** The digest of the definition the manifest binds the action to; any other is drift, and nothing is sent. */
  readonly digest: string
  readonly answers: 'structured' | 'json' | 'text' | 'content'
  /** Whose session it is made in: what a server keeps of one user is never within reach of another's call. */
  readonly userId: string
  /** Its outcome would have to be settled: the definition is looked at again right before. */
  readonly mustSettle: boolean
  readonly token: string
  readonly brokerKey: string
}

/** What leaves for a skill: exactly these bytes, once. Whether the destination is allowed is the adapter's policy. */
export interface SkillCall {
  /** Absolute URL from the signed manifest. */
  readonly endpoint: string
  /** Set for a skill that is an MCP server. */
  readonly tool?: ToolTarget
  /** Asks the skill to stop, where its transport has words for that; what became of the call is unclear then. */
  readonly signal?: AbortSignal
  readonly method: 'POST'
  /** The canonical bytes that were decided, shown and hashed. */
  readonly body: Buffer
  readonly headers: Readonly<Record<string, string>>
  /** For the whole call: waiting for a connection, resolving, connecting, sending and reading the answer. */
  readonly timeoutMs: number
  readonly maxResponseBytes: number
}

export type NotSentCode =
  | 'blocked_address'
  | 'dns_failed'
  | 'connect_failed'
  | 'tls_failed'
  | 'bad_endpoint'
  /** No session: the server did not answer as one of MCP, or did not let us in. */
  | 'session_failed'
  /** As many sessions are open as may be, and all are in use. */
  | 'sessions_exhausted'
  /** The server's definition of the tool is not the one the manifest was reviewed with. */
  | 'manifest_drift'
  /** The operator has configured no way to reach it. */
  | 'skill_not_configured'

export type BrokenCode = 'timed_out' | 'cut' | 'oversize' | 'redirect' | 'protocol_error' | 'cancelled'

/** The skill's whole answer, not yet parsed: its content type is the caller's to check. */
export interface SkillAnswer {
  readonly kind: 'answered'
  readonly status: number
  /** Lower-case media type without parameters, or an empty string. */
  readonly contentType: string
  readonly headers: { readonly retryAfter?: string; readonly location?: string }
  readonly body: Buffer
  /** The tool's definition changed while the call was on its way: what answered is not what was reviewed. */
  readonly drift?: string
}

/**
 * What became of one call. The kinds differ in what they prove:
 * `not_sent` that no byte of the request was written, so no effect can follow;
 * `answered` that the skill said something; `tool_error` that an MCP tool said it failed, perhaps in words the manifest
 * declares; `broken` nothing at all.
 */
export type SkillReply =
  | { readonly kind: 'not_sent'; readonly code: NotSentCode; readonly detail?: string }
  | {
      readonly kind: 'tool_error'
      readonly code: 'tool_error' | 'input_required'
      readonly body: Buffer
      readonly drift?: string
    }
  | SkillAnswer
  | { readonly kind: 'broken'; readonly code: BrokenCode }

/** Calls skills. A call is sent at most once: an implementation never retries by itself. */
export interface SkillCaller {
  /** Sends one request; never throws for anything the network or the skill does. */
  call(request: SkillCall): Promise<SkillReply>
  /** Lets calls in flight finish within their own time limits, then frees the connections. */
  close(): Promise<void>
}
