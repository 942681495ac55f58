/** How long asking for the same again is taken for a repetition of what was done, in milliseconds. */
export const SAME_WITHIN_MS = 10 * 60_000

/**
 * How the newest attempt at one and the same request stands. `not_sent` ended before anything reached the skill, so
 * that it is as if it had never been.
 */
export type AttemptState = 'asked' | 'refused' | 'unsettled' | 'not_sent' | 'settled'

export type Attempt = {
  /** 0 for the first; the number of final answers that were given before it. */
  readonly number: number
  readonly state: AttemptState
  /** Null while it is not settled. */
  readonly settledAtMs: number | null
}

export type AskedAgain = {
  /** Reads change nothing: whoever watches an order's state asks the same over and over, and means it. */
  readonly isReadOnly: boolean
  /** The number the caller says it really wants to do this under; null where it says nothing. */
  readonly again: number | null
  readonly nowMs: number
}

/**
 * Which attempt a request without an idempotency key belongs to: the newest one, so that a repeated call executes
 * nothing twice (P4), or a new one. Cases are listed by precedence.
 *
 * A question that waits and a call that is out go on. A refusal is final under its key, so that what was consented to
 * since is tried anew by itself. What is settled is told again for `SAME_WITHIN_MS`, unless the caller names the very
 * next number: that number is good for one new attempt, and repeating it repeats that attempt.
 */
export function nextAttempt(newest: Attempt | null, { isReadOnly, again, nowMs }: AskedAgain): number {
  if (newest === null) return 0
  const next = newest.number + 1
  if (newest.state === 'asked' || newest.state === 'unsettled') return newest.number
  if (newest.state === 'refused' || newest.state === 'not_sent') return next
  if (isReadOnly || again === next) return next
  return nowMs - (newest.settledAtMs ?? nowMs) >= SAME_WITHIN_MS ? next : newest.number
}
