/** Names of ours in `_meta`, of tools, calls and results. */
export const META = {
  skill: 'countersign/skill',
  action: 'countersign/action',
  effects: 'countersign/effects',
  /** Digest of the signed manifest. */
  manifest: 'countersign/manifest',
  /** On a call: the registered model deployment the agent runs on, where it has several. */
  deployment: 'countersign/deployment',
  /** On a call: an idempotency key of the client's own. */
  idempotencyKey: 'countersign/idempotencyKey',
  /** On a call: the same as the argument `_again`, for clients that can set it. */
  again: 'countersign/again',
  /** On a result: what became of the call, for programs. */
  outcome: 'countersign/outcome',
  /** On a result: its content was written by a stranger. */
  untrusted: 'countersign/untrusted',
} as const
