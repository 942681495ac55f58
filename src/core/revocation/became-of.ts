/** What became of an action that was under way when authority was taken back. Codes are stable. */
export const BECAME = [
  /** The revocation came first: nothing was sent. */
  'blocked',
  /** Its skill refused it, or nothing came of it. */
  'came_to_nothing',
  /** Its skill had done it before a cancellation reached it, or has no way to be told. */
  'finished',
  /** Its skill took the cancellation; what came of that is not settled, or it was done before and is taken back. */
  'being_undone',
  /** Something a skill does again and again, which it says it stopped. */
  'ended',
  /** Something a skill does again and again, and goes on with. */
  'still_running',
  /** Nobody knows yet: the skill is asked until it says, or an operator finds out. */
  'unknown',
] as const
export type Became = (typeof BECAME)[number]

export type FollowedAction = {
  /** As it stood when authority was taken back; 'running' for what a skill does by itself. */
  readonly statusThen: string
  readonly statusNow: string
  /** What its skill said to a cancellation; null while it was not asked. */
  readonly cancel: string | null
  /** Whether a skill's repetition goes on, as the ledger has it now. */
  readonly isRunning: boolean
}

/** Says what became of it by what is known now; late outcomes change the answer. */
export function becameOf({ statusThen, statusNow, cancel, isRunning }: FollowedAction): Became {
  if (statusThen === 'running') return isRunning ? 'still_running' : 'ended'
  switch (statusNow) {
    case 'overtaken':
      return 'blocked'
    case 'refused_by_skill':
    case 'failed':
      return 'came_to_nothing'
    case 'succeeded':
      return cancel === 'cancelled' ? 'being_undone' : 'finished'
    default:
      return cancel === 'cancelled' ? 'being_undone' : 'unknown'
  }
}

/** Whether a later look may answer otherwise. */
export function mayStillChange(became: Became, statusNow: string): boolean {
  if (became === 'unknown' || became === 'still_running') return true
  return became === 'being_undone' && statusNow !== 'succeeded'
}
