import type { Columns } from '../columns.ts'

/**
 * People who sign in, and what they sign in with. `user_id` is a user's id or an operator's name; `kind` says which,
 * and every query asks for both. Bearer secrets are there as their SHA-256 in base64url only.
 */
export function describePeopleTables(c: Columns) {
  const people = c.table(
    'people',
    {
      personId: c.text('user_id').notNull(),
      /** 'user' or 'operator'. */
      kind: c.text('kind').notNull(),
      /** 'active' or 'ended'; who has ended signs in no more. */
      status: c.text('status').notNull(),
      /** JSON: currency -> minor units up to which an approval takes no step-up; a currency that is missing has 0. */
      stepUpAbove: c.text('step_up_above').notNull(),
      createdAtMs: c.integer('created_at_ms').notNull(),
      /** When a recovery code was used last; for a day after, nothing wider is given. */
      recoveredAtMs: c.integer('recovered_at_ms'),
    },
    (t) => [c.primaryKey({ columns: [t.personId, t.kind] }), c.index('people_by_kind').on(t.kind)],
  )

  const personSessions = c.table(
    'person_sessions',
    {
      id: c.text('id').primaryKey(),
      personId: c.text('user_id').notNull(),
      kind: c.text('kind').notNull(),
      /** Changes with each rotation; what was stolen before is worth nothing after. */
      tokenHash: c.text('token_hash').notNull(),
      /** 'browser' or 'terminal'. */
      channel: c.text('channel').notNull(),
      /** Browser family and system, such as Firefox on Linux; never the whole user agent, never an address. */
      device: c.text('device').notNull(),
      viaProvider: c.boolean('via_provider').notNull(),
      signedInAtMs: c.integer('signed_in_at_ms').notNull(),
      lastSeenAtMs: c.integer('last_seen_at_ms').notNull(),
      steppedUpAtMs: c.integer('stepped_up_at_ms'),
    },
    (t) => [
      c.uniqueIndex('person_sessions_by_token').on(t.tokenHash),
      c.index('person_sessions_by_person').on(t.personId, t.kind),
    ],
  )

  const passkeys = c.table(
    'passkeys',
    {
      /** Base64url, as the authenticator chose it. */
      credentialId: c.text('credential_id').primaryKey(),
      personId: c.text('user_id').notNull(),
      kind: c.text('kind').notNull(),
      /** COSE key. */
      publicKey: c.bytes('public_key').notNull(),
      /** Signatures the authenticator has counted; stays 0 for those that do not count. */
      counter: c.integer('counter').notNull(),
      /** JSON array, as the browser told. */
      transports: c.text('transports').notNull(),
      /** The person's own name for it, sealed. */
      name: c.text('name').notNull(),
      createdAtMs: c.integer('created_at_ms').notNull(),
      lastUsedAtMs: c.integer('last_used_at_ms'),
    },
    (t) => [c.index('passkeys_by_person').on(t.personId, t.kind)],
  )

  const personAccounts = c.table(
    'person_accounts',
    {
      /** HMAC of the provider's issuer and subject: enough to know the account again, not to read it. */
      account: c.text('account').primaryKey(),
      personId: c.text('user_id').notNull(),
      kind: c.text('kind').notNull(),
      createdAtMs: c.integer('created_at_ms').notNull(),
    },
    (t) => [c.index('person_accounts_by_person').on(t.personId, t.kind)],
  )

  const recoveryCodes = c.table(
    'recovery_codes',
    {
      codeHash: c.text('code_hash').primaryKey(),
      personId: c.text('user_id').notNull(),
      kind: c.text('kind').notNull(),
      createdAtMs: c.integer('created_at_ms').notNull(),
    },
    (t) => [c.index('recovery_codes_by_person').on(t.personId, t.kind)],
  )

  const enrolments = c.table(
    'enrolments',
    {
      tokenHash: c.text('token_hash').primaryKey(),
      /** Empty for the first operator, who chooses a name. */
      personId: c.text('user_id').notNull(),
      kind: c.text('kind').notNull(),
      /** 'first_operator', 'invitation' or 'recovery'. */
      purpose: c.text('purpose').notNull(),
      createdAtMs: c.integer('created_at_ms').notNull(),
      expiresAtMs: c.integer('expires_at_ms').notNull(),
    },
    (t) => [
      c.index('enrolments_by_expiry').on(t.expiresAtMs),
      c.index('enrolments_by_person').on(t.personId),
    ],
  )

  const ceremonies = c.table(
    'ceremonies',
    {
      /** SHA-256 of the challenge or state that comes back. */
      challengeHash: c.text('challenge_hash').primaryKey(),
      /** What the answer is good for; good for nothing else. */
      purpose: c.text('purpose').notNull(),
      /** The browser it began in: a session's id, or the SHA-256 of the cookie before signing in. */
      boundTo: c.text('bound_to').notNull(),
      /** JSON: what the ceremony needs at its end. */
      facts: c.text('facts').notNull(),
      expiresAtMs: c.integer('expires_at_ms').notNull(),
    },
    (t) => [c.index('ceremonies_by_expiry').on(t.expiresAtMs)],
  )

  const terminalLogins = c.table(
    'terminal_logins',
    {
      /** What the terminal polls with. */
      deviceHash: c.text('device_hash').primaryKey(),
      /** What the person reads and compares. */
      codeHash: c.text('code_hash').notNull(),
      kind: c.text('kind').notNull(),
      /** 'waiting', 'allowed' or 'refused'. */
      status: c.text('status').notNull(),
      /** Who allowed it; empty until somebody did. */
      personId: c.text('user_id').notNull(),
      /** When that person had stepped up; 0 until somebody did. */
      steppedUpAtMs: c.integer('stepped_up_at_ms').notNull(),
      expiresAtMs: c.integer('expires_at_ms').notNull(),
    },
    (t) => [
      c.uniqueIndex('terminal_logins_by_code').on(t.codeHash),
      c.index('terminal_logins_by_expiry').on(t.expiresAtMs),
    ],
  )

  return {
    people,
    personSessions,
    passkeys,
    personAccounts,
    recoveryCodes,
    enrolments,
    ceremonies,
    terminalLogins,
  }
}
