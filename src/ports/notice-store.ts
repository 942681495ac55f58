import type { SkillDutyRow, SkillNoticeRow } from './notice-rows.ts'

type Answer<T> = T | PromiseLike<T>
type Page = { limit: number; before: { atMs: number; id: string } | null }

export interface SkillDuties {
  insert(row: SkillDutyRow): Answer<void>
  /** What a user's skills may have kept, the oldest first. @param skillId null for all of them. */
  list(userId: string, skillId: string | null): Answer<SkillDutyRow[]>
  /** Users and skills with something whose time has passed and that no notice asks for. */
  due(nowMs: number, limit: number): Answer<{ userId: string; skillId: string }[]>
  /** Puts an execution's duties under a notice, or under none again. */
  setNotice(
    row: Pick<SkillDutyRow, 'userId' | 'actionId' | 'memoryClass'>,
    noticeId: string | null,
  ): Answer<void>
  ofNotice(noticeId: string): Answer<SkillDutyRow[]>
  /** Makes it fall due again. */
  tellAgain(row: Pick<SkillDutyRow, 'userId' | 'actionId' | 'memoryClass'>, atMs: number): Answer<void>
  removeOfNotice(noticeId: string): Answer<void>
  /** What was never sent has written nothing. */
  removeOfAction(userId: string, actionId: string): Answer<void>
}

export interface SkillNotices {
  insert(row: SkillNoticeRow): Answer<void>
  /** Writes every field of a row that is there. */
  update(row: SkillNoticeRow): Answer<void>
  /** @param userId looks among this user's alone. */
  find(id: string, userId?: string): Answer<SkillNoticeRow | undefined>
  /** Those that are still asked for and to be looked at, the longest due first. */
  due(nowMs: number, limit: number): Answer<SkillNoticeRow[]>
  /** When the next one falls due; undefined while none is asked for. */
  nextDueMs(): Answer<number | undefined>
  /**
   * Takes a notice until then, if it is still as it was seen.
   * @returns whether it was.
   */
  claim(row: Pick<SkillNoticeRow, 'id' | 'userId' | 'nextAtMs'>, leaseUntilMs: number): Answer<boolean>
  /** A user's, newest first. */
  list(userId: string, page: Page): Answer<SkillNoticeRow[]>
  /** Those of a user that are still asked for. @param skillId null for all skills. */
  asked(userId: string, skillId: string | null): Answer<SkillNoticeRow[]>
  /** Whether one stops this skill's new actions for this user. */
  suspends(userId: string, skillId: string): Answer<boolean>
  /** Of all users, newest first. */
  listByStatus(status: string, page: Page): Answer<SkillNoticeRow[]>
  /** Overdue or refused and not settled, of all users, newest first. */
  listWanting(page: Page): Answer<SkillNoticeRow[]>
  remove(id: string, userId: string): Answer<void>
  /** Answered before then: nobody asks after it any more. */
  removeAnswered(beforeMs: number): Answer<void>
}

/** What a unit of work sees of what skills remember. */
export interface NoticeTx {
  readonly skillDuties: SkillDuties
  readonly skillNotices: SkillNotices
}
