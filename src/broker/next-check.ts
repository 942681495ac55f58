import type { LoadedAction } from '../core/manifest/loaded-manifest.ts'
import type { ActionRow } from '../ports/rows.ts'

/** Where a manifest does not say: first after half a minute, for a week, at most an hour apart. */
const DEFAULT_POLL = { everySeconds: 30, forSeconds: 604_800 }
const MOST_APART_MS = 3_600_000

/**
 * When to ask again: at the manifest's interval, ever further apart. Null where the broker has no way to ask, and
 * once the time for asking is over: then it waits for an operator, and keeps counting.
 */
export function nextCheckAtMs(action: LoadedAction, row: ActionRow, nowMs: number): number | null {
  const { status, honoursKeys, poll } = action.declared
  if (!status && !honoursKeys) return null
  const { everySeconds, forSeconds } = poll ?? DEFAULT_POLL
  const waitedMs = nowMs - row.decidedAtMs
  if (waitedMs > forSeconds * 1000) return null
  return nowMs + Math.max(everySeconds * 1000, Math.min(Math.floor(waitedMs / 2), MOST_APART_MS))
}
