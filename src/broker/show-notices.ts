import { readPointer } from '../core/json-pointer.ts'
import { NOTICE_STATES, type NoticeState } from '../core/notice/deletion-receipt.ts'
import { NOTICE_REASONS, type NoticeReason, type NoticeScope } from '../core/notice/notice-scope.ts'
import type { SkillNoticeRow } from '../ports/notice-rows.ts'
import type { Page } from '../ports/store.ts'
import type { Broker } from './broker.ts'
import { openEventPart } from './open-part.ts'

/** One deletion notice as its person sees it. */
export type NoticeView = {
  readonly noticeId: string
  readonly skill: string
  readonly reason: NoticeReason
  readonly classes: 'all' | readonly string[]
  /** How many executions it is limited to; null for no limit. */
  readonly executions: number | null
  readonly state: NoticeState
  /** The skill's own time is up, and it has acknowledged nothing. */
  readonly isOverdue: boolean
  /** The skill's new actions stand still because of it. */
  readonly isSuspending: boolean
  readonly agentId: string | null
  readonly grantId: string | null
  readonly queuedAtMs: number
  readonly dueAtMs: number
  readonly sentAtMs: number | null
  readonly attempts: number
  readonly answeredAtMs: number | null
  /** Why the last delivery was no acknowledgement. */
  readonly fault: string | null
  readonly answerCode: string | null
}

/** With the skill's own words, which are kept sealed and for a shorter time. */
export type NoticeShown = NoticeView & { readonly why: string | null }

export function noticeView(row: SkillNoticeRow, suspends: boolean): NoticeView {
  const { classes, executions }: NoticeScope = JSON.parse(row.scope)
  const isAsked = row.status === 'open' || row.status === 'refused' || row.status === 'given_up'
  return {
    noticeId: row.id,
    skill: row.skillId,
    reason: NOTICE_REASONS.find((known) => known === row.reason) ?? 'revoked',
    classes,
    executions: executions?.length ?? null,
    state: NOTICE_STATES.find((known) => known === row.status) ?? 'open',
    isOverdue: isAsked && row.overdueAtMs !== null,
    isSuspending: suspends && row.suspends,
    agentId: row.agentId,
    grantId: row.grantId,
    queuedAtMs: row.queuedAtMs,
    dueAtMs: row.dueAtMs,
    sentAtMs: row.sentAtMs,
    attempts: row.attempts,
    answeredAtMs: row.answeredAtMs,
    fault: row.fault,
    answerCode: row.answerCode,
  }
}

/** A user's notices, newest first. */
export async function listNotices(
  broker: Pick<Broker, 'store' | 'settings'>,
  input: { readonly userId: string; readonly page: Page },
): Promise<NoticeView[]> {
  const rows = await broker.store.read(async (tx) => tx.skillNotices.list(input.userId, input.page))
  return rows.map((row) => noticeView(row, broker.settings.suspendsOverdueDeletions))
}

/** One notice of a user's; undefined for one that is not theirs. */
export async function showNotice(
  broker: Broker,
  input: { readonly userId: string; readonly noticeId: string },
): Promise<NoticeShown | undefined> {
  const { userId, noticeId } = input
  const row = await broker.store.read(async (tx) => tx.skillNotices.find(noticeId, userId))
  if (!row || userId === '') return undefined
  const body = await openEventPart(broker, row.answerEventId, 'body')
  const why = body && readPointer(body, '/why')
  return {
    ...noticeView(row, broker.settings.suspendsOverdueDeletions),
    why: typeof why === 'string' ? why : null,
  }
}

/** What an operator sees of a notice: the skill's part of it, and no person. */
export type OperatorNotice = Omit<NoticeView, 'agentId' | 'grantId'>

/**
 * Notices of all users that somebody has to look at: overdue, refused or given up, newest first. @param skillId null for
 * every skill.
 */
export async function listWantingNotices(
  broker: Pick<Broker, 'store' | 'settings'>,
  page: Page,
): Promise<OperatorNotice[]> {
  const rows = await broker.store.read(async (tx) => tx.skillNotices.listWanting(page))
  return rows.map((row) => {
    const { agentId: _, grantId: __, ...seen } = noticeView(row, broker.settings.suspendsOverdueDeletions)
    return seen
  })
}

/** Whether a skill's new actions for this user stand still because it has not deleted what it was told to. */
export async function owesDeletion(
  broker: Pick<Broker, 'store' | 'settings'>,
  { userId, skillId }: { readonly userId: string; readonly skillId: string },
): Promise<boolean> {
  if (!broker.settings.suspendsOverdueDeletions) return false
  return broker.store.read(async (tx) => tx.skillNotices.suspends(userId, skillId))
}
