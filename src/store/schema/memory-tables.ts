import { sql } from 'drizzle-orm'
import type { Columns } from '../columns.ts'

/** What agents remember. Ids, class, size and times stand in the open; all the rest is sealed under a cell of the item's own. */
export function describeMemoryTables(c: Columns) {
  const memoryItems = c.table(
    'memory_items',
    {
      id: c.id('id'),
      userId: c.text('user_id').notNull(),
      /** Who wrote it. Who may read it is said by the grant. */
      agentId: c.text('agent_id').notNull(),
      grantId: c.text('grant_id').notNull(),
      skillId: c.text('skill_id').notNull(),
      /** As the manifest names it. */
      memoryClass: c.text('memory_class').notNull(),
      /** The session it ends with; null for an item that outlives its session. */
      sessionId: c.text('session_id'),
      /** SHA-256 over user, agent and idempotency key of the call that wrote it. */
      requestHash: c.bytes('request_hash').notNull(),
      /** The cell whose key is this item's alone. */
      cellId: c.text('cell_id').notNull(),
      /** Bytes of its content. */
      sizeBytes: c.integer('size_bytes').notNull(),
      /** Sealed JSON of key, category, purpose and origin. */
      head: c.bytes('head').notNull(),
      /** The sealed content. */
      content: c.bytes('content').notNull(),
      createdAtMs: c.integer('created_at_ms').notNull(),
      /** From this instant on nobody reads it. */
      expiresAtMs: c.integer('expires_at_ms').notNull(),
      /** Why it ended before its key was destroyed: 'expired', 'forgotten', 'revoked', 'replaced' or 'session'; null while it lives. */
      ended: c.text('ended'),
    },
    (t) => [
      ...c.ownedBy(t.userId, t.id),
      c.index('memory_items_by_grant').on(t.userId, t.grantId, t.createdAtMs),
      c.index('memory_items_by_request').on(t.userId, t.requestHash),
      c.index('memory_items_due').on(t.expiresAtMs),
      // Of the few that end with their session alone.
      c.index('memory_items_by_session').on(t.sessionId).where(sql`session_id is not null and ended is null`),
    ],
  )

  return { memoryItems }
}
