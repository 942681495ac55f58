import { sql } from 'drizzle-orm'
import type { Columns } from '../columns.ts'

/** Authority that was taken back: its public status, who was told of it, and what became of what was under way. */
export function describeRevocationTables(c: Columns) {
  /**
   * The platform's, not one user's: a place in a list is never given twice, whoever had it. What is erased of a person
   * leaves the place taken, without saying by whom.
   */
  const statusEntries = c.table(
    'status_entries',
    {
      /** The log's epoch when it was given: a restored store gives places in new lists only. */
      epoch: c.integer('epoch').notNull(),
      listNo: c.integer('list_no').notNull(),
      idx: c.integer('idx').notNull(),
      /** Empty, as the ids that follow, once the user was erased. */
      grantId: c.text('grant_id').notNull(),
      userId: c.text('user_id').notNull(),
      agentId: c.text('agent_id').notNull(),
      skillId: c.text('skill_id').notNull(),
      /** 0 valid, 1 invalid, 2 suspended. */
      status: c.integer('status').notNull(),
      changedAtMs: c.integer('changed_at_ms').notNull(),
    },
    (t) => [
      c.primaryKey({ columns: [t.epoch, t.listNo, t.idx] }),
      c.index('status_entries_by_grant').on(t.grantId),
      c.index('status_entries_by_user').on(t.userId),
      c.index('status_entries_by_change').on(t.epoch, t.listNo, t.changedAtMs),
    ],
  )

  const revocations = c.table(
    'revocations',
    {
      id: c.id('id'),
      userId: c.text('user_id').notNull(),
      /** 'grant', 'agent', 'skill' or 'everything'; 'freeze' where an operator stopped it. */
      scopeKind: c.text('scope_kind').notNull(),
      scopeId: c.text('scope_id').notNull(),
      atMs: c.integer('at_ms').notNull(),
      eventId: c.text('event_id').notNull(),
      /** JSON: ids of what was ended. */
      ended: c.text('ended').notNull(),
    },
    (t) => [...c.ownedBy(t.userId, t.id), c.index('revocations_by_user').on(t.userId, t.atMs)],
  )

  const revokedActions = c.table(
    'revoked_actions',
    {
      revocationId: c.text('revocation_id').notNull(),
      actionId: c.text('action_id').notNull(),
      userId: c.text('user_id').notNull(),
      skillId: c.text('skill_id').notNull(),
      /** As it was then; 'running' for what a skill goes on doing by itself. */
      statusThen: c.text('status_then').notNull(),
      /** What its skill said to a cancellation; null until it was asked. */
      cancel: c.text('cancel'),
      cancelAtMs: c.integer('cancel_at_ms'),
      atMs: c.integer('at_ms').notNull(),
    },
    (t) => [
      c.ownedKey(t.userId, [t.revocationId, t.actionId]),
      c.index('revoked_actions_open').on(t.atMs).where(sql`cancel is null`),
    ],
  )

  const eventDeliveries = c.table(
    'event_deliveries',
    {
      /** Goes out with every attempt, so that what came twice is known. */
      id: c.id('id'),
      /** Empty once the user was erased: who is told, and of which pairwise id, stands in the payload. */
      userId: c.text('user_id').notNull(),
      /** The revocation whose receipt shows it; empty for what has none. */
      revocationId: c.text('revocation_id').notNull(),
      /** 'skill' or 'agent'. */
      receiverKind: c.text('receiver_kind').notNull(),
      receiverId: c.text('receiver_id').notNull(),
      /** The canonical JSON that is sent. */
      payload: c.text('payload').notNull(),
      /** 'waiting', 'confirmed', 'answered', 'given_up' or 'no_address'. */
      status: c.text('status').notNull(),
      attempts: c.integer('attempts').notNull(),
      nextAtMs: c.integer('next_at_ms').notNull(),
      expiresAtMs: c.integer('expires_at_ms').notNull(),
      createdAtMs: c.integer('created_at_ms').notNull(),
      /** When it was first handed to a receiver that took it. */
      answeredAtMs: c.integer('answered_at_ms'),
      /** Why the last attempt was no confirmation. */
      fault: c.text('fault'),
    },
    (t) => [
      ...c.ownedBy(t.userId, t.id),
      c.index('event_deliveries_due').on(t.nextAtMs).where(sql`status = 'waiting'`),
      c.index('event_deliveries_by_revocation').on(t.userId, t.revocationId),
      c.index('event_deliveries_by_expiry').on(t.expiresAtMs),
    ],
  )

  const agentCallbacks = c.table(
    'agent_callbacks',
    {
      agentId: c.id('agent_id'),
      userId: c.text('user_id').notNull(),
      url: c.text('url').notNull(),
      setAtMs: c.integer('set_at_ms').notNull(),
    },
    (t) => [...c.ownedBy(t.userId, t.agentId)],
  )

  const undos = c.table(
    'undos',
    {
      actionId: c.id('action_id'),
      userId: c.text('user_id').notNull(),
      /** 'asked', 'undone', 'refused' or 'unclear'. */
      status: c.text('status').notNull(),
      /** 'user', or the operator's id after 'operator:'. */
      askedBy: c.text('asked_by').notNull(),
      attempts: c.integer('attempts').notNull(),
      askedAtMs: c.integer('asked_at_ms').notNull(),
      answeredAtMs: c.integer('answered_at_ms'),
    },
    (t) => [...c.ownedBy(t.userId, t.actionId)],
  )

  const undoJobs = c.table(
    'undo_jobs',
    {
      id: c.text('id').primaryKey(),
      incidentId: c.text('incident_id').notNull(),
      operatorId: c.text('operator_id').notNull(),
      reason: c.text('reason').notNull(),
      /** 'running', 'cancelled' or 'done'. */
      status: c.text('status').notNull(),
      createdAtMs: c.integer('created_at_ms').notNull(),
      endedAtMs: c.integer('ended_at_ms'),
    },
    (t) => [c.index('undo_jobs_by_incident').on(t.incidentId, t.createdAtMs)],
  )

  const undoItems = c.table(
    'undo_items',
    {
      jobId: c.text('job_id').notNull(),
      actionId: c.text('action_id').notNull(),
      userId: c.text('user_id').notNull(),
      /** 'waiting', or what became of it. */
      status: c.text('status').notNull(),
      atMs: c.integer('at_ms').notNull(),
    },
    (t) => [c.ownedKey(t.userId, [t.jobId, t.actionId]), c.index('undo_items_by_job').on(t.jobId, t.status)],
  )

  return {
    statusEntries,
    revocations,
    revokedActions,
    eventDeliveries,
    agentCallbacks,
    undos,
    undoJobs,
    undoItems,
  }
}
