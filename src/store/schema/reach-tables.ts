import { sql } from 'drizzle-orm'
import type { Columns } from '../columns.ts'

/** How people are reached, what is still to be told them, and which grants nobody uses. */
export function describeReachTables(c: Columns) {
  const channels = c.table(
    'channels',
    {
      id: c.text('id').primaryKey(),
      userId: c.text('user_id').notNull(),
      /** 'push' or 'mail'; the platform's webhook is configured, not kept here. */
      kind: c.text('kind').notNull(),
      /** A mail address or a push subscription, sealed under a cell of its own. */
      address: c.text('address').notNull(),
      /** HMAC of the address under the user's key: knows it again without reading it. */
      addressTag: c.text('address_tag').notNull(),
      /** 'en' or 'zh'. */
      locale: c.text('locale').notNull(),
      /** 'unverified' tells nobody anything; 'active'. */
      status: c.text('status').notNull(),
      codeHash: c.text('code_hash'),
      codeExpiresAtMs: c.integer('code_expires_at_ms'),
      codeTriesLeft: c.integer('code_tries_left').notNull(),
      /** Messages in a row that could not be delivered. */
      failures: c.integer('failures').notNull(),
      createdAtMs: c.integer('created_at_ms').notNull(),
      verifiedAtMs: c.integer('verified_at_ms'),
    },
    (t) => [c.uniqueIndex('channels_by_address').on(t.userId, t.kind, t.addressTag)],
  )

  const outbox = c.table(
    'outbox',
    {
      /** Goes out with the message, so that what came twice is known. */
      id: c.text('id').primaryKey(),
      userId: c.text('user_id').notNull(),
      /** A channel's id, or 'platform' for the platform's webhook. */
      channelId: c.text('channel_id').notNull(),
      kind: c.text('kind').notNull(),
      /** JSON array of ids of what the message is about; never more than ids. */
      subjects: c.text('subjects').notNull(),
      /** What is told together: kind, agent and skill of a question; empty for what stands alone. */
      batch: c.text('batch').notNull(),
      attempts: c.integer('attempts').notNull(),
      nextAtMs: c.integer('next_at_ms').notNull(),
      expiresAtMs: c.integer('expires_at_ms').notNull(),
      createdAtMs: c.integer('created_at_ms').notNull(),
      /** Null while it is to be sent; kept until it expires, so that what follows at once is batched. */
      sentAtMs: c.integer('sent_at_ms'),
    },
    (t) => [
      c.index('outbox_due').on(t.nextAtMs).where(sql`sent_at_ms is null`),
      c.index('outbox_by_batch').on(t.userId, t.channelId, t.batch, t.createdAtMs),
      c.index('outbox_by_channel').on(t.channelId),
      c.index('outbox_by_expiry').on(t.expiresAtMs),
    ],
  )

  const grantWatches = c.table('grant_watches', {
    grantId: c.text('grant_id').primaryKey(),
    userId: c.text('user_id').notNull(),
    /** As found when last looked; a later use stands in the actions. */
    lastUsedAtMs: c.integer('last_used_at_ms'),
    /** When the user was told that it is about to expire; null once it was used again. */
    toldAtMs: c.integer('told_at_ms'),
    /** Not looked at again before. */
    checkAtMs: c.integer('check_at_ms').notNull(),
  })

  return { channels, outbox, grantWatches }
}
