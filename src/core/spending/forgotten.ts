import type { Counter } from './counter.ts'

/** A stretch of time about which a restored store knows nothing: after the backup, up to the restore. Unix ms. */
export interface ForgottenSpan {
  readonly epoch: number
  readonly fromMs: number
  readonly toMs: number
}

/**
 * Whether the counter's window holds an instant that a restore has forgotten, so that what was permitted then is in no
 * sum. Such a window counts as used up: until its period ends, until its length has passed, and for a lifetime for
 * ever, because nobody can say any more that something is left of it.
 *
 * The counter must stand at the instant it is asked at, as for a decision.
 */
export function isForgotten(counter: Pick<Counter, 'tailMs'>, spans: readonly ForgottenSpan[]): boolean {
  // Legs at or before the tail are not counted, so only what was forgotten after it is missing.
  return spans.some((span) => span.toMs > counter.tailMs)
}
