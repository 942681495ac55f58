/** Who may do one kind of work, until when. The fence rises with every change of hands and never falls. */
export type LeaseState = {
  readonly name: string
  /** Node id of the holder; empty after it gave the lease back. */
  readonly holder: string
  readonly fence: number
  readonly expiresAtMs: number
}

/** What a node knows of a lease it holds. */
export type HeldLease = { readonly holder: string; readonly fence: number }

export type LeaseClaim =
  | { readonly kind: 'held'; readonly lease: LeaseState; readonly isNew: boolean }
  | { readonly kind: 'taken'; readonly untilMs: number }

/**
 * Takes a lease, or goes on holding it. A lease that has ended is over for its holder too: taking it again raises
 * the fence, so that whatever was begun under the old one is refused.
 *
 * @param held What this node believes to hold; undefined if it holds nothing.
 * @param takesOver For a node that knows that nobody else can be running: it does not wait for a lease to end.
 * @param nowMs The database's clock, as everything here.
 */
export function claimLease(
  before: LeaseState | undefined,
  claim: {
    readonly name: string
    readonly nodeId: string
    readonly held: HeldLease | undefined
    readonly ttlMs: number
    readonly takesOver: boolean
  },
  nowMs: number,
): LeaseClaim {
  const { name, nodeId, held, ttlMs, takesOver } = claim
  const renewed = { name, holder: nodeId, expiresAtMs: nowMs + ttlMs }
  if (before === undefined) return { kind: 'held', lease: { ...renewed, fence: 1 }, isNew: true }
  const isLive = before.holder !== '' && nowMs < before.expiresAtMs
  if (isLive && held && isHeldBy(before, held)) {
    // A clock that differs a little between two reads must not shorten what was promised.
    const expiresAtMs = Math.max(before.expiresAtMs, renewed.expiresAtMs)
    return { kind: 'held', lease: { ...renewed, expiresAtMs, fence: before.fence }, isNew: false }
  }
  if (isLive && !takesOver) return { kind: 'taken', untilMs: before.expiresAtMs }
  return { kind: 'held', lease: { ...renewed, fence: before.fence + 1 }, isNew: true }
}

/**
 * Whether what was begun under a lease may still be written: nobody took it since. Its end does not matter here, for as
 * long as the row is locked nobody can take it.
 */
export function isHeldBy(lease: LeaseState | undefined, held: HeldLease): boolean {
  return lease !== undefined && lease.holder === held.holder && lease.fence === held.fence
}

/** A lease given back: free at once, with its fence kept. */
export function releasedLease(lease: LeaseState): LeaseState {
  return { ...lease, holder: '', expiresAtMs: 0 }
}
