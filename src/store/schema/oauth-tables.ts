import type { Columns } from '../columns.ts'

/**
 * What the authorization server for agents keeps. Whatever a client or a browser holds as a secret is here only as
 * its SHA-256, and what belongs to it is sealed under the secret itself.
 */
export function describeOauthTables(c: Columns) {
  const oauthRecords = c.table(
    'oauth_records',
    {
      /** What it is: AuthorizationCode, RefreshToken, Grant, … */
      model: c.text('model').notNull(),
      /** SHA-256 of the bearer secret in base64url; of a Grant, its plain id, which is no secret. */
      recordKey: c.text('record_key').notNull(),
      /** Empty until a person has signed in. */
      userId: c.text('user_id').notNull(),
      /** The token family it belongs to; empty for none. */
      familyId: c.text('family_id').notNull(),
      /** HMAC of a device's user code, which is too short to be hashed; empty for what has none. */
      userCodeTag: c.text('user_code_tag').notNull(),
      payload: c.text('payload').notNull(),
      expiresAtMs: c.integer('expires_at_ms').notNull(),
      /** Null until it was used; what is used stays until it expires, so that a second use is seen. */
      consumedAtMs: c.integer('consumed_at_ms'),
    },
    (t) => [
      c.primaryKey({ columns: [t.model, t.recordKey] }),
      c.index('oauth_records_by_family').on(t.familyId),
      c.index('oauth_records_by_user_code').on(t.userCodeTag),
      c.index('oauth_records_by_expiry').on(t.expiresAtMs),
    ],
  )

  const oauthClients = c.table(
    'oauth_clients',
    {
      id: c.text('id').primaryKey(),
      /** Client metadata (RFC 7591) as JSON, without any secret. */
      metadata: c.text('metadata').notNull(),
      createdAtMs: c.integer('created_at_ms').notNull(),
      /** When a person first said yes to it; 0 until then. */
      connectedAtMs: c.integer('connected_at_ms').notNull(),
    },
    (t) => [c.index('oauth_clients_by_connection').on(t.connectedAtMs, t.createdAtMs)],
  )

  const tokenFamilies = c.table(
    'token_families',
    {
      /** The id of the Grant record; every code and refresh token of the family names it. */
      id: c.text('id').primaryKey(),
      userId: c.text('user_id').notNull(),
      agentId: c.text('agent_id').notNull(),
      sessionId: c.text('session_id').notNull(),
      clientId: c.text('client_id').notNull(),
      createdAtMs: c.integer('created_at_ms').notNull(),
      /** Null while it lives; no token is issued and no action decided for a family that has ended. */
      endedAtMs: c.integer('ended_at_ms'),
    },
    (t) => [
      c.index('token_families_by_agent').on(t.userId, t.agentId),
      c.index('token_families_by_session').on(t.sessionId),
    ],
  )

  return { oauthRecords, oauthClients, tokenFamilies }
}
