/** Wrong guesses at one target from one address, and when the next one is looked at. */
export type GuessRecord = {
  readonly wrong: number
  /** Unix or monotonic milliseconds, as the caller counts. */
  readonly lastAtMs: number
}

/** A slip of the finger costs nothing. */
const FREE = 3
const FIRST_WAIT_MS = 2_000
const LONGEST_WAIT_MS = 15 * 60_000
/** A record this old is forgotten, so nobody is locked out for good. */
const FORGET_AFTER_MS = 60 * 60_000

/**
 * How long the next guess has to wait: nothing for the first three wrong ones, then twice as long each time, a
 * quarter of an hour at most. It is per address and target, so a stranger's guesses never keep the owner out.
 */
export function guessWaitMs(record: GuessRecord | undefined, nowMs: number): number {
  if (!record || nowMs - record.lastAtMs >= FORGET_AFTER_MS || record.wrong <= FREE) return 0
  const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (record.wrong - FREE - 1))
  return Math.max(0, record.lastAtMs + waitMs - nowMs)
}

/** The record after one more wrong guess. */
export function afterWrongGuess(record: GuessRecord | undefined, nowMs: number): GuessRecord {
  const isForgotten = !record || nowMs - record.lastAtMs >= FORGET_AFTER_MS
  return { wrong: isForgotten ? 1 : Math.min(record.wrong + 1, 1_000), lastAtMs: nowMs }
}
