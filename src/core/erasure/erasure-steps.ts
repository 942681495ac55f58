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
  /** What is left of each part says which erasure took it. */
  'marks',
  /** What was kept in the open is removed. */
  'rows',
  /** The person is told, for the last time. */
  'farewell',
  /** Their addresses go too, and the log says that it is done. */
  'channels',
] as const

/** What an erasure of one skill's or one agent's data does, likewise; nothing of it waits 72 hours. */
export const PART_ERASURE_STEPS = [
  /** An agent is disconnected, so that nothing can be asked or sent again in its name. A skill's grants stay. */
  'authority',
  'settle',
  /** Nothing new is sealed under the keys that are to be destroyed. */
  'close',
  'record',
  /** What shares a key with it is kept under another. */
  'reseal',
  'keys',
  'marks',
  'rows',
] as const
export type ErasureStep = (typeof ERASURE_STEPS)[number] | (typeof PART_ERASURE_STEPS)[number]

/** What is erased: all that is kept about a person, or what one skill or one agent of theirs left. */
export type ErasureScope =
  | { readonly kind: 'everything' }
  | { readonly kind: 'skill'; readonly id: string }
  | { readonly kind: 'agent'; readonly id: string }

export const ERASURE_SCOPES = ['everything', 'skill', 'agent'] as const
export type ErasureStatus = 'waiting' | 'running' | 'cancelled' | 'done'
/** `writers`: whoever may still be sealing under a key that is to be destroyed, for half a minute at most. */
export const ERASURE_WAITS = ['incident', 'legal_hold', 'in_doubt', 'message', 'writers'] as const
export type ErasureWait = (typeof ERASURE_WAITS)[number]

/** The step after this one; undefined after the last. */
export function stepAfter(kind: ErasureScope['kind'], step: ErasureStep): ErasureStep | undefined {
  const steps: readonly ErasureStep[] = stepsOf(kind)
  return steps[steps.indexOf(step) + 1]
}

export function stepsOf(kind: ErasureScope['kind']): readonly [ErasureStep, ...ErasureStep[]] {
  return kind === 'everything' ? ERASURE_STEPS : PART_ERASURE_STEPS
}

const HELD_UP_TO: ReadonlySet<ErasureStep> = new Set([
  'sign_in',
  'authority',
  'settle',
  'accounts',
  'close',
  'record',
])

/** Whether something may still keep this step from being done, because nothing was destroyed yet. */
export function canBeHeld(step: ErasureStep): boolean {
  return HELD_UP_TO.has(step)
}

/** What stands in place of a cell's id once an erasure took a part away: the erasure's own id. */
export function erasedBy(cellId: string): string | undefined {
  return cellId.startsWith('ers_') ? cellId : undefined
}

/** What stands there for a part that a backup held and whose key was gone when it was restored. */
export const GONE_AT_RESTORE = 'gone_at_restore'
