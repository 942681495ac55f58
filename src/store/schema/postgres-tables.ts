import { postgresColumns as c } from '../columns.ts'

/** Leaves of committed work that have no place in the tree yet: the log's sequencer moves them there in batches. */
export const logQueue = c.table(
  'log_queue',
  {
    eventId: c.text('event_id').notNull(),
    /** Whom the event is about; empty where it is nobody. */
    userId: c.text('user_id').notNull(),
    leaf: c.bytes('leaf').notNull(),
    leafHash: c.bytes('leaf_hash').notNull(),
    atMs: c.integer('at_ms').notNull(),
    /** When it was put in line, in microseconds of the server's clock: leaves of one user keep their order by it. */
    queuedUs: c.integer('queued_us').notNull(),
  },
  (t) => [
    c.primaryKey({ columns: [t.eventId, t.userId] }),
    c.index('log_queue_in_order').on(t.queuedUs, t.eventId),
  ],
)

/** One row a user, and an empty one for the platform: whoever locks it is the only one at work for that user. */
export const userTurns = c.table('user_turns', { userId: c.text('user_id').primaryKey() })

/** A row tells that the unit of work of that name was committed, when the answer to its COMMIT was lost. */
export const commitMarks = c.table(
  'commit_marks',
  { id: c.text('id').primaryKey(), atMs: c.integer('at_ms').notNull() },
  (t) => [c.index('commit_marks_by_time').on(t.atMs)],
)
