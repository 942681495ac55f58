/** How long a person has to think better of it, in milliseconds. */
export const ERASURE_AFTER_MS = 72 * 3_600_000

/**
 * What an erasure does, in this order; each step may be done twice. Until `keys` everything can still be read, and an
 * operator's hold stops it; from there on it goes through.
 */
export const ERASURE_STEPS = [
  /** Sessions, passkeys, codes and every token end, so that nothing can be asked or sent again in this person's name. */
  'sign_in',
  /** What was granted is revoked, and what runs is cancelled where a skill allows it. */
  'authority',
  /** What may still have happened is settled, by a skill or an operator: until then it can be looked into. */
  'settle',
  /** Accounts at skills are given back. */
  'accounts',
  /** The log says how much is about to become unreadable. */
  'record',
  /** The keys of all that was sealed are destroyed. */
  'keys',
  /** What was kept in the open is removed. */
  'rows',
  /** The person is told, for the last time. */
  'farewell',
  /** Their addresses go too, and the log says that it is done. */
  'channels',
] as const
export type ErasureStep = (typeof ERASURE_STEPS)[number]

export type ErasureStatus = 'waiting' | 'running' | 'cancelled' | 'done'
export type ErasureWait = 'incident' | 'legal_hold' | 'in_doubt' | 'message'

/** The step after this one; undefined after the last. */
export function stepAfter(step: ErasureStep): ErasureStep | undefined {
  return ERASURE_STEPS[ERASURE_STEPS.indexOf(step) + 1]
}

/** Whether something may still keep this step from being done, because nothing was destroyed yet. */
export function canBeHeld(step: ErasureStep): boolean {
  return ERASURE_STEPS.indexOf(step) < ERASURE_STEPS.indexOf('keys')
}
