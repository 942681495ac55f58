/**
 * Which state of a database a server is at, most telling first: the epoch of its log, which a restore raises; the number
 * operators raise when they fail over; the timeline, which the engine raises when a standby is promoted (0 where it has
 * none).
 */
export type DatabaseFence = {
  readonly logEpoch: number
  readonly failovers: number
  readonly timeline: number
}

export const NO_FENCE: DatabaseFence = { logEpoch: 0, failovers: 0, timeline: 0 }

/** Negative if `a` is an older state than `b`: a primary that was, and must not be written to any more. */
export function compareFences(a: DatabaseFence, b: DatabaseFence): number {
  return a.logEpoch - b.logEpoch || a.failovers - b.failovers || a.timeline - b.timeline
}
