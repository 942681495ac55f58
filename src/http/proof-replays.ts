/** Proofs that are remembered at once; more valid ones within a minute than this are a flood. */
const PROOFS_MOST = 200_000

export type ProofReplays = {
  /** Remembers a proof until it expires. `full` means that it could not be, and must not be accepted. */
  remember(proofId: string, expiresAtMs: number, nowMs: number): 'new' | 'seen' | 'full'
}

/** Knows which DPoP proofs were used (RFC 9449 section 11.1). Never forgets one that is still good. */
export function createProofReplays(most = PROOFS_MOST): ProofReplays {
  const until = new Map<string, number>()

  /** Proofs expire about in the order they came in, so the oldest are looked at first. */
  function forgetExpired(nowMs: number): void {
    for (const [proofId, expiresAtMs] of until) {
      if (expiresAtMs > nowMs) return
      until.delete(proofId)
    }
  }

  return {
    remember(proofId, expiresAtMs, nowMs) {
      if ((until.get(proofId) ?? 0) > nowMs) return 'seen'
      forgetExpired(nowMs)
      if (until.size >= most) return 'full'
      until.set(proofId, expiresAtMs)
      return 'new'
    },
  }
}
