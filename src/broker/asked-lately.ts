import type { ApprovalRow, ConsentRequestRow } from '../ports/rows.ts'
import type { Tx } from '../ports/store.ts'
import type { Settings } from './broker.ts'

const DAY_MS = 86_400_000

/** Whom a guard against too many questions is about: a line of registrations, so that registering anew gains nothing. */
export type Asker = { readonly userId: string; readonly lineageId: string; readonly skillId: string }

/** What was put before a user by one line of agents about one skill, as far back as any rule looks. */
export type AskedLately = {
  readonly approvals: readonly ApprovalRow[]
  readonly requests: readonly ConsentRequestRow[]
}

/** Loads it: a no given now may be to a question that was asked as long ago as questions wait. */
export async function askedLately(
  tx: Tx,
  settings: Settings,
  { userId, lineageId, skillId }: Asker,
): Promise<AskedLately> {
  const since = (withinMs: number) => tx.nowMs - Math.max(DAY_MS, settings.coolDownMs + withinMs) - 1
  return {
    approvals: await tx.approvals.recentOfLine(userId, lineageId, skillId, since(settings.approvalWithinMs)),
    requests: await tx.consentRequests.recentOfLine(
      userId,
      lineageId,
      skillId,
      since(settings.consentWithinMs),
    ),
  }
}

/**
 * Until when a no to one of these actions cools down, whatever the words or arguments then were; 0 where it does not.
 * Unix milliseconds.
 */
export function refusalCoolsUntilMs(
  { approvals }: AskedLately,
  settings: Settings,
  actions: ReadonlySet<string>,
): number {
  return Math.max(
    0,
    ...approvals.map(({ status, action, decidedAtMs }) =>
      status === 'refused' && actions.has(action) && decidedAtMs !== null
        ? decidedAtMs + settings.coolDownMs
        : 0,
    ),
  )
}

/** When one more question may be put, as far as the number of a day goes; 0 for at once. Unix milliseconds. */
export function nextQuestionAtMs(
  { approvals, requests }: AskedLately,
  settings: Settings,
  nowMs: number,
): number {
  const today = [...approvals, ...requests]
    .map(({ createdAtMs }) => createdAtMs)
    .filter((atMs) => atMs > nowMs - DAY_MS)
    .sort((a, b) => b - a)
  const last = today[settings.questionsPerDayMost - 1]
  return last === undefined ? 0 : last + DAY_MS
}
