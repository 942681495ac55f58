import { and, asc, eq, getTableColumns, isNull, lte, sql } from 'drizzle-orm'
import type { SkillDutyRow } from '../../ports/notice-rows.ts'
import type { SkillDuties } from '../../ports/notice-store.ts'
import { allGiven, given } from '../dialect.ts'
import { done, type Preparation, Repository } from './repository.ts'

type Key = Pick<SkillDutyRow, 'userId' | 'actionId' | 'memoryClass'>

export function prepareSkillDuties({ db, t: { skillDuties: s }, d }: Preparation) {
  const p = sql.placeholder
  const ofUser = eq(s.userId, p('userId'))
  const byKey = and(ofUser, eq(s.actionId, p('actionId')), eq(s.memoryClass, p('memoryClass')))
  const inOrder = [asc(s.createdAtMs), asc(s.actionId), asc(s.memoryClass)]
  return {
    insert: d.prepare('skill_duties_insert', db.insert(s).values(allGiven(getTableColumns(s)))),
    list: d.prepare(
      'skill_duties_list',
      d.forUpdate(
        db
          .select()
          .from(s)
          .where(ofUser)
          .orderBy(...inOrder),
      ),
    ),
    listOfSkill: d.prepare(
      'skill_duties_list_of_skill',
      d.forUpdate(
        db
          .select()
          .from(s)
          .where(and(ofUser, eq(s.skillId, p('skillId'))))
          .orderBy(...inOrder),
      ),
    ),
    due: d.prepare(
      'skill_duties_due',
      db
        .selectDistinct({ userId: s.userId, skillId: s.skillId })
        .from(s)
        .where(and(isNull(s.noticeId), lte(s.tellAtMs, p('nowMs'))))
        .limit(p('limit')),
    ),
    setNotice: d.prepare(
      'skill_duties_set_notice',
      db
        .update(s)
        .set({ noticeId: given(s.noticeId, 'noticeId') })
        .where(byKey),
    ),
    tellAgain: d.prepare(
      'skill_duties_tell_again',
      db
        .update(s)
        .set({ noticeId: null, tellAtMs: given(s.tellAtMs, 'atMs') })
        .where(byKey),
    ),
    ofNotice: d.prepare(
      'skill_duties_of_notice',
      db
        .select()
        .from(s)
        .where(eq(s.noticeId, p('noticeId')))
        .orderBy(...inOrder),
    ),
    removeOfNotice: d.prepare(
      'skill_duties_remove_of_notice',
      db.delete(s).where(eq(s.noticeId, p('noticeId'))),
    ),
    removeOfAction: d.prepare(
      'skill_duties_remove_of_action',
      db.delete(s).where(and(ofUser, eq(s.actionId, p('actionId')))),
    ),
  }
}

export class SkillDutyRepository
  extends Repository<ReturnType<typeof prepareSkillDuties>>
  implements SkillDuties
{
  insert(row: SkillDutyRow) {
    return done(this.run(this.q.insert, row))
  }

  list(userId: string, skillId: string | null) {
    return skillId === null
      ? this.run(this.q.list, { userId })
      : this.run(this.q.listOfSkill, { userId, skillId })
  }

  due(nowMs: number, limit: number) {
    return this.run(this.q.due, { nowMs, limit })
  }

  setNotice({ userId, actionId, memoryClass }: Key, noticeId: string | null) {
    return done(this.run(this.q.setNotice, { userId, actionId, memoryClass, noticeId }))
  }

  tellAgain({ userId, actionId, memoryClass }: Key, atMs: number) {
    return done(this.run(this.q.tellAgain, { userId, actionId, memoryClass, atMs }))
  }

  ofNotice(noticeId: string) {
    return this.run(this.q.ofNotice, { noticeId })
  }

  removeOfNotice(noticeId: string) {
    return done(this.run(this.q.removeOfNotice, { noticeId }))
  }

  removeOfAction(userId: string, actionId: string) {
    return done(this.run(this.q.removeOfAction, { userId, actionId }))
  }
}
