/** What leaves for a skill: exactly these bytes, once. Whether the destination is allowed is the adapter's policy. */
export interface SkillCall {
  /** Absolute URL from the signed manifest. */
  readonly endpoint: string
  readonly method: 'POST'
  /** The canonical bytes that were decided, shown and hashed. */
  readonly body: Buffer
  readonly headers: Readonly<Record<string, string>>
  /** For the whole call: waiting for a connection, resolving, connecting, sending and reading the answer. */
  readonly timeoutMs: number
  readonly maxResponseBytes: number
}

export type NotSentCode = 'blocked_address' | 'dns_failed' | 'connect_failed' | 'tls_failed' | 'bad_endpoint'

export type BrokenCode = 'timed_out' | 'cut' | 'oversize' | 'redirect' | 'protocol_error'

/** The skill's whole answer, not yet parsed: its content type is the caller's to check. */
export interface SkillAnswer {
  readonly kind: 'answered'
  readonly status: number
  /** Lower-case media type without parameters, or an empty string. */
  readonly contentType: string
  readonly headers: { readonly retryAfter?: string; readonly location?: string }
  readonly body: Buffer
}

/**
 * What became of one call. The three kinds differ in what they prove:
 * `not_sent` that no byte of the request was written, so no effect can follow;
 * `answered` that the skill said something; `broken` nothing at all.
 */
export type SkillReply =
  | { readonly kind: 'not_sent'; readonly code: NotSentCode }
  | SkillAnswer
  | { readonly kind: 'broken'; readonly code: BrokenCode }

/** Calls skills. A call is sent at most once: an implementation never retries by itself. */
export interface SkillCaller {
  /** Sends one request; never throws for anything the network or the skill does. */
  call(request: SkillCall): Promise<SkillReply>
  /** Lets calls in flight finish within their own time limits, then frees the connections. */
  close(): Promise<void>
}
