const FIRST_MS = 30_000
const LONGEST_MS = 86_400_000

/** A skill that refused is asked again this much later: it may have changed its mind, or its program. Milliseconds. */
export const AFTER_REFUSAL_MS = 86_400_000

/**
 * How long after a delivery that was not acknowledged the next one is tried, in milliseconds: twice as long each time, up
 * to a day, less up to half of it, so that a skill that was away is not told everything at once.
 *
 * @param attempts made so far, 1 or more.
 * @param random from 0 up to 1.
 */
export function noticeRetryMs(attempts: number, random: number): number {
  const longest = Math.min(FIRST_MS * 2 ** Math.min(attempts - 1, 30), LONGEST_MS)
  return Math.round(longest * (0.5 + random / 2))
}
