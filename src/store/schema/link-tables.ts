import type { Columns } from '../columns.ts'

/** Accounts and payment means that users linked at skills. */
export function describeLinkTables(c: Columns) {
  const linkedAccounts = c.table(
    'linked_accounts',
    {
      id: c.text('id').primaryKey(),
      userId: c.text('user_id').notNull(),
      skillId: c.text('skill_id').notNull(),
      /** The name the manifest gives it. */
      link: c.text('link').notNull(),
      /** 'account' or 'payment'. */
      means: c.text('means').notNull(),
      /** The manifest the user linked under: where its tokens may go stands there. */
      manifestDigest: c.text('manifest_digest').notNull(),
      /** JSON of access and refresh token, sealed under a cell of its own. */
      tokens: c.text('tokens').notNull(),
      /** When the access token ends; null when nobody said. */
      expiresAtMs: c.integer('expires_at_ms'),
      revision: c.integer('revision').notNull(),
      /** 'linked', or 'broken' once the skill no longer honours it. */
      status: c.text('status').notNull(),
      createdAtMs: c.integer('created_at_ms').notNull(),
      changedAtMs: c.integer('changed_at_ms').notNull(),
    },
    (t) => [c.uniqueIndex('linked_accounts_one_per_link').on(t.userId, t.skillId, t.link)],
  )

  const linkAttempts = c.table(
    'link_attempts',
    {
      /** SHA-256 of the state that comes back. */
      stateHash: c.text('state_hash').primaryKey(),
      userId: c.text('user_id').notNull(),
      /** The signed-in session it began in; no other may end it. */
      sessionId: c.text('session_id').notNull(),
      skillId: c.text('skill_id').notNull(),
      link: c.text('link').notNull(),
      manifestDigest: c.text('manifest_digest').notNull(),
      /** The PKCE verifier, sealed. */
      verifier: c.text('verifier').notNull(),
      createdAtMs: c.integer('created_at_ms').notNull(),
      expiresAtMs: c.integer('expires_at_ms').notNull(),
    },
    (t) => [
      c.index('link_attempts_by_user').on(t.userId),
      c.index('link_attempts_by_expiry').on(t.expiresAtMs),
    ],
  )

  return { linkedAccounts, linkAttempts }
}
