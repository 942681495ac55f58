import type { Columns } from '../columns.ts'

/**
 * Logs that ended when the store was restored from a backup, and what follows from that. Leaves of an ended log stay
 * as they were under its own name; the log tables themselves begin anew at leaf 0.
 */
export function describeEpochTables(c: Columns) {
  const pastLogs = c.table('past_logs', {
    /** 1 for the log a deployment began with. The current log is the one after the highest here. */
    epoch: c.integer('epoch').primaryKey(),
    origin: c.text('origin').notNull(),
    /** How many of its leaves are here. */
    treeSize: c.integer('tree_size').notNull(),
    rootHash: c.bytes('root_hash').notNull(),
    /** The newest signed checkpoint that came with the backup; null if none was published by then. */
    note: c.text('note'),
    /** The size that checkpoint speaks of; 0 without one. */
    noteSize: c.integer('note_size').notNull(),
    /** The newest size that may have been published, by the register; at least `note_size`. */
    publishedSize: c.integer('published_size').notNull(),
    publishedRoot: c.bytes('published_root').notNull(),
    /** Time the backup knows up to. */
    endedAtMs: c.integer('ended_at_ms').notNull(),
    /** Time of the restore: what was permitted between the two is forgotten. */
    restoredAtMs: c.integer('restored_at_ms').notNull(),
  })

  const pastLeaves = c.table(
    'past_leaves',
    {
      epoch: c.integer('epoch').notNull(),
      leafIndex: c.integer('leaf_index').notNull(),
      eventId: c.text('event_id').notNull(),
      leaf: c.bytes('leaf').notNull(),
      leafHash: c.bytes('leaf_hash').notNull(),
      atMs: c.integer('at_ms').notNull(),
    },
    (t) => [
      c.primaryKey({ columns: [t.epoch, t.leafIndex] }),
      c.uniqueIndex('past_leaves_by_event').on(t.eventId),
    ],
  )

  const pastNodes = c.table(
    'past_nodes',
    {
      epoch: c.integer('epoch').notNull(),
      level: c.integer('level').notNull(),
      nodeIndex: c.integer('node_index').notNull(),
      hash: c.bytes('hash').notNull(),
    },
    (t) => [c.primaryKey({ columns: [t.epoch, t.level, t.nodeIndex] })],
  )

  /** A row means that an operator took what a restore had forgotten of this user for settled. */
  const restoreLifts = c.table(
    'restore_lifts',
    {
      userId: c.text('user_id').notNull(),
      epoch: c.integer('epoch').notNull(),
      liftedAtMs: c.integer('lifted_at_ms').notNull(),
    },
    (t) => [c.primaryKey({ columns: [t.userId, t.epoch] })],
  )

  /** Single facts about this database as a whole, such as which of two primaries is the newer one. */
  const deploymentMarks = c.table('deployment_marks', {
    name: c.text('name').primaryKey(),
    value: c.text('value').notNull(),
  })

  return { pastLogs, pastLeaves, pastNodes, restoreLifts, deploymentMarks }
}
