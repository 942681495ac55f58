import { sql } from 'drizzle-orm'
import type { Columns } from '../columns.ts'

/** What skills may have kept of people, and the notices that ask them to delete it. */
export function describeNoticeTables(c: Columns) {
  /** One row for each memory class a permitted call may have written; it goes once the skill has said that it is deleted. */
  const skillDuties = c.table(
    'skill_duties',
    {
      actionId: c.text('action_id').notNull(),
      memoryClass: c.text('memory_class').notNull(),
      userId: c.text('user_id').notNull(),
      skillId: c.text('skill_id').notNull(),
      /** The user as the skill's publisher knows them. */
      pairwiseId: c.text('pairwise_id').notNull(),
      agentId: c.text('agent_id').notNull(),
      grantId: c.text('grant_id').notNull(),
      manifestDigest: c.text('manifest_digest').notNull(),
      /** Until when it may be kept, as the action token said. */
      untilMs: c.integer('until_ms').notNull(),
      /** When the skill is told that this has passed: what ends within one hour is told together. */
      tellAtMs: c.integer('tell_at_ms').notNull(),
      /** The notice that asks for it; null while none does. */
      noticeId: c.text('notice_id'),
      createdAtMs: c.integer('created_at_ms').notNull(),
    },
    (t) => [
      c.ownedKey(t.userId, [t.actionId, t.memoryClass]),
      c.index('skill_duties_by_skill').on(t.userId, t.skillId),
      c.index('skill_duties_by_notice').on(t.noticeId),
      c.index('skill_duties_due').on(t.tellAtMs).where(sql`notice_id is null`),
    ],
  )

  const skillNotices = c.table(
    'skill_notices',
    {
      /** Goes out with every delivery, so that what came twice is known. */
      id: c.id('id'),
      /** Empty once the user was erased: skill and pairwise id are all that is needed then. */
      userId: c.text('user_id').notNull(),
      skillId: c.text('skill_id').notNull(),
      publisherId: c.text('publisher_id').notNull(),
      pairwiseId: c.text('pairwise_id').notNull(),
      /** Who is asked, and how long it promised to take: the newest approved version goes before it. */
      manifestDigest: c.text('manifest_digest').notNull(),
      /** 'expired', 'revoked' or 'erased'. */
      reason: c.text('reason').notNull(),
      /** JSON: which classes, written by which executions, kept until when at the latest. */
      scope: c.text('scope').notNull(),
      /** The agent and grant it is about; null where it is about several. */
      agentId: c.text('agent_id'),
      grantId: c.text('grant_id'),
      /** 'open', 'refused', 'deleted', 'kept', 'settled', 'given_up' or 'no_address'. */
      status: c.text('status').notNull(),
      attempts: c.integer('attempts').notNull(),
      nextAtMs: c.integer('next_at_ms').notNull(),
      /** By when the skill promised to be done. */
      dueAtMs: c.integer('due_at_ms').notNull(),
      /** Not asked again after this. */
      giveUpAtMs: c.integer('give_up_at_ms').notNull(),
      /** Why the last delivery was no acknowledgement; null before the first and after a good one. */
      fault: c.text('fault'),
      /** The skill's own code where it refused, or why it keeps something. */
      answerCode: c.text('answer_code'),
      /** Whether the skill's new actions for this user stand still because of it. */
      suspends: c.boolean('suspends').notNull(),
      queuedAtMs: c.integer('queued_at_ms').notNull(),
      sentAtMs: c.integer('sent_at_ms'),
      answeredAtMs: c.integer('answered_at_ms'),
      overdueAtMs: c.integer('overdue_at_ms'),
      queuedEventId: c.text('queued_event_id').notNull(),
      sentEventId: c.text('sent_event_id'),
      answerEventId: c.text('answer_event_id'),
      incidentId: c.text('incident_id'),
    },
    (t) => [
      ...c.ownedBy(t.userId, t.id),
      c.index('skill_notices_by_user').on(t.userId, t.queuedAtMs),
      c.index('skill_notices_suspending').on(t.userId, t.skillId, t.suspends),
      c.index('skill_notices_by_status').on(t.status, t.queuedAtMs),
      c.index('skill_notices_due').on(t.nextAtMs).where(sql`status in ('open', 'refused')`),
    ],
  )

  return { skillDuties, skillNotices }
}
