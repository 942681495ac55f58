import type { Manifest } from '../manifest/manifest.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
/** How long a session lasts at the most, in milliseconds (DESIGN section 3). */
const SESSION_MOST_MS = 12 * HOUR_MS

/**
 * Until when a skill may keep each memory class that one call may write, as its action token says: counted from the
 * permit, so that a call sent again later keeps nothing longer. A class the grant does not name may not be kept at all;
 * one for the session only may be kept as long as a session can last. Unix milliseconds.
 */
export function keptUntilMs(
  memory: Manifest['memory'],
  remembers: readonly string[],
  retentionDays: Readonly<Record<string, number>>,
  permittedAtMs: number,
): Record<string, number> {
  return Object.fromEntries(
    remembers.map((name) => {
      const days = Object.hasOwn(retentionDays, name) ? retentionDays[name] : undefined
      if (days === undefined) return [name, permittedAtMs]
      const isSession = memory.some((declared) => declared.class === name && declared.sessionOnly)
      return [name, permittedAtMs + (isSession ? SESSION_MOST_MS : days * DAY_MS)]
    }),
  )
}

/** When a skill is told that a deadline has passed: at the end of its hour, so that what ends together is one notice. */
export function tellAtMs(untilMs: number): number {
  return Math.ceil((untilMs + 1) / HOUR_MS) * HOUR_MS
}
