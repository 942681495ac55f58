import { DAY_MS } from './grant-state.ts'

/** How long before a grant ends for not being used its user is told. */
export const TOLD_BEFORE_MS = 14 * DAY_MS

export type Use = {
  /** A change by its user is a sign that they want it. */
  readonly changedAtMs: number
  /** Null where no permit drew on it. */
  readonly lastUsedAtMs: number | null
}

/** When a grant nobody uses from now on ends by itself. Unix milliseconds. */
export function unusedEndMs({ changedAtMs, lastUsedAtMs }: Use, unusedGrantMs: number): number {
  return Math.max(changedAtMs, lastUsedAtMs ?? 0) + unusedGrantMs
}

export type UnusedStep =
  /** Nothing to do before the time. */
  | { readonly kind: 'wait'; readonly untilMs: number }
  | { readonly kind: 'tell'; readonly endsAtMs: number }
  | { readonly kind: 'expire' }

/** What is due for a grant that lives: nothing yet, its user is told, or it ends. */
export function unusedStep(
  use: Use & { readonly expiresAtMs: number; readonly toldAtMs: number | null },
  unusedGrantMs: number,
  nowMs: number,
): UnusedStep {
  const endsAtMs = unusedEndMs(use, unusedGrantMs)
  // One that ends sooner anyway ends then, and of that its user knows.
  if (use.expiresAtMs <= endsAtMs) return { kind: 'wait', untilMs: use.expiresAtMs }
  if (nowMs >= endsAtMs) return { kind: 'expire' }
  const tellAtMs = endsAtMs - TOLD_BEFORE_MS
  if (nowMs < tellAtMs) return { kind: 'wait', untilMs: tellAtMs }
  const isTold = use.toldAtMs !== null && use.toldAtMs >= tellAtMs
  return isTold ? { kind: 'wait', untilMs: endsAtMs } : { kind: 'tell', endsAtMs }
}
