import type { Person } from './person.ts'

const FRESH_MS = 5 * 60_000

/**
 * Whether the person showed a short while ago that it is them: within 5 minutes, in this very session.
 *
 * An operator's terminal was allowed by a step-up on a page that said for how long; its session is no longer than
 * that, so it counts as long as it lives.
 */
export function isSteppedUp(person: Person, nowMs: number): boolean {
  if (person.steppedUpAtMs === null) return false
  if (person.kind === 'operator' && person.channel === 'terminal') return true
  const sinceMs = nowMs - person.steppedUpAtMs
  return sinceMs >= 0 && sinceMs < FRESH_MS
}
