/** A person who is signed in: what a page or a route may know of them. */
export type Person = {
  readonly kind: 'user' | 'operator'
  /** The user's id, or the operator's name as leaves spell it. */
  readonly id: string
  readonly sessionId: string
  readonly signedInAtMs: number
  /** When this session last showed that the person is there; null if it never did. Unix milliseconds. */
  readonly steppedUpAtMs: number | null
  /** Signed in at the platform's identity provider, so a step-up goes there too. */
  readonly viaProvider: boolean
  /** A browser, or a terminal that the person allowed from a browser. */
  readonly channel: SessionChannel
}

export type SessionChannel = 'browser' | 'terminal'
