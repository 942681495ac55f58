import type { Columns } from '../columns.ts'

/** Gateways and the like that carry out by themselves what the broker permits. */
export function describeEnforcementTables(c: Columns) {
  const enforcementPoints = c.table('enforcement_points', {
    id: c.text('id').primaryKey(),
    name: c.text('name').notNull(),
    /** JSON array of the skills it may enforce for, and the publisher all of whose skills it may; null for none. */
    skills: c.text('skills').notNull(),
    publisherId: c.text('publisher_id'),
    /** Whether it may learn which users have granted something. */
    mayListUsers: c.boolean('may_list_users').notNull(),
    /** How long a reservation of its may stay unreported before it is in doubt. */
    reportWithinMs: c.integer('report_within_ms').notNull(),
    /** active or revoked. */
    status: c.text('status').notNull(),
    registeredBy: c.text('registered_by').notNull(),
    createdAtMs: c.integer('created_at_ms').notNull(),
    changedAtMs: c.integer('changed_at_ms').notNull(),
  })

  const enforcementCredentials = c.table(
    'enforcement_credentials',
    {
      id: c.text('id').primaryKey(),
      pointId: c.text('point_id').notNull(),
      /** SHA-256 of a secret, or the thumbprint of a public key: what a credential is found by. */
      digest: c.text('digest').notNull(),
      /** Null for a secret. */
      publicJwk: c.text('public_jwk'),
      createdAtMs: c.integer('created_at_ms').notNull(),
      /** Null means that it is good until it is replaced. */
      endsAtMs: c.integer('ends_at_ms'),
    },
    (t) => [
      c.uniqueIndex('enforcement_credentials_by_digest').on(t.digest),
      c.index('enforcement_credentials_by_point').on(t.pointId),
    ],
  )

  return { enforcementPoints, enforcementCredentials }
}
