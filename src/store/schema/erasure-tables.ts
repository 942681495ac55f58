import { sql } from 'drizzle-orm'
import type { Columns } from '../columns.ts'

/** Erasures of people, asked for, under way and done, and what keeps one from beginning. */
export function describeErasureTables(c: Columns) {
  /** A row that is done is the tombstone of an account: nobody gets its id again. */
  const erasures = c.table(
    'erasures',
    {
      id: c.text('id').primaryKey(),
      userId: c.text('user_id').notNull(),
      /** 'everything', 'skill' or 'agent', and which of the latter. */
      scope: c.text('scope').notNull().default('everything'),
      scopeId: c.text('scope_id'),
      /** 'waiting', 'running', 'cancelled' or 'done'. */
      status: c.text('status').notNull(),
      /** The step of it that is to be done next. */
      step: c.text('step').notNull(),
      /** What it waits for besides its time: 'incident', 'legal_hold', 'in_doubt' or 'message'; null for nothing. */
      waitsFor: c.text('waits_for'),
      /** JSON: agents and grants that were paused by the request, to be let go on if it is cancelled. */
      paused: c.text('paused').notNull(),
      /** JSON array of cells whose texts were removed already, and that are destroyed with the others. */
      cells: c.text('cells').notNull(),
      /** How many sealed parts it makes unreadable, as the log says, and of how many that stands where they were. */
      partsTotal: c.integer('parts_total').notNull().default(0),
      partsDone: c.integer('parts_done').notNull().default(0),
      requestedAtMs: c.integer('requested_at_ms').notNull(),
      dueAtMs: c.integer('due_at_ms').notNull(),
      /** Not looked at again before. */
      checkAtMs: c.integer('check_at_ms').notNull(),
      /** When its step last changed. */
      steppedAtMs: c.integer('stepped_at_ms').notNull(),
      endedAtMs: c.integer('ended_at_ms'),
    },
    (t) => [
      c.index('erasures_by_user').on(t.userId, t.requestedAtMs),
      c.index('erasures_due').on(t.checkAtMs).where(sql`ended_at_ms is null`),
    ],
  )

  /** A row means that an operator keeps this user's data for a dispute or an investigation. */
  const legalHolds = c.table('legal_holds', {
    userId: c.text('user_id').primaryKey(),
    operatorId: c.text('operator_id').notNull(),
    reason: c.text('reason').notNull(),
    createdAtMs: c.integer('created_at_ms').notNull(),
  })

  return { erasures, legalHolds }
}
