/** How far a checkpoint may be behind what was committed before somebody is told, in milliseconds. */
export const LAG_ALARM_MS = 2_000

/** Without a look at the log for so long a node knows nothing of it, in milliseconds. */
export const UNSEEN_MOST_MS = 5_000

/** What a node knows of the log, from its last look at it. */
export type LogSight = {
  /** Age of the oldest leaf no checkpoint covered, at the time of the look; 0 where all were. */
  readonly behindMs: number
  /** How long ago the look was. */
  readonly unseenMs: number
}

export type LogLag = {
  /** The least it may be behind, and the most. */
  readonly behindMs: number
  readonly alarms: boolean
  /** The promised merge time can be broken by what is decided now: nothing more is. */
  readonly stops: boolean
}

/**
 * What a node makes of the log's lag. What was behind at the last look is taken to be behind still; a node that has not
 * looked for too long, because it was paused or cannot read, decides nothing until it has.
 *
 * @param mergeWithinMs the promised time; decisions stop at half of it, so that what is in line can still be merged.
 */
export function lagOf(sight: LogSight | undefined, mergeWithinMs: number): LogLag {
  if (!sight) return { behindMs: 0, alarms: false, stops: true }
  const behindMs = sight.behindMs === 0 ? 0 : sight.behindMs + sight.unseenMs
  const stops = behindMs > mergeWithinMs / 2 || sight.unseenMs > UNSEEN_MOST_MS
  return { behindMs, alarms: behindMs > LAG_ALARM_MS || stops, stops }
}
